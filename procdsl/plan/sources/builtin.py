"""Text that every machine with Python has."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from procdsl.plan.sources.base import CorpusSource

Builtin = Literal["pydocs", "pysource"]
# Megabytes that no environment holds: the text ends where the installed files end.
_ALL = 1e6


class BuiltinSource(CorpusSource):
    """Python's documentation strings, or its source code. Passes over it end after so many megabytes."""

    kind: Literal["builtin"] = "builtin"
    name: Builtin
    megabytes: float = Field(default=4.0, gt=0)

    def identity(self, *, repeats: bool) -> Self:
        return self if repeats else self.model_copy(update={"megabytes": _ALL})

    def spelt(self) -> str:
        return self.name
