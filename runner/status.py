"""How every trial of a study stands, from the store alone: nothing is loaded, locked or changed."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

import psutil

from procdsl.plan import Plan, TrainOperation, Trial
from runner.endings import as_run
from runner.failures import failures, told
from runner.operations import finished
from runner.schedule import pending
from runner.store import Store, boot_id, read_table
from runner.tracking.journal import records

# Enough of a journal's end to hold its last point.
_TAIL_BYTES = 1 << 16


@dataclass(frozen=True)
class TrialStatus:
    """A trial: `state` is done, running (one of its operations is), failed or pending; the rest: how far.

    `shared` names the phases that were or will be trained once for this trial and others.
    """

    curriculum: str
    seed: int
    state: str
    phase: str
    step: int
    steps: int
    reason: str = ""
    shared: tuple[str, ...] = ()


def status(plan: Plan, store: Store) -> list[TrialStatus]:
    """Every trial of a bound plan, in its order."""
    plan = as_run(plan, store)
    users: dict[str, int] = {}
    for trial in plan.trials:
        for phase in trial.phases:
            users[phase.train] = users.get(phase.train, 0) + 1
    return [_status(plan, trial, store, users) for trial in plan.trials]


def _status(plan: Plan, trial: Trial, store: Store, users: dict[str, int]) -> TrialStatus:
    left = pending(plan, (trial,), store)
    current = next((phase for phase in trial.phases if phase.train in left), trial.phases[-1])
    operation = plan.operation(current.train, TrainOperation)
    reasons = [
        told(found[-1]["message"], found[-1]["reason"], found[-1]["help"])
        for id in left
        if (found := failures(store, plan, id))
    ]
    running = any(held(store.path(plan.by_id[id].kind, plan.key(id))) for id in left)
    state = "done" if not left else "running" if running else "failed" if reasons else "pending"
    done = finished(plan, current.train, store)
    return TrialStatus(
        curriculum=trial.curriculum,
        seed=trial.seed,
        state=state,
        phase=current.name,
        step=operation.steps if done else _step(store.path("train", plan.key(current.train))),
        steps=operation.steps,
        reason="; ".join(reasons) if state == "failed" else "",
        shared=tuple(phase.name for phase in trial.phases if users[phase.train] > 1),
    )


def held(folder: Path) -> bool:
    """Whether a living process holds a folder; on another machine, whether one said that it does."""
    owner = read_table(folder / "owner.json")
    if not owner or owner["host"] != platform.node():
        return bool(owner)
    return bool(owner["boot"] == boot_id() and psutil.pid_exists(owner["pid"]))


def _step(place: Path) -> int:
    """The last step in a journal."""
    path = place / "journal.jsonl"
    if not path.exists():
        return 0
    start = max(0, path.stat().st_size - _TAIL_BYTES)
    return max((record["s"] for _, record in records(path, start) if "m" in record), default=0)
