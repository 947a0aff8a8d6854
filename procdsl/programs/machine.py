"""Machines: a run of instructions, and the answer about what is remembered in the end."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from procdsl.kinds import Node, later
from procdsl.programs.base import Lengths, Program
from procdsl.programs.task import Formula, Instruction, Piece


class Memory(Node):
    """What a machine remembers: a word with two ends, a set, a number, a symbol or none (`register`), or a
    symbol for each of some keys (`map`). `room` bounds how many, or the number.
    """

    kind: Literal["stack", "queue", "set", "counter", "register", "map"]
    room: int = Field(ge=1)


class Taken(Node):
    """A symbol that an instruction takes and writes: one of `count` from `first` on.

    It is one that the memories `inside` hold, a map among its keys, and those `outside` do not.
    """

    first: int = Field(ge=0)
    count: int = Field(ge=1)
    inside: tuple[int, ...] = ()
    outside: tuple[int, ...] = ()


class Trace(Node):
    """What is written when a move is done: the register `word`, when code[start:stop] has run, and `ends`."""

    start: int = Field(ge=0)
    stop: int = Field(ge=0)
    word: int = Field(ge=0)
    ends: int | None = None


class Move(Node):
    """An instruction of a machine: what it writes, when it may be done, how likely, and what it does.

    It writes `token`, if that is one, then the symbols that it takes: the first, if there are any, as
    `Taken` says, and `more`. `guard` and `weight` are formulas in postfix. What it does, it does with
    `operands`: the place of a symbol among those taken, or -1 - m for what register m holds. It may be done
    only if those registers hold something.
    """

    token: int | None = None
    first: int = 0
    count: int = Field(default=0, ge=0)
    inside: tuple[int, ...] = ()
    outside: tuple[int, ...] = ()
    guard: Formula = ()
    weight: Formula = ()
    does: Literal["push", "pop", "remove", "add", "set", "swap", "put", "pass"]
    memory: int = Field(ge=0)
    amount: int = 1
    more: tuple[Taken, ...] = later(())
    operands: tuple[int, ...] = later((0,))
    trace: Trace | None = later(None)

    @property
    def takes(self) -> tuple[Taken, ...]:
        """All symbols that it takes."""
        if not self.count:
            return self.more
        first = Taken(first=self.first, count=self.count, inside=self.inside, outside=self.outside)
        return (first, *self.more)


class MachineProgram(Program):
    """A random run of a machine, and a word function of what it remembers in the end.

    At every step one of the moves that may be done is drawn by its weight, then each of the symbols that it
    takes, all alike. Registers hold the run, as it is written; then the memories, as words (a counter as its
    number, a map as keys and values by turns); then, for traces, the symbols that the move took; then the
    value of each instruction. The first piece is the run: traces are scored, the rest of it as the piece
    says. `split` hashes the run.
    """

    told_by: ClassVar[str] = "run"
    kind: Literal["machine"] = "machine"
    symbols: int = Field(ge=1)
    steps: Lengths
    memories: tuple[Memory, ...] = Field(min_length=1)
    moves: tuple[Move, ...] = Field(min_length=1)
    code: tuple[Instruction, ...]
    pieces: tuple[Piece, ...] = Field(min_length=1)
    pad: int = Field(ge=0)
    longest: int = Field(gt=0)

    @property
    def slots(self) -> int:
        """How many registers hold the symbols that a move took."""
        return max((len(move.takes) for move in self.moves if move.trace), default=0)

    @property
    def answer(self) -> int:
        """Where the instructions begin that are done in the end, behind those of traces."""
        return max((move.trace.stop for move in self.moves if move.trace), default=0)
