"""Receipts: what a tracking server has acknowledged of each trial, kept in the store.

studies/<study>/tracking/<server>/<trial>-<identity>.json, replaced as a whole after every delivery. They
are enough to tell, without MLflow, whether anything is pending; losing them costs only sending again.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Container, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from procdsl.plan import MeasureOperation, Plan, Trial, digest
from runner.endings import as_run
from runner.store import Store, read_json, read_table, sha256, write_json
from runner.tracking.journal import records
from runner.tracking.trajectory import Leg, identity, legs, measured, name_of, placed, points

FINAL = "FINISHED"


@dataclass
class Receipt:
    """What one server has of one trial. `offsets` are bytes of journals, `measured` steps, by key.

    `parts` names what is delivered once (description, samples, lineage), `status` is the run's last known
    one, `refused` why this trial is not sent any more.
    """

    run_id: str = ""
    experiment_id: str = ""
    offsets: dict[str, int] = field(default_factory=dict)
    measured: dict[str, list[int]] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    status: str = ""
    refused: str = ""


@dataclass
class StudyReceipt:
    """What one server has of a study besides its trials: `report` is the comparison's files by digest."""

    experiment_id: str = ""
    view: str = ""
    report: dict[str, str] = field(default_factory=dict)


class Study:
    """A study on its way to one server."""

    def __init__(self, plan: Plan, store: Store, uri: str) -> None:
        self._plan, self._store = plan, store
        plan = as_run(plan, store)
        self.courses = [Course(plan, trial, store, uri) for trial in plan.trials]
        self.identity = digest([store_id(store), plan.study, "comparison"])
        self._report = store.study(plan.study) / "tracking" / "report.json"
        self._path = folder(store, plan.study, uri) / "study.json"
        self.receipt = StudyReceipt(**read_table(self._path))

    def refresh(self) -> None:
        """Let every trial know where phases have ended that a rule may end."""
        plan = as_run(self._plan, self._store)
        for course, trial in zip(self.courses, plan.trials, strict=True):
            course.place(plan, trial)

    def report(self) -> dict[str, str]:
        """The comparison's files by digest, where they are not delivered as they are; else nothing."""
        files = read_table(self._report)
        there = {path: digest for path, digest in files.items() if Path(path).exists()}
        return {} if there == self.receipt.report else there

    def attach(self, files: Iterable[Path]) -> None:
        """Have the comparison's files delivered with the trials, instead of those before."""
        write_json(self._report, {str(path.resolve()): sha256(path) for path in files})

    def pending(self) -> int:
        """Points and reports that the server has not acknowledged, of the trials that were begun."""
        return sum(course.pending() for course in self.courses if course.begun) + bool(self.report())

    def waiting(self, chosen: Container[str]) -> bool:
        """Whether anything is pending, or will be once the `chosen` trials are trained."""
        return bool(self.report()) or any(
            course.waiting() if course.finished else course.begun or course.name in chosen
            for course in self.courses
        )

    def save(self) -> None:
        write_json(self._path, asdict(self.receipt))


class Course:
    """A trial of a plan in a store, on its way to one server."""

    def __init__(self, plan: Plan, trial: Trial, store: Store, uri: str) -> None:
        self.store = store
        self.place(plan, trial)
        self.identity = identity(plan, trial, store_id(store))
        self.path = folder(store, plan.study, uri) / f"{name_of(trial)}-{self.identity[:12]}.json"
        self.receipt = Receipt(**read_table(self.path))

    def place(self, plan: Plan, trial: Trial) -> None:
        """Lay the phases end to end, by the plan as it was run so far."""
        self.plan, self.trial = plan, trial
        self.legs: tuple[Leg, ...] = legs(plan, trial, self.store)
        self.placed = placed(self.legs)

    @property
    def name(self) -> str:
        return name_of(self.trial)

    @property
    def begun(self) -> bool:
        """Whether the trial itself was begun (its first phases may be others' too), or told of before."""
        return self.legs[-1].journal.exists() or self.path.exists()

    @property
    def known(self) -> dict[str, set[int]]:
        return {key: set(steps) for key, steps in self.receipt.measured.items()}

    @property
    def finished(self) -> bool:
        """Whether the store has every phase and every evaluation of the trial."""
        if not all(leg.finished for leg in self.legs):
            return False
        there = {key: set(steps) for key, steps in _measured_steps(self)}
        return all(
            set(self.plan.operation(id, MeasureOperation).steps) <= there.get(self.plan.key(id), set())
            for id in self.trial.measures
        )

    def pending(self) -> int:
        """How many points the server has not acknowledged; a finished trial not yet closed counts as one."""
        return sum(self._waiting())

    def waiting(self) -> bool:
        """Whether anything is pending: as `pending`, without reading to the end."""
        return any(True for _ in self._waiting())

    def _waiting(self) -> Iterator[int]:
        if self.receipt.refused:
            return
        told = True
        for leg in self.placed:
            for _, record in records(leg.journal, self.receipt.offsets.get(leg.key, 0)):
                told = False
                yield sum(1 for _ in points(self.plan, leg, record))
        for found in measured(self.plan, self.trial, self.placed, known=self.known):
            told = False
            yield len(found.metrics)
        if told and self.receipt.status != FINAL and self.finished:
            yield 1

    def save(self) -> None:
        write_json(self.path, asdict(self.receipt))

    def forget(self) -> None:
        """The server has lost the run: everything is to be sent again."""
        self.receipt = Receipt()
        self.save()


def folder(store: Store, study: str, uri: str) -> Path:
    """Where the receipts of one server lie."""
    return store.study(study) / "tracking" / blake2b(uri.encode(), digest_size=6).hexdigest()


def store_id(store: Store) -> str:
    """This store's own name, drawn once: two people's stores never write into one MLflow run."""
    path = store.root / "tracking_id"
    if not path.exists():
        store.root.mkdir(parents=True, exist_ok=True)
        fresh = store.root / f".tracking_id.{os.getpid()}"
        fresh.write_text(uuid.uuid4().hex)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first: its name holds
        finally:
            fresh.unlink()
    return path.read_text()


def _measured_steps(course: Course) -> Iterator[tuple[str, Any]]:
    for leg in course.legs:
        for path in (leg.place / "measurements").glob("*.json"):
            yield path.stem, (int(step) for step in read_json(path))
