"""The rows of another source, with the order taken out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field

from procdsl.programs.base import AnyProgram, Program, Unigrams


class ShuffledProgram(Program):
    """The rows of another source, their symbols permuted: each row keeps its symbols, and its specials stay.

    `name` is that source's, so that row i is row i of it; ids below `alphabet` are permuted among their own
    positions, uniformly, by the stream of this source's name. Scoring stays with positions.
    """

    kind: Literal["shuffled"] = "shuffled"
    name: str
    of: AnyProgram
    alphabet: int = Field(ge=1)

    @property
    def awaited(self) -> Unigrams | None:
        return self.of.awaited

    def weighed(self, counts: Sequence[int]) -> Self:
        return self.model_copy(update={"of": self.of.weighed(counts)})
