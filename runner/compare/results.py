"""What the store holds of a study: every trial's curves, finals and facts, and what is still missing.

Reads the bound plan, the measurements beside each train operation, its journal and its DONE.json; nothing is
computed here but how many tokens a trial had been fed when a number was measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

from procdsl.plan import MeasureOperation, Plan, PrepareOperation, Stage, TrainOperation, Trial
from runner.batches import row_counts
from runner.store import Store, read_json
from runner.tracking import journal

# Enough for a line on a page; a journal holds thousands.
_TRAIN_POINTS = 200


@dataclass(frozen=True, slots=True)
class Point:
    """A number, and what the trial had been fed since it began. `step` counts inside `phase`."""

    phase: str
    step: int
    text: int
    procedural: int
    value: float

    @property
    def total(self) -> int:
        return self.text + self.procedural


@dataclass(frozen=True, slots=True)
class PhaseFacts:
    """How a phase was carried out, as DONE.json says; empty while it is not finished."""

    phase: str
    key: str
    finished: bool
    inexact: bool
    facts: dict[str, Any]


@dataclass(frozen=True)
class TrialResult:
    """All that is known of one trial. Finals are the values at the end of its last measured phase."""

    curriculum: str
    seed: int
    text_tokens: int
    procedural_tokens: int
    curves: dict[str, tuple[Point, ...]] = field(default_factory=dict)
    finals: dict[str, float] = field(default_factory=dict)
    training: tuple[Point, ...] = ()
    phases: tuple[PhaseFacts, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        return not self.missing


def gather(plan: Plan, store: Store) -> tuple[TrialResult, ...]:
    """The results of every trial, in the order of the plan."""
    return tuple(_Reader(plan, store).trial(trial) for trial in plan.trials)


def strays(plan: Plan, store: Store) -> tuple[str, ...]:
    """Readable names in the study's folder that lead to results of another version of the study."""
    folder = store.root / "studies" / plan.study
    current = {store.path("train", plan.key(phase.train)).name for t in plan.trials for phase in t.phases}
    links = sorted(path for path in folder.glob("*/s*/*") if path.is_symlink())
    return tuple(str(path.relative_to(folder)) for path in links if path.readlink().name not in current)


class _Reader:
    """Reads each file once: arms that share a prefix share its objects."""

    def __init__(self, plan: Plan, store: Store) -> None:
        self.plan, self.store = plan, store
        self._done: dict[str, PhaseFacts] = {}
        self._training: dict[str, list[tuple[int, float]]] = {}

    def trial(self, trial: Trial) -> TrialResult:
        curves: dict[str, list[Point]] = {}
        finals: dict[str, float] = {}
        missing: list[str] = []
        training: list[Point] = []
        before = (0, 0)
        for phase in trial.phases:
            operation = cast(TrainOperation, self.plan.by_id[phase.train])
            if not self._phase(phase.name, phase.train).finished:
                missing.append(f"phase {phase.name} is not finished")
            training += [
                _point(operation, self.plan, phase.name, before, step, value)
                for step, value in self._losses(phase.train)
            ]
            for measure in self._measures(trial, phase.train):
                found = self._values(measure)
                absent = [step for step in measure.steps if step not in found]
                if absent:
                    missing.append(
                        f"{measure.name} in phase {phase.name}: {len(absent)} of {len(measure.steps)} evaluations"
                    )
                for step in sorted(set(measure.steps) & set(found)):
                    for name, value in found[step].items():
                        point = _point(operation, self.plan, phase.name, before, step, value)
                        curves.setdefault(f"{measure.name}/{name}", []).append(point)
                # A later phase overrules an earlier one, also while its own end is not there yet.
                for metric in [metric for metric in finals if metric.startswith(f"{measure.name}/")]:
                    del finals[metric]
                last = found.get(operation.steps, {})
                finals |= {f"{measure.name}/{name}": v for name, v in last.items() if math.isfinite(v)}
                missing += [
                    f"{measure.name}/{name} ended at {v}" for name, v in last.items() if not math.isfinite(v)
                ]
            before = before[0] + phase.text_tokens, before[1] + phase.procedural_tokens
        return TrialResult(
            curriculum=trial.curriculum,
            seed=trial.seed,
            text_tokens=before[0],
            procedural_tokens=before[1],
            curves={name: tuple(points) for name, points in curves.items()},
            finals=finals,
            training=tuple(training),
            phases=tuple(self._phase(phase.name, phase.train) for phase in trial.phases),
            missing=tuple(missing),
        )

    def _measures(self, trial: Trial, train: str) -> Iterator[MeasureOperation]:
        for id in trial.measures:
            operation = cast(MeasureOperation, self.plan.by_id[id])
            if operation.train == train:
                yield operation

    def _values(self, measure: MeasureOperation) -> dict[int, dict[str, float]]:
        place = self.store.path("train", self.plan.key(measure.train)) / "measurements"
        path = place / f"{self.plan.key(measure.id)}.json"
        found = read_json(path) if path.exists() else {}
        return {int(step): dict(_numbers(values)) for step, values in found.items()}

    def _phase(self, name: str, train: str) -> PhaseFacts:
        if train not in self._done:
            key = self.plan.key(train)
            facts = self.store.done("train", key)
            path = self.store.path("train", key) / "journal.jsonl"
            inexact = any(record.get("e") == "inexact" for record in journal.read(path))
            self._done[train] = PhaseFacts(name, key, facts is not None, inexact, facts or {})
        return self._done[train]

    def _losses(self, train: str) -> list[tuple[int, float]]:
        """The training loss of an operation, each step once (a replay that differed wins), thinned."""
        if train not in self._training:
            path = self.store.path("train", self.plan.key(train)) / "journal.jsonl"
            found: dict[int, float] = {}
            for record in journal.read(path):
                value = record.get("m", {}).get("train/loss")
                if value is not None and math.isfinite(value):
                    found[record["s"]] = value
            steps = sorted(found)
            every = max(1, math.ceil(len(steps) / _TRAIN_POINTS))
            self._training[train] = [(step, found[step]) for step in steps[::every]]
        return self._training[train]


def _numbers(values: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The plain numbers among a measurement's values; "nan" and "inf" are written as words."""
    for name, value in values.items():
        if (isinstance(value, str) and value in ("nan", "inf", "-inf")) or (
            isinstance(value, (int, float)) and not isinstance(value, bool)
        ):
            yield name, float(value)


def _point(
    operation: TrainOperation, plan: Plan, phase: str, before: tuple[int, int], step: int, value: float
) -> Point:
    text = text_tokens(operation, plan, step)
    fed = step * operation.batch_rows * operation.context
    return Point(phase, step, before[0] + text, before[1] + fed - text, value)


def text_tokens(operation: TrainOperation, plan: Plan, step: int) -> int:
    """Positions of text that a phase is fed in its first `step` steps."""
    is_text = [isinstance(plan.by_id[feed.source], PrepareOperation) for feed in operation.feeds]
    fed = step * operation.batch_rows * operation.context
    if all(is_text) or not any(is_text):
        return fed if all(is_text) else 0
    rows = _row_counts(operation.stages, operation.batch_rows)[step]
    return sum(int(n) for n, text in zip(rows, is_text, strict=True) if text) * operation.context


@lru_cache(maxsize=16)
def _row_counts(stages: tuple[Stage, ...], batch_rows: int) -> Any:
    return row_counts(stages, batch_rows)
