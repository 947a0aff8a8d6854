"""Lists that stand twice."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from procdsl.programs.measurements.base import Measurement


class RetrievalMeasurement(Measurement):
    """Verbatim retrieval of a list that stands twice in text: `first` and `second`, its mean losses in nats.

    A row: the document separator, `items` different tokens drawn from held-out text, `between` tokens of that
    text, the same list. `ratio` is `second` over `first`; `whole` the mean loss of all positions;
    `second/item_*` the losses by place in the list, from 1.
    """

    headline: ClassVar[str] = "ratio"
    kind: Literal["retrieval"] = "retrieval"
    rows: int = Field(gt=0)
    items: int = Field(gt=0)
    between: int = Field(ge=0)
