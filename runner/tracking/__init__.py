"""Tracking: journals are the truth, MLflow is a sink of them. Nothing here imports MLflow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from procdsl.plan import Plan, digest
from runner.execution import Execution
from runner.store import Store, read_json, write_json
from runner.tracking.receipts import Study, folder
from runner.tracking.trajectory import name_of

__all__ = ["Sender", "Synced", "attach", "resolve_uri", "start_sender", "sync"]

# The sender gives up by itself sooner; this is for one that is stuck inside a call.
_GRACE_SECONDS = 15.0


@dataclass(frozen=True)
class Synced:
    """What a `sync` delivered, what is left and why, and the trials that the server refuses for good."""

    uri: str
    delivered: int
    pending: int
    problem: str = ""
    refused: dict[str, str] = field(default_factory=dict)


class Sender:
    """The hand that a run keeps on its sender's process; without a process where nothing is to be sent."""

    def __init__(self, plan: Plan, store: Store, uri: str, process: subprocess.Popen[str] | None) -> None:
        self.plan, self.store, self.uri, self._process = plan, store, uri, process
        self._place = folder(store, plan.study, uri)

    @property
    def running(self) -> bool:
        """Whether there is anything left for its process to do."""
        return self._process is not None and self._process.poll() is None

    def problem(self) -> str:
        """Why points are not delivered just now; empty when they are."""
        if self._process is None:
            return ""
        if self._process.poll():
            return f"the sender ended with {self._process.returncode}: see {self._place / 'sender.log'}"
        state = self._place / "state.json"
        return str(read_json(state)["problem"]) if state.exists() else ""

    def pending(self) -> int:
        """Points in the journals of begun trials that the server has not acknowledged."""
        return Study(self.plan, self.store, self.uri).pending()

    def finish(self, timeout: float = 60, *, why: str = "stopped: run it again to go on") -> int:
        """Let it deliver the rest, for at most so many seconds; how many points are pending then.

        `why` is told of trials that have neither finished nor failed.
        """
        if self._process is None:
            return 0
        order = json.dumps({"timeout": timeout, "why": why}) + "\n"
        try:
            self._process.communicate(order, timeout=timeout + _GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        return self.pending()


def start_sender(plan: Plan, store: Store, execution: Execution) -> Sender:
    """Deliver the study's journals as they grow; no process where all is trained and delivered."""
    uri = resolve_uri(store, execution.tracking_uri)
    _forget_lost_database(plan, store, uri)
    chosen = {name_of(trial) for trial in plan.trials if execution.wants(trial)}
    if Study(plan, store, uri).waiting(chosen):
        return Sender(plan, store, uri, _launch(plan, store, uri, sorted(chosen)))
    return Sender(plan, store, uri, None)


def sync(plan: Plan, store: Store, uri: str | None = None, *, timeout: float = 600) -> Synced:
    """Deliver what is pending, of journals made here or copied into the store; again does nothing."""
    uri = resolve_uri(store, uri)
    _forget_lost_database(plan, store, uri)
    before = Study(plan, store, uri).pending()
    problem = ""
    if before:
        sender = Sender(plan, store, uri, _launch(plan, store, uri, []))
        if sender.finish(timeout):
            problem = sender.problem()
    study = Study(plan, store, uri)
    refused = {course.name: course.receipt.refused for course in study.courses if course.receipt.refused}
    after = study.pending()
    return Synced(uri, before - after, after, problem, refused)


def attach(plan: Plan, store: Store, files: Iterable[Path]) -> None:
    """Have these files of the comparison (page, figures, numbers) delivered by the next sender or `sync`."""
    Study(plan, store, "").attach(files)


def resolve_uri(store: Store, uri: str | None = None) -> str:
    """The server meant: a database in the store unless told, always by its absolute path."""
    if uri is None:
        return f"sqlite:///{store.root.resolve() / 'mlflow.db'}"
    if uri.startswith("sqlite:///"):
        return f"sqlite:///{Path(uri.removeprefix('sqlite:///')).resolve()}"
    return uri


def _launch(plan: Plan, store: Store, uri: str, trials: list[str]) -> subprocess.Popen[str]:
    place = folder(store, plan.study, uri)
    place.mkdir(parents=True, exist_ok=True)
    written = plan.model_dump(mode="json")
    path = place / f"plan-{digest(written)[:12]}.json"
    if not path.exists():
        write_json(path, written)
    with (place / "sender.log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "runner.tracking.sender"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,
        )
    task = {"plan": str(path.resolve()), "store": str(store.root.resolve()), "uri": uri, "trials": trials}
    assert process.stdin is not None
    process.stdin.write(json.dumps(task) + "\n")
    process.stdin.flush()
    return process


def _forget_lost_database(plan: Plan, store: Store, uri: str) -> None:
    """A database that was deleted has nothing any more, whatever the receipts say."""
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists():
        for path in folder(store, plan.study, uri).glob("*.json"):
            path.unlink()
