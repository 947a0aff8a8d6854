"""Words by the n-gram statistics of another program's rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field

from procdsl.kinds import Node
from procdsl.programs.base import AnyProgram, Unigrams, WordProgram


class Fit(Node):
    """What an n-gram is counted on: training rows 0 .. rows - 1 of a program, as data seed 0 draws them."""

    of: AnyProgram
    name: str
    tokens: tuple[str, ...]
    context: int = Field(gt=0)
    rows: int = Field(gt=0)


class NgramProgram(WordProgram):
    """Each symbol drawn by the `order` - 1 before it, as often as it followed them in the fitted rows.

    A context that was never seen gives way to the longest end of it that was. Words begin as rows' words do.
    """

    kind: Literal["ngram"] = "ngram"
    count: int = Field(ge=1, le=65_536)
    order: int = Field(ge=1, le=8)
    fit: Fit

    @property
    def symbols(self) -> int:
        return self.count

    @property
    def awaited(self) -> Unigrams | None:
        return self.fit.of.awaited

    def weighed(self, counts: Sequence[int]) -> Self:
        return self.model_copy(
            update={"fit": self.fit.model_copy(update={"of": self.fit.of.weighed(counts)})}
        )
