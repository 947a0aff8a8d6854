"""Markov chains drawn anew for every word: what follows what is to be learnt from the word itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Literal

from pydantic import Field

from procdsl.grammars.base import END, Problem, WordGrammar
from procdsl.programs.markov import MarkovProgram

MOST = 2**22


class RandomMarkov(WordGrammar):
    """Every word draws a chain of this `order` over `symbols`, its rows from a symmetric Dirichlet law.

    A small `concentration` makes chains that are nearly sure of what comes next. The floor is the loss of
    the best predictor that sees the word so far (Edelman et al. 2024), measured on 200 words.

    ```toml
    kind    = "random_markov"
    order   = 1
    symbols = 4
    length  = { uniform = [20, 40] }
    ```
    """

    kind: Literal["random_markov"] = "random_markov"
    order: int = Field(default=1, ge=0, le=16)
    symbols: int = Field(ge=1, le=1024)
    concentration: float = Field(default=1.0, ge=1 / 1024, le=1000)

    def program(self) -> MarkovProgram:
        prior = Fraction(self.concentration).limit_denominator(1024)
        return MarkovProgram(
            count=self.symbols,
            order=self.order,
            prior=(prior.numerator, prior.denominator),
            lengths=self.lengths(),
            split=self.split(),
        )

    def alphabet(self) -> tuple[str, ...]:
        return tuple(f"s{i}" for i in range(self.symbols))

    def possible(self, longest: int) -> int:
        return (2 << longest) - 2

    def count(self, length: int) -> int:
        return int(self.symbols**length)

    def plenty(self, length: int) -> bool:
        return super().plenty(min(length, 64))

    def problems(self, context: int) -> Iterator[Problem]:
        yield from super().problems(context)
        if self.symbols**self.order > MOST:
            message = (
                f"{self.symbols} symbols make {self.symbols**self.order:,} contexts of order {self.order}"
            )
            yield Problem("P365", message, ("order",), f"at most {MOST:,}: lower the order, or the symbols")

    def reason(self, word: Sequence[str]) -> str | None:
        known = frozenset(self.alphabet())
        for place, symbol in enumerate(word, 1):
            if symbol not in known:
                return f"{symbol!r} at {place} is no symbol of the language"
        return None if word else "the empty word is left out"

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        known = frozenset(self.alphabet())
        if not known.issuperset(prefix) or (length is not None and len(prefix) > length):
            return frozenset()
        ends = bool(prefix) and length in (None, len(prefix))
        goes_on = length is None or len(prefix) < length
        return frozenset({*(known if goes_on else ()), *({END} if ends else ())})
