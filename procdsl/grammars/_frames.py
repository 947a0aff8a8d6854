"""Grammars whose rows are frames of a cellular automaton, one after another."""

from __future__ import annotations

import math
from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from pydantic import Field

from procdsl.grammars._cells import Cells, neighbourhood
from procdsl.grammars.base import END, PLENTY, Grammar, Problem, empty_part
from procdsl.programs import CellularProgram

SEPARATOR, PAD = "<row>", "<pad>"


class Frames(Grammar):
    """What elementary and life-like automata have in common. A row is a start and `steps` changes of it.

    Cells of the start are 1 with probability `density`, then changed `burn_in` times unseen. `loss` says
    whether the start is scored too. The test part's starts are never trained on, under whatever rule; where
    rules are held out, it has all starts, and those rules.
    """

    steps: int = Field(ge=1, le=65_536)
    burn_in: int = Field(default=0, ge=0, le=65_536)
    density: float = Field(default=0.5, ge=0, le=1)
    boundary: Literal["periodic", "zero"] = "periodic"
    separator: bool = True
    loss: Literal["later", "all"] = "later"

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
        if self.held_out.sort != "rules":
            return self.numbers()
        held = {self.numbered(rule) for rule in self.held_out.rules}
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
            separated=self.separator,
            scores_first=self.loss == "all",
            split=self.held_out.split(),
        )

    def alphabet(self) -> tuple[str, ...]:
        high, wide = self.program().patch
        return tuple(f"{id:0{high * wide}b}" for id in range(2 ** (high * wide)))

    def tokens(self) -> tuple[str, ...]:
        return (*self.alphabet(), *((SEPARATOR,) if self.separator else ()), PAD)

    def longest(self) -> int:
        return self.program().frame * (self.steps + 1) - 1

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
        whole = self.longest() + 1
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
        before = reading.cells[-2]
        return frozenset(
            alphabet[_patch(program, before, rule, len(begun))]
            for rule in self.numbers()
            if all(rule >> place & 1 == cell for place, cell in reading.became.items())
        )

    def problems(self, context: int) -> Iterator[Problem]:
        if fault := self._held_problem():
            yield fault
            return
        if self.longest() > context:
            message = f"a row feeds {self.longest():,} positions, the context has {context:,}"
            yield Problem("P352", message, ("steps",), f"make the context at least {self.longest():,}")
        program = self.program()
        nats = program.height * program.width * binary_entropy(self.density)
        if nats < math.log(PLENTY) and self.held_out.any():
            message = f"there are only about {math.exp(nats):,.0f} starts: too few to hold some out"
            yield Problem("P353", message, (), "make it wider, or hold nothing out (held_out)")

    def _held_problem(self) -> Problem | None:
        """P357, P359: what is no rule of rows, or leaves a part without any."""
        for place, rule in enumerate(self.held_out.rules):
            if self.numbered(rule) not in self.numbers():
                message = f"rows draw no rule {rule!r}: there is none to hold out"
                return Problem("P357", message, ("held_out", "rules", place), "name rules of `rule`")
        if not self._part():
            return empty_part(self, "nothing is left to train on", "every rule is held out")
        return None

    def _read(self, prefix: Sequence[str]) -> _Reading | None:
        """The frames of a prefix and what became of each neighbourhood; None where no row begins so."""
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
        cells = [_cells(program, frame) for frame in frames]
        became = dict[int, int]()
        for before, frame, after in zip(cells, frames[1:], cells[1:], strict=False):
            for y, x in _places(program, len(frame)):
                if became.setdefault(neighbourhood(program, before, y, x), after[y][x]) != after[y][x]:
                    return None
        fits = any(all(rule >> at & 1 == cell for at, cell in became.items()) for rule in self.numbers())
        return _Reading(frames, cells, became) if fits else None


class _Reading(NamedTuple):
    """Frames as far as they were read, in tokens and in cells; what became of each neighbourhood."""

    frames: list[list[int]]
    cells: list[list[list[int]]]
    became: dict[int, int]


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


def _cells(program: CellularProgram, frame: Sequence[int]) -> list[list[int]]:
    """The cells of a frame; zeros where it has not been written yet."""
    cells = [[0] * program.width for _ in range(program.height)]
    area = program.patch[0] * program.patch[1]
    for place, (y, x) in enumerate(_places(program, len(frame))):
        cells[y][x] = frame[place // area] >> (area - 1 - place % area) & 1
    return cells


def _patch(program: CellularProgram, before: Cells, rule: int, at: int) -> int:
    """The patch that a rule makes at a place of the next frame."""
    area, id = program.patch[0] * program.patch[1], 0
    for y, x in list(_places(program, at + 1))[at * area :]:
        id = 2 * id + (rule >> neighbourhood(program, before, y, x) & 1)
    return id
