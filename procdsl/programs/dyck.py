"""Brackets that nest."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.kinds import later
from procdsl.programs.base import WordProgram


class DyckProgram(WordProgram):
    """Words of k-Dyck. Ids: opening bracket of type t is t, its closing one k + t.

    `uniform`: every word of the length (and depth) alike. `process`: the walk of Jiang et al. 2026: opens
    with probability `p_open` (over 2**64) where it may, closes what is left when the end is near. Only words
    more than `beyond` deep, if that is given: either measure conditioned on them.
    """

    kind: Literal["dyck"] = "dyck"
    k: int = Field(ge=1, le=65_536)
    depth: int | None = Field(default=None, ge=1)
    beyond: int | None = later(None, ge=1)
    measure: Literal["uniform", "process"] = "uniform"
    p_open: int = Field(default=2**63, ge=0, lt=2**64)

    @property
    def symbols(self) -> int:
        return 2 * self.k
