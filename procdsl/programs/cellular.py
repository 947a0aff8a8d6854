"""Cellular automata of two states."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from procdsl.kinds import later
from procdsl.programs.base import Program


class CellularProgram(Program):
    """Cells that are 0 or 1, drawn and then changed together by a rule of the row's own, frame by frame.

    A `line`'s rule has a bit for each neighbourhood, left cell first (Wolfram); a `grid`'s bit n says what a
    0 beside n ones becomes, bit 9 + n what a 1 does. Beyond the border lies the other side (`wraps`) or
    zeros. A token is a patch of cells, its first the highest bit; after each frame comes a token of its own,
    if `separated`; then padding. Frame 0, after `burn_in` changes, is what is hashed; it is scored only if
    `scores_first`. From one frame to the next there are `ahead` changes.
    """

    told_by: ClassVar[str] = "first frame"
    kind: Literal["cellular"] = "cellular"
    shape: Literal["line", "grid"]
    rules: tuple[Annotated[int, Field(ge=0, lt=2**18)], ...] = Field(min_length=1)
    height: int = Field(ge=1)
    width: int = Field(ge=1)
    patch: tuple[int, int] = (1, 1)
    steps: int = Field(ge=1)
    burn_in: int = Field(default=0, ge=0)
    wraps: bool = True
    density: int = Field(ge=0, le=2**32)
    separated: bool = True
    scores_first: bool = False
    ahead: int = later(1, ge=1)

    @property
    def frame(self) -> int:
        """How many tokens a frame is, its separator included."""
        patches = (self.height // self.patch[0]) * (self.width // self.patch[1])
        return patches + self.separated

    @property
    def symbols(self) -> int:
        """How many ids patches have."""
        return int(2 ** (self.patch[0] * self.patch[1]))
