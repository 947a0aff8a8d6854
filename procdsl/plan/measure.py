"""An evaluation, made."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from procdsl.plan.base import Operation
from procdsl.programs.measurements.base import AnyMeasurement


class MeasureOperation(Operation):
    """An evaluation of the parameters a train operation has after some of its steps."""

    unkeyed: ClassVar[frozenset[str]] = frozenset({"id", "steps", "name"})
    kind: Literal["measure"] = "measure"
    name: str
    train: str
    data_seed: int
    measurement: AnyMeasurement
    steps: tuple[int, ...] = Field(min_length=1)

    def inputs(self) -> tuple[str, ...]:
        return (self.train, self.measurement.source)

    def identity(self) -> dict[str, Any]:
        content = super().identity()
        for name in self.measurement.unkeyed:
            del content["measurement"][name]
        return content
