"""Questions and answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.plan.sources.base import PublishedSource


class ProblemsSource(PublishedSource):
    """Problems in the folder layout of DeepMind's mathematics: a file for each part and module.

    Without a path they are made here. Rows begin with a whole problem, each in `row` positions by itself or,
    with `pack`, as many as fit; what is left is padding.
    """

    kind: Literal["problems"] = "problems"
    parts: tuple[str, ...] = Field(min_length=1)
    modules: tuple[str, ...] = Field(min_length=1)
    row: int = Field(gt=0)
    pack: bool

    def spelt(self) -> str:
        return self.path or "generated problems"
