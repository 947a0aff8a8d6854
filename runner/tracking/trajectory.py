"""A trial's whole trajectory: its phases laid end to end on one axis, tokens fed since its model was fresh.

An operation is journalled once, with its own steps, however many trials share it. Here its points are
moved to where they stand in one trial's life; their times stay those of the measuring, so that a point
delivered twice is one point.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from procdsl.plan import MeasureOperation, Plan, TrainOperation, Trial, digest
from runner.shares import text_tokens
from runner.store import Store, read_json
from runner.tracking.journal import records

# MLflow allows more, but not on every system, and the user interface reads every slash as a section.
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_./ -]")
_LONGEST = 250


class Point(NamedTuple):
    """One number of a trial: `step` counts tokens fed since its model was fresh, `time` milliseconds."""

    name: str
    value: float
    time: int
    step: int


@dataclass(frozen=True)
class Leg:
    """One phase as part of one trial: where it begins, and where its operation's output lies."""

    index: int
    phase: str
    operation: TrainOperation
    key: str
    place: Path
    tokens_before: int
    steps_before: int
    text_before: int

    @property
    def journal(self) -> Path:
        return self.place / "journal.jsonl"

    @property
    def finished(self) -> bool:
        return (self.place / "DONE.json").exists()

    @property
    def settled(self) -> bool:
        """Whether it is known where the phase ends: at its budget, or where a rule ended it."""
        return self.operation.stop is None or self.operation.ended is not None


class Measured(NamedTuple):
    """The metrics of one evaluation after `step` steps of a leg."""

    leg: Leg
    measure: MeasureOperation
    key: str
    step: int
    metrics: dict[str, float]


def name_of(trial: Trial) -> str:
    """A trial's name in every list: `dyck-s0`."""
    return f"{trial.curriculum}-s{trial.seed}"


def identity(plan: Plan, trial: Trial, store_id: str) -> str:
    """What makes a trial's MLflow run the same one: the store, its name, the keys of its training."""
    phases = [[phase.name, plan.key(phase.train)] for phase in trial.phases]
    return digest([store_id, plan.study, trial.curriculum, trial.seed, phases])


def legs(plan: Plan, trial: Trial, store: Store) -> tuple[Leg, ...]:
    """The trial's phases in order, each with all that was fed before it, in other curricula's phases too."""
    found: list[Leg] = []
    before: dict[str, TrainOperation] = {}
    for index, phase in enumerate(trial.phases):
        *origins, operation = (plan.operation(id, TrainOperation) for id in plan.origins(phase.train))
        before |= {origin.id: origin for origin in origins}
        tokens = sum(one.tokens for one in before.values())
        steps = sum(one.steps for one in before.values())
        text = sum(text_tokens(plan, one, one.steps) for one in before.values())
        key = plan.key(phase.train)
        found.append(Leg(index, phase.name, operation, key, store.path("train", key), tokens, steps, text))
        before[operation.id] = operation
    return tuple(found)


def placed(course: tuple[Leg, ...]) -> tuple[Leg, ...]:
    """The legs of which it is known where they begin."""
    return course[: next((leg.index + 1 for leg in course if not leg.settled), None)]


def points(plan: Plan, leg: Leg, record: Mapping[str, Any]) -> Iterator[Point]:
    """The points of one journal record; with a training point goes where the trial stands."""
    if "m" not in record:
        return
    time, step = record["t"], leg.tokens_before + record["n"]
    for name, value in record["m"].items():
        # Evaluations come from their files: a journal has the names they had when the operation was done,
        # which another study that shares it may call otherwise.
        if not name.startswith("eval/"):
            yield Point(metric_name(name), value, time, step)
    if "train/loss" in record["m"]:
        text = leg.text_before + text_tokens(plan, leg.operation, record["s"])
        yield Point("progress/optimizer_step", leg.steps_before + record["s"], time, step)
        yield Point("progress/text_tokens", text, time, step)
        yield Point("progress/phase", leg.index, time, step)


def measured(
    plan: Plan, trial: Trial, course: tuple[Leg, ...], *, known: Mapping[str, set[int]]
) -> Iterator[Measured]:
    """The evaluations in the store, without the steps already `known` of each measure key.

    Where a rule may end the phase, the newest waits until it is known whether it is the last.
    """
    by_operation = {leg.operation.id: leg for leg in course}
    for id in trial.measures:
        measure = plan.operation(id, MeasureOperation)
        leg, key = by_operation.get(measure.train), plan.key(id)
        if leg is None:
            continue
        path = leg.place / "measurements" / f"{key}.json"
        if len(known.get(key, ())) == len(measure.steps) or not path.exists():
            continue
        steps = {int(step): metrics for step, metrics in read_json(path).items()}
        if not leg.settled:
            steps.pop(max(steps, default=0), None)
        for step in sorted(steps.keys() - known.get(key, set())):
            if step in measure.steps:
                yield Measured(leg, measure, key, step, {k: float(v) for k, v in steps[step].items()})


def evaluation_points(found: Measured, time: int) -> Iterator[Point]:
    """An evaluation's points, at the time its step was taken."""
    operation = found.leg.operation
    step = found.leg.tokens_before + found.step * operation.batch_rows * operation.context
    for metric, value in found.metrics.items():
        yield Point(metric_name(f"eval/{found.measure.name}/{metric}"), value, time, step)


def result_points(found: Measured, time: int) -> Iterator[Point]:
    """The last evaluation of a trial as bars: one point each, which MLflow draws so only at step 0."""
    for metric, value in found.metrics.items():
        yield Point(metric_name(f"result/{found.measure.name}_{metric}"), value, time, 0)


def is_result(plan: Plan, trial: Trial, found: Measured) -> bool:
    """Whether no later evaluation of that name will come in the trial."""
    trains = [phase.train for phase in trial.phases]
    measures = (plan.operation(id, MeasureOperation) for id in trial.measures)
    same = (measure for measure in measures if measure.name == found.measure.name)
    last = max(same, key=lambda measure: trains.index(measure.train))
    return found.measure.train == last.train and found.step == found.leg.operation.steps


class Clock:
    """When each step of a leg was taken, read from its journal as it grows.

    A step's time is that of the first record at it or behind it: whoever asks again hears the same.
    """

    def __init__(self, leg: Leg) -> None:
        self._leg = leg
        self._end = 0
        self._steps: list[int] = []
        self._times: list[int] = []

    def time(self, step: int) -> int | None:
        """None while the journal has not come so far; a finished journal's last time past its end."""
        finished = self._leg.finished
        self._read()
        if (at := bisect.bisect_left(self._steps, step)) < len(self._steps):
            return self._times[at]
        if not finished:
            return None
        return self._times[-1] if self._times else int((self._leg.place / "DONE.json").stat().st_mtime * 1000)

    def _read(self) -> None:
        for end, record in records(self._leg.journal, self._end):
            self._end = end
            if "m" in record and (not self._steps or record["s"] > self._steps[-1]):
                self._steps.append(record["s"])
                self._times.append(record["t"])


def metric_name(name: str) -> str:
    """A name that MLflow takes: no empty or dotted parts, at most 250 characters.

    >>> metric_name("eval/c4@2//../x")
    'eval/c4_2/_/x'
    """
    parts = (_FORBIDDEN.sub("_", part) for part in name.split("/") if part)
    return "/".join("_" if set(part) == {"."} else part for part in parts)[:_LONGEST] or "_"
