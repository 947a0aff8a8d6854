"""Rules that steer a phase: when it ends early, and when the next value of a grammar is read.

Looked at after the steps they name, decided once for all processes; what came of it is in the counters, which
a checkpoint holds, and each look is in the journal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from procdsl.plan import Stop
from runner import batches, mastery
from runner.devices import told_by_first
from runner.measure import Measures
from runner.model import Transformer
from runner.phase import Phase
from runner.record import Counters
from runner.tracking.journal import Journal


@dataclass(frozen=True)
class Steering:
    """The rules of one phase. `counts`, the rows before each step, change where something is mastered."""

    phase: Phase
    counts: NDArray[np.int64]
    measures: Measures
    counters: Counters
    journal: Journal | None

    def look(self, model: Transformer, step: int) -> None:
        """Measure after `step` steps what the rules watch, if any is looked at there, and decide."""
        counters, operation = self.counters, self.phase.operation
        for number, (group, steps) in enumerate(zip(operation.mastery, counters.mastered, strict=True)):
            if len(steps) == len(group.rules) or step % (rule := group.rules[len(steps)]).every:
                continue
            counters.mastering[number] = self._met(rule, counters.mastering[number], model, step)
            if counters.mastering[number] >= rule.patience:
                self._advance(number, step)
        if operation.stop is not None and step % operation.stop.every == 0:
            counters.met = self._met(operation.stop, counters.met, model, step)
            if operation.ends(counters.met):
                reason = f"{operation.stop.metric} reached {operation.stop.threshold:g}"
                self._tell(f"ends after step {step:,} of at most {operation.steps:,}: {reason}")

    def _met(self, rule: Stop, before: int, model: Transformer, step: int) -> int:
        """How often in a row the rule is met now."""
        if self.journal is None:
            return told_by_first(self.phase.world, self.phase.device, 0)
        value = self.measures.value(rule, model, step)
        met = told_by_first(self.phase.world, self.phase.device, before + 1 if rule.met(value) else 0)
        source = self.phase.plan.by_id[rule.measurement.source]
        told = value if math.isfinite(value) else str(value)
        self.journal.event(
            "looked", s=step, on=getattr(source, "name", source.id), metric=rule.metric, value=told, met=met
        )
        return met

    def _advance(self, number: int, step: int) -> None:
        """From this step on read the next value of a group."""
        group, steps = self.phase.operation.mastery[number], self.counters.mastered[number]
        steps.append(step)
        self.counters.mastering[number] = 0
        planned = batches.planned(self.phase.operation)
        np.copyto(self.counts, mastery.laid(planned, self.phase.operation.mastery, self.counters.mastered))
        names = batches.names(self.phase.plan, self.phase.operation)
        before, after = (names[feed] for feed in group.feeds[len(steps) - 1 : len(steps) + 1])
        if self.journal is not None:
            self.journal.event("mastered", s=step, before=before, after=after)
        self._tell(f"reads {after} after step {step:,}: {before} is mastered")

    def _tell(self, text: str) -> None:
        self.phase.tell("note", text=f"{self.phase.operation.id} {text}")
