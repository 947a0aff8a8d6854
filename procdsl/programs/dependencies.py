"""Words whose symbols come in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field

from procdsl.kinds import later
from procdsl.programs.base import Lengths, Unigrams, WordProgram, thresholds


class DependencyProgram(WordProgram):
    """Words whose symbols depend on one another in pairs: nested, at drawn distances, or some of each.

    A position that is not taken yet opens a pair at a drawn distance with probability `crossing` (over
    2**64), else opens one that nests with `p_open` (over 2**64), else closes the one that was opened last.
    `distances` are drawn among the free places; failing these the partner's is the nearest one. Not `closed`:
    the walk of Papadimitriou & Jurafsky 2023, which looks two places about it for a free one, gives up
    there, and is cut where it stands. Types are drawn by `thresholds` or `unigrams` as in `IidProgram`; the
    partner of type t is t itself, or `count` + t if `paired`.
    """

    kind: Literal["dependencies"] = "dependencies"
    count: int = Field(ge=1, le=2**20)
    thresholds: tuple[int, ...] = ()
    paired: bool = True
    crossing: int = Field(ge=0, le=2**64)
    p_open: int = Field(default=2**63, ge=0, le=2**64)
    distances: Lengths
    closed: bool = True
    unigrams: Unigrams | None = later(None)

    @property
    def symbols(self) -> int:
        return self.count * (1 + self.paired)

    @property
    def awaited(self) -> Unigrams | None:
        return self.unigrams

    def weighed(self, counts: Sequence[int]) -> Self:
        return self.model_copy(update={"thresholds": thresholds(self.count, counts), "unigrams": None})
