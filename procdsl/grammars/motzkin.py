"""Motzkin words: well-nested brackets with other symbols between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb
from typing import ClassVar, Literal

from pydantic import Field

from procdsl.errors import Severity
from procdsl.grammars._brackets import bracket_alphabet, dyck_count, type_of
from procdsl.grammars._rules import MOST_CELLS
from procdsl.grammars.base import END, Problem, WordGrammar
from procdsl.grammars.regular.forests import RULES
from procdsl.grammars.rules.lowering import shapes
from procdsl.grammars.rules.trees import Production, Trees, reference
from procdsl.programs.tree import TreeProgram, TreeShape


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
        """S → ( S ) S | · S | ε; where depth is held out, with a copy of S for each height."""
        lengths, whole, part = self.lengths(), self._any(0), self._any(0)
        beyond, bound = self.held_out.beyond, self.held_out.bound(None)
        if beyond is not None:
            part = self._deep(beyond)
        elif bound is not None and bound < lengths.values[-1] // 2:
            part = self._flat(0, bound)
        return TreeProgram(
            count=len(self.alphabet()),
            shapes=self._shapes(part),
            unambiguous=part != whole,
            language=() if beyond is None else self._shapes(whole),
            lengths=lengths,
            split=self.split(),
        )

    def alphabet(self) -> tuple[str, ...]:
        return (*bracket_alphabet(self.k), *(f"·{i}" for i in range(self.flat)))

    def holds_out(self) -> frozenset[str]:
        return super().holds_out() | {"depth"}

    def possible(self, longest: int) -> int:
        beyond = self.held_out.beyond
        shortest = 1 if beyond is None else 2 * beyond + 2
        return (2 << longest) - (1 << shortest) if shortest <= longest else 0

    def count(self, length: int) -> int:
        """Which symbols are brackets, how they nest, of what types they are, and what the others are."""
        bound, beyond = self.held_out.bound(None), self.held_out.beyond
        return sum(
            comb(length, 2 * pairs) * dyck_count(2 * pairs, bound, beyond) * self.k**pairs
            * self.flat ** (length - 2 * pairs)
            for pairs in range(length // 2 + 1)
        )  # fmt: skip

    def plenty(self, length: int) -> bool:
        return super().plenty(min(length, 64 + 2 * (self.held_out.beyond or 0)))

    def problems(self, context: int) -> Iterator[Problem]:
        found = list(super().problems(context))
        yield from found
        if self.held_out.depth and not any(problem.severity is Severity.ERROR for problem in found):
            yield from self._size(self.held_out.depth.over)

    def _size(self, depth: int) -> Iterator[Problem]:
        """P383: rules for each height, and their tables."""
        rules, longest = 3 * (depth + 1) * (self.k + self.flat), self.law().values[-1]
        if rules > RULES or 6 * (depth + 1) * longest > MOST_CELLS:
            message = f"{depth} heights make {rules:,} rules, for words of up to {longest:,} symbols"
            help = "hold out by a smaller depth, or make the words shorter"
            yield Problem("P383", message, ("held_out", "depth"), help)

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

    # ------------------------------------------------------------ rules

    def _any(self, a: int) -> list[Production]:
        """A → ( A ) A | · A | ε."""
        return [*self._pair(a, a, a), *self._between(a), Production(a, (), ((),), 1.0)]

    def _flat(self, first: int, depth: int) -> list[Production]:
        """Words at most `depth` deep, from nonterminal `first`; those behind it are for each height more."""
        made = list[Production]()
        for a in range(first, first + depth + 1):
            made += [*self._between(a), Production(a, (), ((),), 1.0)]
            made += self._pair(a, a + 1, a) if a < first + depth else []
        return made

    def _deep(self, depth: int) -> list[Production]:
        """Words more than `depth` deep, from nonterminal 0: what is in the first pair is, or what follows it.

        Nonterminals 0 to `depth` are yet to be, at each height; behind them are those that never are, and
        last is any word, for what comes once one was.
        """
        flat, whole = depth + 1, 2 * depth + 2
        made = [*self._flat(flat, depth), *self._any(whole), *self._pair(depth, whole, whole)]
        for a in range(depth + 1):
            made += self._between(a)
        for a in range(depth):
            made += [*self._pair(a, a + 1, whole), *self._pair(a, flat + a + 1, a)]
        return made

    def _pair(self, head: int, inner: int, rest: int) -> list[Production]:
        """head → ( inner ) rest, of every type."""
        codes = [(kind, reference(0, 0), self.k + kind, reference(1, 0)) for kind in range(self.k)]
        return [Production(head, (inner, rest), (code,), 1.0) for code in codes]

    def _between(self, head: int) -> list[Production]:
        """head → · head, of every kind."""
        first = 2 * self.k
        return [Production(head, (head,), ((first + i, reference(0, 0)),), 1.0) for i in range(self.flat)]

    def _shapes(self, productions: Sequence[Production]) -> tuple[TreeShape, ...]:
        return shapes(Trees((), self.alphabet(), tuple(productions)))

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
