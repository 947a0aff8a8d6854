"""The rule that may end a phase early: looked at after the steps it names, decided once for all processes."""

from __future__ import annotations

import math

import torch

from procdsl.plan import TrainOperation
from runner.devices import World, told_by_first
from runner.events import Event, Observer
from runner.measure import Measures
from runner.model import Transformer
from runner.record import Counters
from runner.tracking.journal import Journal


class Steering:
    """Counts in `counters` how often in a row the rule was met, which is what a checkpoint holds of it."""

    def __init__(
        self,
        operation: TrainOperation,
        measures: Measures,
        counters: Counters,
        world: World,
        device: torch.device,
        journal: Journal | None,
        observe: Observer,
    ) -> None:
        self.operation, self.rule, self.measures, self.counters = (
            operation,
            operation.stop,
            measures,
            counters,
        )
        self.world, self.device, self.journal, self.observe = world, device, journal, observe

    def look(self, model: Transformer, step: int) -> None:
        """Measure after `step` steps, if the rule is looked at there, and count."""
        if self.rule is None or step % self.rule.every:
            return
        met, value = 0, math.nan
        if self.journal is not None:
            value = self.measures.value(self.rule, model, step)
            met = self.counters.met + 1 if self.rule.met(value) else 0
        self.counters.met = told_by_first(self.world, self.device, met)
        if self.journal is not None:
            told = value if math.isfinite(value) else str(value)
            self.journal.event("looked", s=step, metric=self.rule.metric, value=told, met=met)
        if self.operation.ends(self.counters.met):
            text = f"{self.operation.id} ends after step {step:,} of at most {self.operation.steps:,}"
            reason = f"{self.rule.metric} reached {self.rule.threshold:g}"
            self.observe(Event("note", self.operation.id, {"text": f"{text}: {reason}"}))
