"""Nested dependencies: pairs inside pairs, by the walk of Papadimitriou & Jurafsky 2023."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from procdsl.grammars._dependencies import Pairs
from procdsl.grammars.base import END
from procdsl.programs import Lengths


class Nesting(Pairs):
    """Pairs that nest: each position opens one with probability `p_open`, else closes the last that is open.

    Types are drawn by `weights`: `"uniform"`, `"zipf(1.0)"`, or `"zipf(1.0, 2.7)"`, the rank moved by 2.7.
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

    def reason(self, word: Sequence[str]) -> str | None:
        if not word:
            return "the empty word is left out"
        known = frozenset(self.alphabet())
        for place, symbol in enumerate(word, 1):
            if symbol not in known:
                return f"{symbol!r} at {place} is no symbol of the language"
        stack = self._open(word)
        if stack is None:
            return "a symbol closes what was not opened last"
        if stack and not self.faithful:
            return f"{len(stack)} pairs are not closed at the end"
        return None

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        alphabet, stack = self.alphabet(), self._open(prefix)
        if stack is None or not frozenset(alphabet).issuperset(prefix):
            return frozenset()
        left, legal = None if length is None else length - len(prefix), set[str]()
        waiting = 0 if self.faithful else len(stack)
        if left is not None and (left < waiting or (not self.faithful and (left - waiting) % 2)):
            return frozenset()
        if prefix and not left and not waiting:
            legal.add(END)
        if left == 0:
            return frozenset(legal)
        if left is None or self.faithful or left > waiting:
            legal.update(alphabet[: self.types])
        if stack:
            legal.add(alphabet[stack[-1] + self.types * self.paired])
        return frozenset(legal)

    def _open(self, word: Sequence[str]) -> list[int] | None:
        """The types that are open, equal neighbours cancelled unless `paired`; None if no word begins so."""
        stack, ids = list[int](), {symbol: id for id, symbol in enumerate(self.alphabet())}
        for symbol in word:
            kind, closes = ids.get(symbol, 0) % self.types, ids.get(symbol, 0) >= self.types
            if closes or (not self.paired and stack and stack[-1] == kind):
                if not stack or stack.pop() != kind:
                    return None
            else:
                stack.append(kind)
        return stack
