"""Symbols that are independent of each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field

from procdsl.kinds import later
from procdsl.programs.base import Unigrams, WordProgram, thresholds


class IidProgram(WordProgram):
    """Independent symbols: `count` of them, alike, or by thresholds of their cumulated probabilities.

    Symbol i is drawn when a word of 32 bits is under thresholds[i] and under none before it. With `unigrams`
    the thresholds are not known yet: `weighed` sets them.
    """

    kind: Literal["iid"] = "iid"
    count: int = Field(ge=1, le=2**24)
    thresholds: tuple[int, ...] = ()
    unigrams: Unigrams | None = later(None)

    @property
    def symbols(self) -> int:
        return self.count

    @property
    def awaited(self) -> Unigrams | None:
        return self.unigrams

    def weighed(self, counts: Sequence[int]) -> Self:
        return self.model_copy(update={"thresholds": thresholds(self.count, counts), "unigrams": None})
