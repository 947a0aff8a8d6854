"""Words of several programs between each other: each symbol is read by the part that it belongs to.

No part hears of the others, so what each can go on with may come next, and a word ends where all of them do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from procdsl.programs.interleaved import InterleavedProgram
from procdsl.recognisers.earley import Words, sums


class Interleaved:
    """A chart for each part, of what was read of it."""

    def __init__(self, program: InterleavedProgram) -> None:
        self.charts = [Words(part).chart for part in program.parts]
        self.of = {
            symbol: chart
            for chart, part in zip(self.charts, program.parts, strict=True)
            for shape in part.shapes
            for member in shape.members
            for symbol in member
        }

    def legal(self) -> frozenset[int]:
        return frozenset().union(*(chart.expected() for chart in self.charts))

    def legal_within(self, left: int, lengths: Sequence[Sequence[int]]) -> frozenset[int]:
        """The symbols after which exactly `left` - 1 more make a word; `lengths` as charts want them."""
        mask, found = (1 << left + 1) - 1, set[int]()
        onward = [chart.onward(left, own) for chart, own in zip(self.charts, lengths, strict=True)]
        ends = [
            chart.complete() | _either(more.values()) << 1 & mask
            for chart, more in zip(self.charts, onward, strict=True)
        ]
        for part, symbols in enumerate(onward):
            others = 1
            for other in (*ends[:part], *ends[part + 1 :]):
                others = sums(others, other, mask)
            found.update(s for s, more in symbols.items() if sums(more, others, mask) << 1 >> left & 1)
        return frozenset(found)

    def ends(self) -> bool:
        read = any(chart.prefix for chart in self.charts)
        return read and all(chart.complete() for chart in self.charts)

    def read(self, symbol: int) -> bool:
        return symbol in self.of and self.of[symbol].step(symbol)


def _either(bits: Iterable[int]) -> int:
    found = 0
    for one in bits:
        found |= one
    return found
