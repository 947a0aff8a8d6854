"""The measurements of a phase, taken when they are due."""

from __future__ import annotations

import math
from pathlib import Path

from procdsl.plan import MeasureOperation, Stop
from runner.measures import Measuring, Setting, prepared, taken
from runner.model import Transformer
from runner.phase import Phase
from runner.store import read_table, write_json
from runner.tracking.journal import Journal


class Measures:
    """The measurements of one train operation, each at its steps; what is stored is not taken again."""

    def __init__(self, phase: Phase, journal: Journal | None) -> None:
        self.phase, self.journal = phase, journal
        self._folder = phase.place / "measurements"
        self._made: dict[str, Measuring] = {}
        self._newest: dict[str, tuple[int, dict[str, float]]] = {}
        self._lacking: dict[int, list[MeasureOperation]] = {}
        self._all = phase.plan.measures(phase.operation.id)
        for measure in self._all:
            there = self._stored(measure)
            for step in measure.steps:
                if str(step) not in there:
                    self._lacking.setdefault(step, []).append(measure)

    def due(self, step: int) -> bool:
        return step in self._lacking

    def end(self, model: Transformer, step: int) -> None:
        """Take after the last step what was planned for later ones, and is not there."""
        later = [measure for at, measures in self._lacking.items() if at >= step for measure in measures]
        wanted = {measure.id: measure for measure in later if str(step) not in self._stored(measure)}
        self._lacking = {step: list(wanted.values())}
        self.take(model, step)

    def value(self, rule: Stop, model: Transformer, step: int) -> float:
        """The metric that a rule watches: of the same measurement where one was just taken."""
        wanted = {
            "train": self.phase.operation.id,
            "data_seed": rule.data_seed,
            "measurement": rule.measurement,
        }
        own = MeasureOperation(id=f"rule {rule.measurement!r}", name="rule", steps=(step,), **wanted)
        same = (m for m in self._all if (m.measurement, m.data_seed) == (rule.measurement, rule.data_seed))
        return float(self._metrics(next(same, own), model, step).get(rule.metric, math.nan))

    def take(self, model: Transformer, step: int) -> None:
        """Take what is due after `step` steps: into its file, the journal, and to whoever watches."""
        measures = self._lacking.pop(step, []) if self.journal is not None else []
        for measure in measures:
            metrics = self._metrics(measure, model, step)
            write_json(self._path(measure), self._stored(measure) | {str(step): metrics})
            assert self.journal is not None
            told = {f"eval/{measure.name}/{name}": value for name, value in metrics.items()}
            self.journal.log(step, self.phase.tokens(step), told)
            self.phase.tell("measured", name=measure.name, step=step, metrics=metrics)

    def _metrics(self, measure: MeasureOperation, model: Transformer, step: int) -> dict[str, float]:
        """What a measurement gives after `step` steps, taken once."""
        if self._newest.get(measure.id, (None,))[0] != step:
            phase = self.phase
            setting = Setting(phase.plan, measure, phase.operation, phase.store, phase.execution)
            if measure.id not in self._made:
                self._made[measure.id] = prepared(setting)
            self._newest[measure.id] = step, taken(self._made[measure.id], model, setting)
        return self._newest[measure.id][1]

    def _path(self, measure: MeasureOperation) -> Path:
        return self._folder / f"{self.phase.plan.key(measure.id)}.json"

    def _stored(self, measure: MeasureOperation) -> dict[str, dict[str, float]]:
        return read_table(self._path(measure))
