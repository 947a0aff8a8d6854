"""Where a row stands: everything its numbers are a function of, besides the program."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from procdsl.errors import RunError
from procdsl.programs.base import Split, SplitName
from procdsl.splits import content, empty_part
from procdsl.streams import ROW_SLOT, Stream, key

Row = tuple[list[int], list[int]]


@dataclass(frozen=True)
class Address:
    """One row of one source. `spelt` holds the `splits.spelling` of every local id."""

    seed: int
    name: str
    split: SplitName
    index: int
    context: int
    spelt: tuple[int, ...]

    @cached_property
    def key(self) -> int:
        return key(self.seed, self.name, self.split)

    def stream(self, slot: int = ROW_SLOT, attempt: int = 0) -> Stream:
        """The numbers for one slot of the row; each attempt at it has its own."""
        return Stream(self.key, self.index, attempt << 16 | slot)

    def holds(self, split: Split, symbols: Iterable[int]) -> bool:
        """Whether a word of these ids belongs to the part this row is of."""
        return self.owns(split, (self.spelt[symbol] for symbol in symbols))

    def owns(self, split: Split, spelt: Iterable[int]) -> bool:
        """Whether what is spelt so belongs to the part this row is of."""
        spelt = tuple(spelt)
        low, high = split.bounds(self.split, len(spelt))
        return low <= content(spelt) <= high

    def nothing(self) -> RunError:
        return empty_part(self.name, self.split, self.index)
