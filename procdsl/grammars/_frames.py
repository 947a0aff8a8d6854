"""Grammars whose rows are frames of a cellular automaton, one after another."""

from __future__ import annotations

import math
from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from pydantic import Field

from procdsl.grammars._cells import Cells, later, patches
from procdsl.grammars.base import END, PLENTY, Grammar, Problem, no_words
from procdsl.programs.cellular import CellularProgram

SEPARATOR, PAD = "<row>", "<pad>"
# More cells than this make a head that costs more than the model.
_WIDEST = 4096


class Frames(Grammar):
    """What elementary and life-like automata have in common. A row is a start and `steps` changes of it.

    Cells of the start are 1 with probability `density`, then changed `burn_in` times unseen. `loss` says
    whether the start is scored too. The test part's starts are never trained on, under whatever rule; where
    rules are held out, it has all starts, and those rules.
    From each frame to the next there are `ahead` changes, so that what is asked for lies so many steps later.

    As `tokens`, cells (or patches of them) are written one after another. As `vectors` (Zhang et al. 2024)
    a position is a whole frame: its cells are projected into the model together, and each cell of the next
    frame is asked for by itself, by the same cell's row of the head; losses are nats a cell.
    """

    steps: int = Field(ge=1, le=65_536)
    burn_in: int = Field(default=0, ge=0, le=65_536)
    density: float = Field(default=0.5, ge=0, le=1)
    boundary: Literal["periodic", "zero"] = "periodic"
    separator: bool = True
    loss: Literal["later", "all"] = "later"
    ahead: int = Field(default=1, ge=1, le=65_536)
    encode: Literal["tokens", "vectors"] = "tokens"

    @abstractmethod
    def program(self) -> CellularProgram:
        """The automaton as a program."""

    @abstractmethod
    def numbered(self, rule: int | str) -> int | None:
        """The number of a rule as it is written; None if it is none."""

    @abstractmethod
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the rules that rows draw from."""

    def holds_out(self) -> frozenset[str]:
        return frozenset({"rules"})

    def _part(self) -> tuple[int, ...]:
        """The rules of this part."""
        if not self.held_out.rules:
            return self.numbers()
        held = {self.numbered(rule) for rule in self.held_out.rules or ()}
        return tuple(rule for rule in self.numbers() if (rule in held) == self.held_out.tests_all)

    def _program(
        self,
        shape: Literal["line", "grid"],
        size: tuple[int, int],
        patch: tuple[int, int],
    ) -> CellularProgram:
        return CellularProgram(
            shape=shape,
            rules=self._part(),
            height=size[0],
            width=size[1],
            patch=patch,
            steps=self.steps,
            burn_in=self.burn_in,
            wraps=self.boundary == "periodic",
            density=round(self.density * 2**32),
            separated=self.separator and self.encode == "tokens",
            scores_first=self.loss == "all",
            ahead=self.ahead,
            split=self.held_out.split(),
        )

    def alphabet(self) -> tuple[str, ...]:
        high, wide = self.program().patch
        return tuple(f"{id:0{high * wide}b}" for id in range(2 ** (high * wide)))

    def tokens(self) -> tuple[str, ...]:
        return (*self.alphabet(), *((SEPARATOR,) if self.program().separated else ()), PAD)

    def cells(self) -> int:
        return self.program().frame if self.encode == "vectors" else 0

    def longest(self) -> int:
        return self.steps if self.encode == "vectors" else self._whole() - 1

    def _whole(self) -> int:
        """The symbols of a row."""
        return self.program().frame * (self.steps + 1)

    def reason(self, word: Sequence[str]) -> str | None:
        if END in self.legal_next(word):
            return None
        # A prefix is legal if something may follow it, and then so are all before it.
        cut = bisect_left(range(len(word) + 1), True, key=lambda cut: not self.legal_next(word[:cut]))
        if cut > len(word):
            return f"it ends too early, after {len(word)} tokens"
        legal = sorted(self.legal_next(word[: cut - 1]) - {END})
        expected = " or ".join(legal[:4]) if legal else "the end of the row"
        return f"{word[cut - 1]!r} at {cut} should be {expected}"

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        whole = self._whole()
        reading = self._read(prefix)
        if reading is None or len(prefix) > whole or length not in (None, whole):
            return frozenset()
        if len(prefix) == whole:
            return frozenset({END})
        program, alphabet = self.program(), self.alphabet()
        begun = reading.frames[-1]
        if len(begun) == program.frame - program.separated:
            return frozenset({SEPARATOR})
        if len(reading.frames) == 1:
            return frozenset(alphabet[id] for id in _starts(program))
        before = _cells(program, reading.frames[-2])
        made = (tuple(patches(program, later(program, before, rule))) for rule in reading.rules)
        return frozenset(alphabet[frame[len(begun)]] for frame in made)

    def problems(self, context: int) -> Iterator[Problem]:
        if fault := self._held_problem():
            yield fault
            return
        if self.encode == "vectors":
            yield from self._vector_problems()
        if self.longest() > context:
            message = f"a row feeds {self.longest():,} positions, the context has {context:,}"
            yield Problem("P352", message, ("steps",), f"make the context at least {self.longest():,}")
        program = self.program()
        nats = program.height * program.width * binary_entropy(self.density)
        if nats < math.log(PLENTY) and self.held_out.any():
            message = f"too few starts to hold some out: only about {math.exp(nats):,.0f}"
            yield Problem("P353", message, (), "make it wider, or hold nothing out (held_out)")

    def _held_problem(self) -> Problem | None:
        """P357, P359: what is no rule of rows, or leaves a part without any."""
        for place, rule in enumerate(self.held_out.rules or ()):
            if self.numbered(rule) not in self.numbers():
                message = f"rows draw no rule {rule!r}: there is none to hold out"
                return Problem("P357", message, ("held_out", "rules", place), "name rules of `rule`")
        if not self._part():
            return no_words(self, "nothing is left to train on", "every rule is held out")
        return None

    def _vector_problems(self) -> Iterator[Problem]:
        program, said = self.program(), self.model_fields_set
        if program.frame > _WIDEST:
            message = f"a frame has {program.frame:,} cells, a position at most {_WIDEST:,}"
            yield Problem("P346", message, ("encode",), 'make it smaller, or encode = "tokens"')
        if self.loss == "all":
            message = "nothing is fed before the first frame, so that it cannot be asked for"
            yield Problem("P346", message, ("loss",), 'leave `loss` out, or encode = "tokens"')
        patched = program.patch != (1, 1)
        if patched or (self.separator and "separator" in said):
            field = "patch" if patched else "separator"
            message = f"a {field} is made of tokens, and a frame as a vector of none"
            yield Problem("P346", message, (field,), f'leave `{field}` out, or encode = "tokens"')

    def _read(self, prefix: Sequence[str]) -> _Reading | None:
        """The frames of a prefix and the rules that make them; None where no row begins so."""
        program, ids = self.program(), {symbol: id for id, symbol in enumerate(self.alphabet())}
        size, frames = program.frame - program.separated, [list[int]()]
        for place, symbol in enumerate(prefix):
            separates = place % program.frame == size
            if separates != (symbol == SEPARATOR) or not (separates or symbol in ids):
                return None
            if not separates:
                frames[-1].append(ids[symbol])
            if place % program.frame == program.frame - 1:
                frames.append([])
        if not set(frames[0]) <= set(_starts(program)):
            return None
        rules = tuple(dict.fromkeys(self.numbers()))
        for before, after in pairwise(frames):
            cells = _cells(program, before)
            rules = tuple(rule for rule in rules if _makes(program, rule, cells, after))
        return _Reading(frames, rules) if rules else None


class _Reading(NamedTuple):
    """Frames as far as they were read, in tokens, and the rules that may have made them."""

    frames: list[list[int]]
    rules: tuple[int, ...]


def binary_entropy(chance: float) -> float:
    """Nats of a coin."""
    return -sum(p * math.log(p) for p in (chance, 1 - chance) if p)


def _starts(program: CellularProgram) -> range:
    """The patches a start is made of: all, unless cells are all alike or were changed before."""
    last = program.symbols - 1
    if program.burn_in or 0 < program.density < 2**32:
        return range(last + 1)
    return range(1) if program.density == 0 else range(last, last + 1)


def _places(program: CellularProgram, count: int) -> Iterator[tuple[int, int]]:
    """The cells of the first `count` patches of a frame, in the order they are written."""
    high, wide = program.patch
    across = program.width // wide
    for at in range(count):
        for y in range(high):
            for x in range(wide):
                yield at // across * high + y, at % across * wide + x


def _makes(program: CellularProgram, rule: int, cells: Cells, frame: Sequence[int]) -> bool:
    """Whether a rule makes a frame, as far as that is written, of these cells."""
    made = patches(program, later(program, cells, rule))
    return all(id == own for id, own in zip(made, frame, strict=False))


def _cells(program: CellularProgram, frame: Sequence[int]) -> list[list[int]]:
    """The cells of a whole frame."""
    cells = [[0] * program.width for _ in range(program.height)]
    area = program.patch[0] * program.patch[1]
    for place, (y, x) in enumerate(_places(program, len(frame))):
        cells[y][x] = frame[place // area] >> (area - 1 - place % area) & 1
    return cells
