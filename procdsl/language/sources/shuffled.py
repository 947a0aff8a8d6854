"""Rows of another source, symbols permuted: a control that keeps the symbols and breaks the structure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from procdsl.grammars.base import Problem
from procdsl.language.base import Name
from procdsl.language.sources.base import Procedural, Source
from procdsl.programs import ShuffledProgram


class Shuffled(Source):
    """Each row keeps the symbols it has, in an order drawn evenly; its specials stay where they are.

    ```toml
    kind = "shuffled"
    of   = "dyck"
    ```
    """

    kind: Literal["shuffled"] = "shuffled"
    of: Name

    def names(self) -> Mapping[str, str]:
        return {"of": self.of}

    def over(self, parts: Mapping[str, Procedural]) -> Procedural:
        return _ShuffledRows(self.of, parts["of"])


@dataclass(frozen=True)
class _ShuffledRows:
    name: str
    of: Procedural

    def program(self) -> ShuffledProgram:
        inner = self.of.program()
        return ShuffledProgram(name=self.name, of=inner, alphabet=len(self.of.alphabet()), split=inner.split)

    def alphabet(self) -> tuple[str, ...]:
        return self.of.alphabet()

    def tokens(self) -> tuple[str, ...]:
        return self.of.tokens()

    def longest(self) -> int:
        return self.of.longest()

    def problems(self, context: int) -> Iterator[Problem]:
        yield from ()
