"""Neural cellular automata: a random network drawn for every row says what becomes of a grid."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product
from typing import Annotated, Literal

from pydantic import Field

from procdsl import deflate
from procdsl.grammars.base import END, PLENTY, Grammar, Problem
from procdsl.programs.neural import NeuralProgram, Pool

BEGIN, SEPARATOR, PAD = "<frame>", "<row>", "<pad>"
DIGITS = "0123456789abcdef"
# Every patch is a token: 10 states in patches of 2 × 2 make 10,000.
MOST = 2**17
# Networks of a pool are chosen by so many frames.
FRAMES = 10

Side = Annotated[int, Field(ge=1, le=1024)]


class Nca(Grammar):
    """Frames of a grid of `states`, each made from the one before by a network that the row draws and hides.

    The network sees the 3 × 3 cells around each: to `channels`, to `hidden` with a rectifier, to the states,
    of which the one with most is next. It is that of Lee et al. 2026 with whole-numbered weights; for their
    filter by compression stands `activity`, the share of cells that the first change changes at least.
    From each frame to the next there are `ahead` changes. `patch` is the block of cells that makes a token,
    spelt by its cells. Whatever one neighbourhood, of `ahead` cells to each side, became once, it must become
    again.

    With `rules` it is theirs to the letter: a pool of so many networks, with channels that wrap, each of
    which made frames that `gzip -9` compressed to a share between the two of `compression`; row i has network
    i mod `rules`, and a start of its own. A token begins each frame, and the row ends before the last's end.

    ```toml
    kind   = "nca"
    states = 4
    grid   = [4, 6]
    patch  = [1, 2]
    steps  = 5
    ```
    """

    kind: Literal["nca"] = "nca"
    states: int = Field(default=10, ge=2, le=16)
    grid: tuple[Side, Side] = (12, 12)
    patch: tuple[Annotated[int, Field(ge=1, le=4)], Annotated[int, Field(ge=1, le=4)]] = (2, 2)
    steps: int = Field(ge=1, le=65_536)
    burn_in: int = Field(default=10, ge=0, le=65_536)
    channels: int = Field(default=4, ge=1, le=64)
    hidden: int = Field(default=16, ge=1, le=256)
    activity: float = Field(default=0.1, ge=0, le=1)
    rules: int | None = Field(default=None, ge=1, le=2**20)
    compression: tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(gt=0, le=10)]] = (0.5, 1.0)
    loss: Literal["later", "all"] = "later"
    ahead: int = Field(default=1, ge=1, le=65_536)

    def program(self) -> NeuralProgram:
        return NeuralProgram(
            states=self.states,
            channels=self.channels,
            hidden=self.hidden,
            height=self.grid[0],
            width=self.grid[1],
            patch=self.patch,
            steps=self.steps,
            burn_in=self.burn_in,
            activity=0 if self.rules else math.ceil(self.activity * self.grid[0] * self.grid[1]),
            pool=self._pool(),
            scores_first=self.loss == "all",
            ahead=self.ahead,
            split=self.held_out.split(),
        )

    def _pool(self) -> Pool | None:
        if self.rules is None:
            return None
        low, high = (Fraction(str(share)) * self._compressed() for share in self.compression)
        return Pool(rules=self.rules, frames=FRAMES, least=math.floor(low) + 1, most=math.ceil(high) - 1)

    def _compressed(self) -> int:
        """The bytes of the frames that a network of a pool is chosen by."""
        return 4 * FRAMES * (self.grid[0] // self.patch[0]) * (self.grid[1] // self.patch[1])

    def alphabet(self) -> tuple[str, ...]:
        return tuple(map("".join, product(DIGITS[: self.states], repeat=self.patch[0] * self.patch[1])))

    def tokens(self) -> tuple[str, ...]:
        return (*self.alphabet(), *(() if self.rules is None else (BEGIN,)), SEPARATOR, PAD)

    def longest(self) -> int:
        return self.program().row - 1

    def problems(self, context: int) -> Iterator[Problem]:
        if self.grid[0] % self.patch[0] or self.grid[1] % self.patch[1]:
            message = f"a grid of {self.grid[0]} × {self.grid[1]} is no whole number of patches"
            yield Problem("P364", message, ("patch",), "give sides that divide the grid's")
            return
        if (tokens := self.states ** (self.patch[0] * self.patch[1])) > MOST:
            message = f"patches of {self.states} states make {tokens:,} tokens"
            yield Problem("P367", message, ("patch",), f"at most {MOST:,}: make the patch smaller")
            return
        if self.rules is not None:
            yield from self._pool_problems()
        if self.longest() > context:
            message = f"a row feeds {self.longest():,} positions, the context has {context:,}"
            yield Problem("P352", message, ("steps",), f"make the context at least {self.longest():,}")
        starts = self.grid[0] * self.grid[1] * math.log(self.states)
        if starts < math.log(PLENTY) and self.held_out.any():
            message = f"there are only {math.exp(starts):,.0f} frames: too few to hold some out"
            yield Problem("P353", message, ("grid",), "make it larger, or hold nothing out (held_out)")

    def _pool_problems(self) -> Iterator[Problem]:
        if self._compressed() > deflate.MOST:
            message = f"{FRAMES} frames are {self._compressed():,} bytes, more than gzip takes in one block"
            yield Problem("P368", message, ("grid",), f"at most {deflate.MOST:,}, four for each patch")
        if self.compression[0] >= self.compression[1]:
            message = f"nothing lies between {self.compression[0]:g} and {self.compression[1]:g}"
            yield Problem("P368", message, ("compression",), "the smaller share first: [0.5, 1.0]")
        if "activity" in self.model_fields_set:
            message = "networks of a pool are chosen by compression, not by activity"
            yield Problem("P368", message, ("activity",), "leave `activity` out, or `rules`")

    def reason(self, word: Sequence[str]) -> str | None:
        if END in self.legal_next(word):
            return None
        # A prefix is legal if something may follow it, and then so are all before it.
        cut = bisect_left(range(len(word) + 1), True, key=lambda cut: not self.legal_next(word[:cut]))
        if cut > len(word):
            return f"it ends too early, after {len(word)} tokens"
        return f"{word[cut - 1]!r} at {cut} cannot stand there: its cells became something else before"

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        program, whole = self.program(), self.longest() + 1
        frames = self._frames(prefix) if len(prefix) <= whole and length in (None, whole) else None
        known = None if frames is None else self._became(frames)
        if frames is None or known is None:
            return frozenset()
        if len(prefix) == whole:
            return frozenset({END})
        number, place = divmod(len(prefix), program.frame)
        if special := self._special(place):
            return frozenset({special})
        if number == 0:
            return frozenset(self.alphabet())
        at = place - (self.rules is not None)
        return frozenset(self._patches(known, self._cells(frames[number - 1]), at))

    def _special(self, place: int) -> str | None:
        """The token that is no patch at a place of a frame."""
        if place == self.program().frame - 1:
            return SEPARATOR
        return BEGIN if place == 0 and self.rules is not None else None

    def _patches(self, known: dict[tuple[str, ...], str], before: list[str], at: int) -> Iterator[str]:
        """The patches that agree with what is known, and with themselves."""
        around = [self._around(before, y, x) for y, x in self._places(at)]
        for cells in product(*(known.get(one, DIGITS[: self.states]) for one in around)):
            if len(set(zip(around, cells, strict=True))) == len(set(around)):
                yield "".join(cells)

    def _frames(self, prefix: Sequence[str]) -> list[list[str]] | None:
        """The patches of each frame, as far as they are written; None where a token is out of place."""
        size, frames, patches = self.program().frame, list[list[str]](), set(self.alphabet())
        for at, token in enumerate(prefix):
            if at % size == 0:
                frames.append([])
            special = self._special(at % size)
            if token not in ({special} if special else patches):
                return None
            if special is None:
                frames[-1].append(token)
        return frames

    def _became(self, frames: list[list[str]]) -> dict[tuple[str, ...], str] | None:
        """What became of every neighbourhood so far; None where one became two things."""
        known = dict[tuple[str, ...], str]()
        for now, after in pairwise(frames):
            before = self._cells(now)
            for at, patch in enumerate(after):
                for cell, (y, x) in zip(patch, self._places(at), strict=True):
                    if known.setdefault(self._around(before, y, x), cell) != cell:
                        return None
        return known

    def _cells(self, patches: Sequence[str]) -> list[str]:
        """A frame's lines."""
        lines = [[""] * self.grid[1] for _ in range(self.grid[0])]
        for at, patch in enumerate(patches):
            for cell, (y, x) in zip(patch, self._places(at), strict=True):
                lines[y][x] = cell
        return ["".join(line) for line in lines]

    def _places(self, at: int) -> list[tuple[int, int]]:
        """The cells of a patch, in the order they are written."""
        high, wide = self.patch
        top, left = at // (self.grid[1] // wide) * high, at % (self.grid[1] // wide) * wide
        return [(y, x) for y in range(top, top + high) for x in range(left, left + wide)]

    def _around(self, cells: list[str], y: int, x: int) -> tuple[str, ...]:
        height, width = self.grid
        # Wider than the grid, it is the whole of it, seen from the cell.
        down, across = (range(min(2 * self.ahead + 1, side)) for side in self.grid)
        return tuple(
            cells[(y + dy - self.ahead) % height][(x + dx - self.ahead) % width]
            for dy in down
            for dx in across
        )
