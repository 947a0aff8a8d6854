"""Rows that look like another source's as far as a few symbols can see: no long dependencies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from procdsl.grammars.base import Problem
from procdsl.language.base import Name
from procdsl.language.sources.base import Procedural, Remade, Source
from procdsl.programs.base import WordProgram
from procdsl.programs.ngram import Fit, NgramProgram


class Ngram(Source):
    """Each symbol is drawn by the `order` - 1 before it, as often as it followed them in drawn rows of `of`.

    Lengths are those of the source. `rows` says how many of its rows are counted; `order = 1` keeps the
    frequencies alone.

    ```toml
    kind  = "ngram"
    of    = "dyck"
    order = 2
    ```
    """

    kind: Literal["ngram"] = "ngram"
    of: Name
    order: int = Field(ge=1, le=8)
    rows: int = Field(default=256, ge=1, le=65_536)

    def names(self) -> Mapping[str, str]:
        return {"of": self.of}

    def over(self, parts: Mapping[str, Procedural]) -> Procedural:
        return _NgramRows(parts["of"], self)


@dataclass(frozen=True)
class _NgramRows(Remade):
    source: Ngram

    def program(self) -> NgramProgram:
        inner = self.of.program()
        assert isinstance(inner, WordProgram)
        fit = Fit(
            of=inner,
            name=self.source.of,
            tokens=self.of.tokens(),
            context=self.of.longest(),
            rows=self.source.rows,
        )
        return NgramProgram(
            count=inner.symbols,
            order=self.source.order,
            fit=fit,
            lengths=inner.lengths,
            split=inner.split.hashed,
        )

    def problems(self, context: int) -> Iterator[Problem]:
        inner = self.of.program()
        if not isinstance(inner, WordProgram):
            message = f"an n-gram imitates words; {self.source.of} has rows of its own"
            yield Problem("P358", message, ("of",), 'kind = "shuffled" works for any source')
        elif inner.split.tests_all:
            message = (
                f"an n-gram imitates training rows: it has no test part by what {self.source.of} holds out"
            )
            yield Problem("P358", message, ("of",), 'evaluate it on split = "validation"')
