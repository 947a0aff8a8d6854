"""How a phase is trained: batch, optimiser, schedule, precision; and what a phase may change."""

from __future__ import annotations

from typing import Literal, TypeVar

from pydantic import Field

from procdsl.language.base import Spec
from procdsl.language.quantities import Quantity, Stretch
from procdsl.plan import Shape

S = TypeVar("S", bound=Spec)
_NO_WARMUP = Quantity.model_validate({"amount": 0, "unit": "steps"})


class OptimiserSpec(Spec):
    """AdamW. `clip` bounds the gradient's global norm, 0 does not; `decay` says what is decayed."""

    kind: Literal["adamw"] = "adamw"
    lr: float = Field(gt=0, le=10)
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = Field(default=1e-8, gt=0, le=1)
    weight_decay: float = Field(default=0.0, ge=0, le=10)
    decay: Literal["matrices", "all"] = "matrices"
    clip: float = Field(default=1.0, ge=0, le=1e6)


class ScheduleSpec(Spec):
    """The learning rate over a phase: linear `warmup`, then the shape down to `floor` times the rate."""

    kind: Shape
    warmup: Stretch = _NO_WARMUP
    floor: float = Field(default=0.0, ge=0, le=1)


class TrainingSpec(Spec):
    """Defaults for every phase. The batch is told in tokens (positions fed) or in rows.

    `attention_entropy` sharpens attention, as a control: so many times the mean entropy of the attention rows
    of scored positions, in nats, is added to the loss; heads and layers count alike; 0 adds nothing.
    """

    batch_tokens: int | None = Field(default=None, ge=1, le=2**31)
    batch_rows: int | None = Field(default=None, ge=1, le=2**24)
    optimiser: OptimiserSpec
    schedule: ScheduleSpec
    precision: Literal["fp32", "bf16"] = "fp32"
    attention_entropy: float = Field(default=0.0, ge=0, le=1e6)


class OptimiserChange(OptimiserSpec):
    """What one phase's optimiser has otherwise; the keys that are written count, the rest stay."""

    lr: float = Field(default=1e-3, gt=0, le=10)


class ScheduleChange(ScheduleSpec):
    """What one phase's schedule has otherwise."""

    kind: Shape = "constant"


class TrainingChange(Spec):
    """What one phase's training has otherwise."""

    batch_tokens: int | None = Field(default=None, ge=1, le=2**31)
    batch_rows: int | None = Field(default=None, ge=1, le=2**24)
    optimiser: OptimiserChange | None = None
    schedule: ScheduleChange | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    attention_entropy: float = Field(default=0.0, ge=0, le=1e6)


def changed(base: S, change: Spec | None) -> S:
    """`base` with the keys that `change` writes, tables inside it key by key."""
    if change is None:
        return base
    update = {name: _part(base, change, name) for name in change.model_fields_set}
    return base.model_copy(update=update)


def training_of(base: TrainingSpec, change: TrainingChange | None) -> TrainingSpec:
    """A phase's training: a batch it sets in rows replaces one in tokens, and the other way round."""
    merged = changed(base, change)
    if change is not None and change.batch_rows is not None:
        return merged.model_copy(update={"batch_tokens": None})
    if change is not None and change.batch_tokens is not None:
        return merged.model_copy(update={"batch_rows": None})
    return merged


def _part(base: Spec, change: Spec, name: str) -> object:
    old, new = getattr(base, name), getattr(change, name)
    return changed(old, new) if isinstance(old, Spec) and isinstance(new, Spec) else new
