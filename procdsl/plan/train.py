"""A phase of training: what it feeds, when, and by which rules it changes and ends."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field

from procdsl.kinds import Node, later
from procdsl.plan.base import Operation
from procdsl.plan.models import COMPONENTS, Component, ModelShape, Vocabulary
from procdsl.programs.measurements.base import AnyMeasurement


class Feed(Node):
    """A source as one phase reads it: `source` is the id of a prepare or generate operation.

    `offset` is where reading starts: tokens into a corpus, rows into a generator.
    """

    source: str
    offset: int = Field(default=0, ge=0)


class Stage(Node):
    """A stretch of a phase with constant shares, one for each feed of the phase, summing to one."""

    steps: int = Field(gt=0)
    shares: tuple[float, ...]


class Optimiser(Node):
    """AdamW. `clip` bounds the gradient's global norm. `decay` says what is decayed: matrices, or all."""

    kind: Literal["adamw"] = "adamw"
    lr: float = Field(gt=0, le=10)
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    decay: Literal["matrices", "all"] = "matrices"
    clip: float | None = Field(default=1.0, gt=0)


Shape = Literal["constant", "cosine", "linear"]


class Schedule(Node):
    """The learning rate over the steps of a phase: linear warm-up, then the shape down to `floor` × lr."""

    kind: Shape = "constant"
    warmup: int = Field(default=0, ge=0)
    floor: float = Field(default=0.0, ge=0, le=1)

    def rate(self, peak: float, steps: int, step: int) -> float:
        """The rate of a step, counted from 0: warm-up ends at the peak, the shape after the last step.

        >>> [Schedule(kind="linear", warmup=2).rate(1.0, 6, i) for i in range(6)]
        [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]
        """
        if step < self.warmup:
            return peak * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, steps - self.warmup)
        if self.kind == "constant":
            return peak
        left = 1 - done if self.kind == "linear" else (1 + math.cos(math.pi * done)) / 2
        return peak * (self.floor + (1 - self.floor) * left)


class Stop(Node):
    """What ends a phase before its budget, or one of its values: `metric` of a measurement, taken after every
    `every` steps, is as good as `threshold` `patience` times in a row. It steers training: the key has it."""

    measurement: AnyMeasurement
    data_seed: int
    every: int = Field(gt=0)
    metric: str
    threshold: float
    lower_is_better: bool
    patience: int = Field(gt=0)

    def met(self, value: float) -> bool:
        """Whether one value is good enough; a number that is none never is."""
        return value <= self.threshold if self.lower_is_better else value >= self.threshold


class Thaw(Node):
    """From `step` on these components are trained, and no others."""

    step: int = Field(gt=0)
    trainable: tuple[Component, ...] = Field(min_length=1)


class Mastery(Node):
    """Feeds of a phase of which one is read at a time, at first the first, which has the share of them all.

    Each but the last has a rule, about held-out rows of its own, that has the next one read from then on.
    """

    feeds: tuple[int, ...] = Field(min_length=2)
    rules: tuple[Stop, ...] = Field(min_length=1)


class TrainOperation(Operation):
    """One phase of training. Every number in it changes the parameters that come out.

    `attention_entropy` times the mean entropy of the scored positions' attention rows (nats; positions, heads
    and layers alike) is added to the loss that is trained, and to none that is told.
    `ended` is the steps that were taken where `stop` ended it: known afterwards, and in no plan to carry out.
    """

    unkeyed: ClassVar[frozenset[str]] = frozenset({"id", "ended"})
    kind: Literal["train"] = "train"
    seed: int
    data_seed: int
    model: ModelShape
    vocabulary: Vocabulary
    start: str | None = None
    context: int = Field(gt=0)
    batch_rows: int = Field(gt=0)
    feeds: tuple[Feed, ...] = Field(min_length=1)
    stages: tuple[Stage, ...] = Field(min_length=1)
    optimiser: Optimiser
    schedule: Schedule
    precision: Literal["fp32", "bf16"] = "fp32"
    trainable: tuple[Component, ...] = COMPONENTS
    thaws: tuple[Thaw, ...] = later(())
    attention_entropy: float | None = later(None, gt=0)
    stop: Stop | None = later(None)
    mastery: tuple[Mastery, ...] = later(())
    ended: int | None = later(None)

    def inputs(self) -> tuple[str, ...]:
        rules = ([self.stop] if self.stop else []) + [rule for group in self.mastery for rule in group.rules]
        sources = (feed.source for feed in self.feeds)
        named = (self.start, self.vocabulary.text, *sources, *(rule.measurement.source for rule in rules))
        return tuple(dict.fromkeys(id for id in named if id))

    def trainable_at(self, step: int) -> tuple[Component, ...]:
        """The components that are trained in a step, counted from 0."""
        return next((thaw.trainable for thaw in reversed(self.thaws) if thaw.step <= step), self.trainable)

    @property
    def steps(self) -> int:
        """The steps of the budget, or those that were taken where that is known."""
        return sum(stage.steps for stage in self.stages) if self.ended is None else self.ended

    def ends(self, met: int) -> bool:
        """Whether the phase ends where its rule was met so often in a row."""
        return self.stop is not None and met >= self.stop.patience

    @property
    def tokens(self) -> int:
        """Positions fed over the whole phase, prompts and padding included."""
        return self.steps * self.batch_rows * self.context
