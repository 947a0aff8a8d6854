"""Where heads look."""

from __future__ import annotations

from typing import ClassVar, Literal

from procdsl.programs.measurements.base import HeldOutMeasurement


class AttentionMeasurement(HeldOutMeasurement):
    """Where heads look, in rows of a source: of every head, `<metric>/l0h0` (layer and head from 0).

    `entropy`, in nats, the mean over positions; `previous`, the mass on the position before; `bracket`, in
    rows of brackets, what one that closes puts on its partner; `induction`, in rows of `source`'s ids drawn
    evenly and then repeated, what the second time puts on the position behind the same id's first. By itself,
    `entropy` is the mean over all heads, the others are the greatest head's.
    """

    headline: ClassVar[str] = "induction"
    kind: Literal["attention"] = "attention"
