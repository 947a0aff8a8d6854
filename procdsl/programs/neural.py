"""Neural cellular automata."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.kinds import Node, later
from procdsl.programs.base import Program


class Pool(Node):
    """Networks that rows share, as Lee et al. 2026 draw them: row i has number i mod `rules` of its part's.

    Their weights are normal and cut off at two deviations. Channels wrap as cells do: the last state is seen
    once more before the first, the first once more behind the last. Each is drawn until `gzip -9` makes
    `least` to `most` bytes of the patches, four bytes each, of `frames` frames from a start of its own.
    """

    rules: int = Field(ge=1, le=2**20)
    frames: int = Field(default=10, ge=1)
    least: int = Field(ge=0)
    most: int


class NeuralProgram(Program):
    """Cells of `states` states on a torus, changed together by a small random network of the row's own.

    The network: one-hot states of the 3 × 3 cells around, to `channels` sums, to `hidden` rectified sums, to
    a sum for each state, the greatest of which is next, the first of equals. It has no biases, so that the
    scale of its weights does not matter: they are whole numbers, nearly normal. The start's cells are
    independent, of shares that the row draws too. Networks are drawn until their first change of frame 0 is
    one of `activity` cells or more. From one frame to the next there are `ahead` changes. A token is a patch
    of cells, its first the highest digit; after each frame comes a token of its own; then padding. Frame 0 is
    what is hashed; it is scored only if `scores_first`.

    With a `pool` shares are those of normal logits, and another token, with the id before, begins each frame.
    The row ends before its last frame does, and the first one's end is followed by one more unscored token.
    """

    kind: Literal["neural"] = "neural"
    states: int = Field(ge=2, le=16)
    channels: int = Field(ge=1, le=64)
    hidden: int = Field(ge=1, le=256)
    height: int = Field(ge=1)
    width: int = Field(ge=1)
    patch: tuple[int, int] = (1, 1)
    steps: int = Field(ge=1)
    burn_in: int = Field(default=0, ge=0)
    activity: int = Field(default=0, ge=0)
    scores_first: bool = False
    pool: Pool | None = later(None)
    ahead: int = later(1, ge=1)

    @property
    def frame(self) -> int:
        """How many tokens a frame is, those that begin and end it included."""
        patches = (self.height // self.patch[0]) * (self.width // self.patch[1])
        return patches + (1 if self.pool is None else 2)

    @property
    def row(self) -> int:
        """How many tokens a row is, without its padding."""
        return self.frame * (self.steps + 1) - (self.pool is not None)

    @property
    def unscored(self) -> int:
        """How many of them come before the first that is scored."""
        return 1 if self.scores_first else self.frame + (self.pool is not None)

    @property
    def symbols(self) -> int:
        """How many ids patches have."""
        return int(self.states ** (self.patch[0] * self.patch[1]))
