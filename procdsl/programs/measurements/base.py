"""What measurements share: the source they are about, and the rows of it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from procdsl.kinds import ByKind, Node
from procdsl.programs.base import SplitName


class Measurement(Node):
    """What a model is asked on `source`. `headline` is the number to look at first."""

    headline: ClassVar[str] = "loss"
    source: str
    kind: str

    @property
    def unkeyed(self) -> frozenset[str]:
        """The fields that bear no identity."""
        return frozenset()


class HeldOutMeasurement(Measurement):
    """What a model is asked on the first `rows` of a part of the source."""

    split: SplitName = "validation"
    rows: int = Field(gt=0)


# The type of a field that holds any measurement.
AnyMeasurement = Annotated[Measurement, ByKind()]
