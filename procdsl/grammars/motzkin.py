"""Motzkin words: well-nested brackets with other symbols between them."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import ClassVar, Literal

from pydantic import Field

from procdsl.grammars._brackets import bracket_alphabet, type_of
from procdsl.grammars.base import END, WordGrammar
from procdsl.grammars.rules.lowering import shapes
from procdsl.grammars.rules.trees import Production, Trees, reference
from procdsl.programs import TreeProgram


class Motzkin(WordGrammar):
    """Well-nested brackets of `k` types and, anywhere, `flat` kinds of symbols that are no brackets.

    Every word of a length is drawn alike.

    ```toml
    kind   = "motzkin"
    k      = 2
    flat   = 1
    length = { uniform = [12, 30] }
    ```
    """

    kind: Literal["motzkin"] = "motzkin"
    k: int = Field(default=1, ge=1, le=65_536)
    flat: int = Field(default=1, ge=1, le=65_536)
    measure: ClassVar[str] = "uniform"

    def program(self) -> TreeProgram:
        """S → ( S ) S | · S | ε."""
        inner, rest = reference(0, 0), reference(1, 0)
        nested = [Production(0, (0, 0), ((kind, inner, self.k + kind, rest),), 1.0) for kind in range(self.k)]
        flat = [Production(0, (0,), ((2 * self.k + kind, inner),), 1.0) for kind in range(self.flat)]
        trees = Trees(("S",), self.alphabet(), (*nested, *flat, Production(0, (), ((),), 1.0)))
        return TreeProgram(
            count=len(self.alphabet()), shapes=shapes(trees), lengths=self.lengths(), split=self.split()
        )

    def alphabet(self) -> tuple[str, ...]:
        return (*bracket_alphabet(self.k), *(f"·{i}" for i in range(self.flat)))

    def possible(self, longest: int) -> int:
        return (2 << longest) - 2

    def count(self, length: int) -> int:
        """Which symbols are brackets, how they nest, of what types they are, and what the others are."""
        return sum(
            comb(length, 2 * pairs) * comb(2 * pairs, pairs) // (pairs + 1) * self.k**pairs
            * self.flat ** (length - 2 * pairs)
            for pairs in range(length // 2 + 1)
        )  # fmt: skip

    def plenty(self, length: int) -> bool:
        return super().plenty(min(length, 64))

    def reason(self, word: Sequence[str]) -> str | None:
        stack, flat = list[int](), frozenset(self.alphabet()[2 * self.k :])
        for place, symbol in enumerate(word, 1):
            if symbol in flat:
                continue
            found = type_of(symbol, self.k)
            if found is None:
                return f"{symbol!r} at {place} is no symbol of the language"
            kind, opens = found
            if opens:
                stack.append(kind)
            elif not stack:
                return f"{symbol!r} at {place} closes a bracket where none is open"
            elif stack.pop() != kind:
                return f"{symbol!r} at {place} does not close the bracket that was opened last"
        if stack:
            return f"{len(stack)} brackets are not closed at the end"
        return None if word else "the empty word is left out"

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        alphabet, stack = self.alphabet(), self._open(prefix)
        left = None if length is None else length - len(prefix)
        if stack is None or (left is not None and left < len(stack)):
            return frozenset()
        legal = {END} if not stack and prefix and not left else set()
        if stack:
            legal.add(alphabet[self.k + stack[-1]])
        if left is None or left > len(stack):
            legal.update(alphabet[2 * self.k :])
        if left is None or left > len(stack) + 1:
            legal.update(alphabet[: self.k])
        return frozenset(legal)

    def _open(self, prefix: Sequence[str]) -> list[int] | None:
        """The types of the brackets that are open after a prefix; None where no word begins so."""
        stack, flat = list[int](), frozenset(self.alphabet()[2 * self.k :])
        for symbol in prefix:
            if symbol in flat:
                continue
            kind, opens = type_of(symbol, self.k) or (-1, False)
            if opens:
                stack.append(kind)
            elif not stack or stack.pop() != kind:
                return None
        return stack
