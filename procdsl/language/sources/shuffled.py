"""Rows of another source, symbols permuted: a control that keeps the symbols and breaks the structure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from procdsl.language.base import Name
from procdsl.language.sources.base import Procedural, Remade, Source
from procdsl.programs.shuffled import ShuffledProgram


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
        return _ShuffledRows(parts["of"], self.of)


@dataclass(frozen=True)
class _ShuffledRows(Remade):
    name: str

    def program(self) -> ShuffledProgram:
        inner = self.of.program()
        size, split = len(self.of.alphabet()), inner.split.hashed
        return ShuffledProgram(name=self.name, of=inner, alphabet=size, split=split)
