"""What the store holds of a study: every trial's curves, finals and facts, and what is still missing.

Reads the bound plan, the measurements beside each train operation, its journal and its DONE.json; nothing is
computed here but how many tokens a trial had been fed when a number was measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from procdsl.plan import MeasureOperation, Plan, Trial
from runner.failures import failures
from runner.shares import text_tokens
from runner.store import Store, read_json, read_table
from runner.tracking import journal
from runner.tracking.trajectory import Leg, legs

# Enough for a line on a page; a journal holds thousands.
_TRAIN_POINTS = 200


@dataclass(frozen=True, slots=True)
class Point:
    """A number, and what the model had been fed since it was fresh. `step` and `fed` count inside `phase`."""

    phase: str
    step: int
    text: int
    procedural: int
    value: float
    fed: int = 0

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
    reader = _Reader(plan, store)
    return tuple(reader.trial(trial) for trial in plan.trials)


def older(plan: Plan, store: Store) -> tuple[str, ...]:
    """Finished trials of other versions of the study, which are in the store and not in this comparison."""
    current = {plan.key(phase.train) for trial in plan.trials for phase in trial.phases}
    found = []
    study = store.study(plan.study)
    last = [study / "plan.json"] if (study / "plan.json").exists() else []
    for path in (*sorted((study / "versions").glob("*.json")), *last):
        name = "the last run's" if path in last else path.stem
        try:
            before = Plan.model_validate(read_json(path))
        except ValidationError:
            found.append(f"{name} (written by another version of procdsl)")
            continue
        lasts = [(trial, before.key(trial.phases[-1].train)) for trial in before.trials]
        done = [trial for trial, key in lasts if key not in current and store.done("train", key)]
        if done:
            names = ", ".join(dict.fromkeys(trial.curriculum for trial in done))
            other = "" if before.profile == plan.profile else f"profile {before.profile or 'none'}, "
            found.append(f"{name} ({other}{len(done)} trials: {names})")
    return tuple(found)


class _Reader:
    """Reads each operation once: curricula that begin alike share it."""

    def __init__(self, plan: Plan, store: Store) -> None:
        self.plan, self.store = plan, store
        self._facts: dict[str, PhaseFacts] = {}
        self._training: dict[str, list[tuple[int, float]]] = {}

    def trial(self, trial: Trial) -> TrialResult:
        course = legs(self.plan, trial, self.store)
        curves: dict[str, list[Point]] = {}
        finals: dict[str, float] = {}
        missing: list[str] = []
        for leg in course:
            missing += self._unfinished(leg)
            for measure in self._measures(trial, leg):
                found = self._values(leg, measure)
                missing += _gaps(leg, measure, found)
                for step, values in found.items():
                    for name, value in values.items():
                        point = self._point(leg, step, value)
                        curves.setdefault(f"{measure.name}/{name}", []).append(point)
                # The end of a later phase is the trial's, also while it is not there yet.
                finals = {m: v for m, v in finals.items() if not m.startswith(f"{measure.name}/")}
                ended = found.get(leg.operation.steps, {}).items()
                finals |= {f"{measure.name}/{name}": value for name, value in ended if math.isfinite(value)}
        last = course[-1]
        text = last.text_before + text_tokens(self.plan, last.operation, last.operation.steps)
        return TrialResult(
            curriculum=trial.curriculum,
            seed=trial.seed,
            text_tokens=text,
            procedural_tokens=last.tokens_before + last.operation.tokens - text,
            curves={name: tuple(points) for name, points in curves.items()},
            finals=finals,
            training=tuple(self._point(leg, *each) for leg in course for each in self._losses(leg)),
            phases=tuple(self._phase(leg) for leg in course),
            missing=tuple(missing),
        )

    def _point(self, leg: Leg, step: int, value: float) -> Point:
        text = text_tokens(self.plan, leg.operation, step)
        fed = step * leg.operation.batch_rows * leg.operation.context
        procedural = leg.tokens_before - leg.text_before + fed - text
        return Point(leg.phase, step, leg.text_before + text, procedural, value, fed)

    def _measures(self, trial: Trial, leg: Leg) -> Iterator[MeasureOperation]:
        for id in trial.measures:
            operation = self.plan.operation(id, MeasureOperation)
            if operation.train == leg.operation.id:
                yield operation

    def _values(self, leg: Leg, measure: MeasureOperation) -> dict[int, dict[str, float]]:
        """What was measured at the steps this plan asks for; the file may hold more, asked for by others."""
        found = read_table(leg.place / "measurements" / f"{self.plan.key(measure.id)}.json")
        steps = sorted(step for step in map(int, found) if step in set(measure.steps))
        return {step: dict(_numbers(found[str(step)])) for step in steps}

    def _phase(self, leg: Leg) -> PhaseFacts:
        if leg.key not in self._facts:
            facts = self.store.done("train", leg.key)
            inexact = any(record.get("e") == "inexact" for record in journal.read(leg.journal))
            self._facts[leg.key] = PhaseFacts(leg.phase, leg.key, facts is not None, inexact, facts or {})
        # Curricula may call a phase that they share by different names.
        return replace(self._facts[leg.key], phase=leg.phase)

    def _unfinished(self, leg: Leg) -> Iterator[str]:
        if not self._phase(leg).finished:
            failed = failures(self.store, self.plan, leg.operation.id)
            yield f"phase {leg.phase} {'failed: ' + failed[-1]['message'] if failed else 'is not finished'}"

    def _losses(self, leg: Leg) -> list[tuple[int, float]]:
        """The training loss of an operation, each step once (the last replay of it), thinned."""
        if leg.key not in self._training:
            found: dict[int, float] = {}
            for record in journal.read(leg.journal):
                value = record.get("m", {}).get("train/loss")
                if value is not None and math.isfinite(value):
                    found[record["s"]] = value
            steps = sorted(found)
            every = max(1, math.ceil(len(steps) / _TRAIN_POINTS))
            self._training[leg.key] = [(step, found[step]) for step in steps[::every]]
        return self._training[leg.key]


def _gaps(leg: Leg, measure: MeasureOperation, found: dict[int, dict[str, float]]) -> Iterator[str]:
    """What is not measured yet, and what ended as no number."""
    if absent := len(set(measure.steps) - set(found)):
        yield f"{measure.name} in phase {leg.phase}: {absent} of {len(measure.steps)} evaluations"
    for name, value in found.get(leg.operation.steps, {}).items():
        if not math.isfinite(value):
            yield f"{measure.name}/{name} in phase {leg.phase} ended at {value}"


def _numbers(values: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The plain numbers among a measurement's values; those that JSON lacks are words, or null."""
    for name, value in values.items():
        if value is None or value in ("nan", "inf", "-inf"):
            yield name, float(value or "nan")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield name, float(value)
