"""Majority: one symbol stands more often than all others together."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import ClassVar, Literal

from pydantic import Field

from procdsl.grammars.base import END, WordGrammar
from procdsl.programs.automaton import AutomatonProgram, Letters


class Majority(WordGrammar):
    """Strings of `symbols` different symbols more than half of which are `s0`; all of a length alike.

    ```toml
    kind    = "majority"
    symbols = 2
    length  = { uniform = [12, 30] }
    ```
    """

    kind: Literal["majority"] = "majority"
    symbols: int = Field(default=2, ge=2, le=65_536)
    measure: ClassVar[str] = "uniform"

    def program(self) -> AutomatonProgram:
        """States count by how much `s0` leads; a lead that nothing to come can take counts no further."""
        lengths = self.lengths()
        top = lengths.values[-1] // 2 + 1
        lead = [
            0,
            *(sign * ahead for ahead in range(1, top + 1) for sign in (1, -1) if sign > 0 or ahead < top),
        ]
        place, others = {ahead: state for state, ahead in enumerate(lead)}, self.symbols - 1
        arrows = [
            (place[ahead], place[min(ahead + 1, top)] if more else place[max(ahead - 1, 1 - top)], more)
            for ahead in lead
            for more in (True, False)
        ]
        settled = place[top]
        targets = [settled if source == settled else target for source, target, _ in arrows]
        return AutomatonProgram(
            count=self.symbols,
            letters=(Letters(symbols=(0,)), Letters(symbols=tuple(range(1, self.symbols)))),
            sources=tuple(source for source, _, _ in arrows),
            targets=tuple(targets),
            writes=tuple(0 if more else 1 for _, _, more in arrows),
            weights=tuple(1.0 if more else float(others) for _, _, more in arrows),
            accepts=tuple(sorted(place[ahead] for ahead in lead if ahead > 0)),
            lengths=lengths,
            split=self.split(),
        )

    def alphabet(self) -> tuple[str, ...]:
        return tuple(f"s{i}" for i in range(self.symbols))

    def language(self) -> tuple[str, str]:
        return "deterministic context-free", "one counter: by how much `s0` leads"

    def possible(self, longest: int) -> int:
        return (2 << longest) - 2

    def count(self, length: int) -> int:
        others = self.symbols - 1
        return sum(
            comb(length, more) * others ** (length - more) for more in range(length // 2 + 1, length + 1)
        )

    def plenty(self, length: int) -> bool:
        return super().plenty(min(length, 64))

    def reason(self, word: Sequence[str]) -> str | None:
        known = frozenset(self.alphabet())
        for place, symbol in enumerate(word, 1):
            if symbol not in known:
                return f"{symbol!r} at {place} is no symbol of the language"
        found = sum(symbol == "s0" for symbol in word)
        if 2 * found <= len(word):
            return f"{found} of {len(word)} symbols are s0: no majority"
        return None

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        alphabet, left = self.alphabet(), None if length is None else length - len(prefix)
        if not frozenset(alphabet).issuperset(prefix) or (left is not None and left < 0):
            return frozenset()
        ahead = sum(1 if symbol == "s0" else -1 for symbol in prefix)
        legal = {END} if ahead > 0 and not left else set()
        if left is None or ahead + left > 0:
            legal.update(alphabet[:1] if left is None or left else ())
        if left is None or (left and ahead + left > 2):
            legal.update(alphabet[1:])
        return frozenset(legal)
