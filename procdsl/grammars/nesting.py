"""Nested dependencies: pairs inside pairs, by the walk of Papadimitriou & Jurafsky 2023."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from procdsl.grammars._dependencies import Pairs
from procdsl.programs.base import Lengths


class Nesting(Pairs):
    """Pairs that nest: each position opens one with probability `p_open`, else closes the last that is open.

    Types are drawn by `weights`: `"uniform"`, `"zipf(1.0)"`, `"zipf(1.0, 2.7)"`, the rank moved
    by 2.7, or `"corpus(NAME)"`, as the most frequent tokens of a corpus are (as `iid` says).
    Partners are spelt alike unless `paired`. With `faithful`, words are cut where they stand, as published;
    else all is closed in time.

    ```toml
    kind    = "nesting"
    types   = 8
    weights = "zipf(1.0, 2.7)"
    p_open  = 0.49
    length  = { uniform = [10, 30] }
    ```
    """

    too_early: ClassVar[str] = "a symbol closes what was not opened last"
    kind: Literal["nesting"] = "nesting"
    p_open: float = Field(default=0.49, gt=0, lt=1)

    def shares(self) -> tuple[float, float]:
        return 0.0, self.p_open

    def distances(self) -> Lengths:
        return Lengths(values=(1,))

    def count(self, length: int) -> int:
        """Walks over heights, a step up in as many ways as there are symbols that open more."""
        ways, walks = self.types - (not self.paired), [1]
        for _ in range(length):
            before = [*walks, 0, 0]
            walks = [
                (self.types if h == 1 else ways) * before[h - 1] if h else 0 for h in range(len(walks) + 1)
            ]
            walks = [up + before[h + 1] for h, up in enumerate(walks)]
        return sum(walks) if self.faithful else walks[0]

    def _pending(self, prefix: Sequence[str]) -> list[int] | None:
        """The types that are open, equal neighbours cancelled unless `paired`; None if no word begins so."""
        stack, ids = list[int](), {symbol: id for id, symbol in enumerate(self.alphabet())}
        for symbol in prefix:
            kind, closes = ids.get(symbol, 0) % self.types, ids.get(symbol, 0) >= self.types
            if closes or (not self.paired and stack and stack[-1] == kind):
                if not stack or stack.pop() != kind:
                    return None
            else:
                stack.append(kind)
        return stack

    def _closable(self, pending: list[int]) -> set[int]:
        return set(pending[-1:])
