"""What a model takes for legal."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from procdsl.programs.measurements.base import HeldOutMeasurement


class GrammaticalityMeasurement(HeldOutMeasurement):
    """What a model takes for legal, over the scored positions of rows, and what it writes itself.

    `mass`: the probability of all symbols that some word goes on with, the end included; `argmax_legal`: how
    often the likeliest id is one of them. `accepted`: the share, of `words` words that the model writes, that
    are words. Of brackets, `mass/depth_*`: by how many are open; `mass/distance_*`: where one closes, by how
    far back its partner stands.
    """

    headline: ClassVar[str] = "mass"
    kind: Literal["grammaticality"] = "grammaticality"
    words: int = Field(ge=0)
