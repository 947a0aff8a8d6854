"""Tasks: a prompt, and the answer that is computed from it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from procdsl.kinds import Node, later
from procdsl.programs.base import AnyProgram, Lengths, Program


class Draw(Node):
    """A random input of a task: a word over `count` ids from `first` on; a number's id is its value.

    `uniform`: each symbol by itself; `weighted`: so, by `thresholds` over 2**32, as in `IidProgram`;
    `permutation`: all different; `number`: decimal digits, the first not 0 unless it is alone; `mapping`:
    different keys, each with a value out of `values` (first, count). `choice`: one symbol of register `of`,
    or, of 2**32 times all but `present`, one of the draw's own that is not in it. `part`: likewise some of
    register `of` in one piece, at most half of it, or as many of the draw's own that are nowhere in it.
    `runs`: symbols in runs, any number of them and any lengths alike; `bag`: these in any order. `among`:
    each one of the symbols of register `of`, at most `count` different ones; `shuffle`: all of them in any
    order. `word`: a word of the program `words`, whose symbol s is `ids`[s] here; it has a slot of its own,
    its split no say.

    Drawn when the first `after` instructions have run.
    """

    # fmt: off
    kind: Literal[
        "uniform", "permutation", "weighted", "number", "mapping", "choice", "runs", "bag", "part", "among",
        "shuffle", "word",
    ]
    # fmt: on
    first: int = Field(ge=0)
    count: int = Field(ge=1)
    lengths: Lengths
    thresholds: tuple[int, ...] = ()
    values: tuple[int, int] = (0, 1)
    of: int = 0
    present: int = Field(default=2**32, ge=0, le=2**32)
    after: int = Field(default=0, ge=0)
    words: AnyProgram | None = later(None)
    ids: tuple[int, ...] = later(())


Formula = tuple[tuple[str, float], ...]


class Instruction(Node):
    """A word function applied to registers; its value, at most `longest` long, is the next register.

    Besides word functions: `number` is the constant `number`. `each_word` (`each_symbol`) holds, one after
    another, the words of a word of words (the symbols of a word); what stands between it and the register
    `number`, a `collect_words` or `collect_symbols`, is done for each, and the value of that one's first
    argument is appended there, at most `room` times. Its second argument is what `each` goes through, its
    `number` the register of `each`. For functions of a group's elements, `number` is the first one's id.
    `formula` is the value of that postfix, in which the sizes are the arguments, numbers.
    """

    function: str
    arguments: tuple[int, ...] = ()
    number: int = 0
    longest: int = Field(default=1, ge=0)
    room: int = Field(default=0, ge=0)
    group: str = ""
    formula: Formula = later(())


class Piece(Node):
    """A part of a task's row: a token, or the word that a register holds, its ids shifted.

    Where it is scored, its first `skip` tokens are not.
    """

    token: int | None = None
    word: int | None = None
    scored: bool = False
    shift: int = 0
    skip: int = Field(default=0, ge=0)


class TaskProgram(Program):
    """Prompt to answer. Registers hold the draws, then the value of each instruction; pieces write them out.

    What is hashed for the splits is the draws, each followed by `pad`: the prompt. Where a row does not show
    them all, or not as they are, it is the registers `hashed`, which it shows. `longest` and `shortest` bound
    a row's tokens. `symbols` bounds the ids of symbols that are no numbers. With `scores_pad` the first
    padding is scored, where there is any. A prompt for which register `where` holds 0 is drawn again, and the
    instructions behind that one are not carried out.
    """

    told_by: ClassVar[str] = "prompt"
    kind: Literal["task"] = "task"
    symbols: int = Field(ge=1)
    draws: tuple[Draw, ...] = Field(min_length=1)
    code: tuple[Instruction, ...]
    pieces: tuple[Piece, ...] = Field(min_length=1)
    pad: int = Field(ge=0)
    longest: int = Field(gt=0)
    shortest: int = Field(default=0, ge=0)
    scores_pad: bool = later(False)
    hashed: tuple[int, ...] = later(())
    where: int | None = later(None)

    @property
    def prompt(self) -> tuple[int, ...]:
        """The registers that are hashed."""
        return self.hashed or tuple(range(len(self.draws)))

    @property
    def answers_one(self) -> bool:
        """Whether an answer is always one scored token, made by the last instruction."""
        scored = [piece.word for piece in self.pieces if piece.scored]
        return scored == [len(self.draws) + len(self.code) - 1] and self.code[-1].longest == 1
