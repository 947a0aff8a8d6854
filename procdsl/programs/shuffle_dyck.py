"""Brackets of several types, each balanced by itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.kinds import later
from procdsl.programs.base import WordProgram


class ShuffleDyckProgram(WordProgram):
    """Words of k-shuffle-Dyck: k kinds of brackets, each balanced by itself. Ids as in `DyckProgram`.

    `uniform`: every word of the length (and total depth) alike. `process`: the walk of Hu et al. 2025, which
    closes a type drawn evenly among the open ones; at the end it closes what is open (`closed`), or it is
    cut where it stands, as published. `beyond` as in `DyckProgram`, of the total depth.
    """

    kind: Literal["shuffle_dyck"] = "shuffle_dyck"
    k: int = Field(ge=1, le=65_536)
    depth: int | None = Field(default=None, ge=1)
    beyond: int | None = later(None, ge=1)
    measure: Literal["uniform", "process"] = "uniform"
    p_open: int = Field(default=2**63, ge=0, lt=2**64)
    closed: bool = True

    @property
    def symbols(self) -> int:
        return 2 * self.k
