"""k-Dyck: well-nested brackets of k types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from procdsl.grammars._brackets import bracket_alphabet, bracket_lengths, dyck_count, type_of
from procdsl.grammars.base import END, WordGrammar
from procdsl.programs.dyck import DyckProgram


class Dyck(WordGrammar):
    """Well-nested brackets of `k` types, at most `depth` deep.

    `measure = "uniform"` draws every word of a length alike; `"process"` is the random walk of Jiang et al.
    2026, which opens with probability `p_open` until only the closing of what is open fits.

    ```toml
    kind   = "dyck"
    k      = 3
    depth  = 6
    length = { uniform = [10, 40] }
    ```
    """

    kind: Literal["dyck"] = "dyck"
    k: int = Field(ge=1, le=65_536)
    depth: int | None = Field(default=None, ge=1)
    measure: Literal["uniform", "process"] = "uniform"
    p_open: float = Field(default=0.5, gt=0, lt=1)

    def program(self) -> DyckProgram:
        return DyckProgram(
            k=self.k,
            depth=self.held_out.bound(self.depth),
            beyond=self.held_out.beyond,
            measure=self.measure,
            p_open=int(self.p_open * 2**64) if self.measure == "process" else 2**63,
            lengths=self.lengths(),
            split=self.split(),
        )

    def alphabet(self) -> tuple[str, ...]:
        return bracket_alphabet(self.k)

    def holds_out(self) -> frozenset[str]:
        return super().holds_out() | {"depth"}

    def possible(self, longest: int) -> int:
        return bracket_lengths(longest, self.held_out.beyond, self.depth)

    def count(self, length: int) -> int:
        if length % 2:
            return 0
        shapes = dyck_count(length, self.held_out.bound(self.depth), self.held_out.beyond)
        return shapes * int(self.k ** (length // 2))

    def plenty(self, length: int) -> bool:
        # More symbols never give fewer words: a word of length n goes on to one of n + 2.
        free = self.held_out.bound(self.depth) or 64
        return super().plenty(min(length, 64 if free >= 32 and self.k > 1 else length))

    def reason(self, word: Sequence[str]) -> str | None:
        stack = list[int]()
        for place, symbol in enumerate(word, 1):
            found = type_of(symbol, self.k)
            if found is None:
                return f"{symbol!r} at {place} is no symbol of {self.k}-Dyck"
            kind, opens = found
            if opens:
                stack.append(kind)
                if self.depth and len(stack) > self.depth:
                    return f"{symbol!r} at {place} is {len(stack)} deep, more than {self.depth}"
            elif not stack:
                return f"{symbol!r} at {place} closes a bracket where none is open"
            elif stack.pop() != kind:
                return f"{symbol!r} at {place} does not close the bracket that was opened last"
        if stack:
            return f"{len(stack)} brackets are not closed at the end"
        return None if word else "the empty word is left out"

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        stack = self._open(prefix)
        left = None if length is None else length - len(prefix)
        if stack is None or (left is not None and (left < len(stack) or (left - len(stack)) % 2)):
            return frozenset()
        alphabet, legal = self.alphabet(), set[str]()
        if not stack and prefix and not left:
            legal.add(END)
        if stack:
            legal.add(alphabet[self.k + stack[-1]])
        if (self.depth is None or len(stack) < self.depth) and (left is None or left > len(stack) + 1):
            legal.update(alphabet[: self.k])
        return frozenset(legal)

    def _open(self, prefix: Sequence[str]) -> list[int] | None:
        """The types of the brackets that are open after a prefix; None where no word begins so."""
        stack = list[int]()
        for symbol in prefix:
            kind, opens = type_of(symbol, self.k) or (-1, False)
            if opens and (self.depth is None or len(stack) < self.depth):
                stack.append(kind)
            elif opens or not stack or stack.pop() != kind:
                return None
        return stack
