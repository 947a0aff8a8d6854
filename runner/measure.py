"""The measurements of a phase, taken when they are due."""

from __future__ import annotations

import math
from pathlib import Path

from procdsl.plan import MeasureOperation, Plan, Stop, TrainOperation
from runner.events import Event, Observer
from runner.execution import Execution
from runner.measures import Measuring, Setting, prepared, taken
from runner.model import Transformer
from runner.store import Store, read_table, write_json
from runner.tracking.journal import Journal


class Measures:
    """The measurements of one train operation, each at its steps; what is stored is not taken again."""

    def __init__(
        self,
        plan: Plan,
        operation: TrainOperation,
        store: Store,
        place: Path,
        execution: Execution,
        journal: Journal | None,
        observe: Observer,
    ) -> None:
        self.plan, self.operation, self.store, self.execution = plan, operation, store, execution
        self.folder, self.journal, self.observe = place / "measurements", journal, observe
        self._made: dict[str, Measuring] = {}
        self._newest: dict[str, tuple[int, dict[str, float]]] = {}
        self._lacking: dict[int, list[MeasureOperation]] = {}
        self._all = plan.measures(operation.id)
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
        wanted = {"train": self.operation.id, "data_seed": rule.data_seed, "measurement": rule.measurement}
        own = MeasureOperation(id=f"rule {rule.measurement!r}", name="rule", steps=(step,), **wanted)
        same = (m for m in self._all if (m.measurement, m.data_seed) == (rule.measurement, rule.data_seed))
        return float(self._metrics(next(same, own), model, step).get(rule.metric, math.nan))

    def take(self, model: Transformer, step: int) -> None:
        """Take what is due after `step` steps: into its file, the journal, and to whoever watches."""
        measures = self._lacking.pop(step, []) if self.journal is not None else []
        tokens = step * self.operation.batch_rows * self.operation.context
        for measure in measures:
            metrics = self._metrics(measure, model, step)
            self.folder.mkdir(exist_ok=True)
            write_json(self._path(measure), self._stored(measure) | {str(step): metrics})
            assert self.journal is not None
            self.journal.log(
                step, tokens, {f"eval/{measure.name}/{name}": value for name, value in metrics.items()}
            )
            self.observe(
                Event("measured", self.operation.id, {"name": measure.name, "step": step, "metrics": metrics})
            )

    def _metrics(self, measure: MeasureOperation, model: Transformer, step: int) -> dict[str, float]:
        """What a measurement gives after `step` steps, taken once."""
        if self._newest.get(measure.id, (None,))[0] != step:
            setting = Setting(self.plan, measure, self.operation, self.store, self.execution)
            if measure.id not in self._made:
                self._made[measure.id] = prepared(setting)
            self._newest[measure.id] = step, taken(self._made[measure.id], model, setting)
        return self._newest[measure.id][1]

    def _path(self, measure: MeasureOperation) -> Path:
        return self.folder / f"{self.plan.key(measure.id)}.json"

    def _stored(self, measure: MeasureOperation) -> dict[str, dict[str, float]]:
        return read_table(self._path(measure))
