"""One operation of a bound plan, carried out under its lock: prepare, transfer, train, or measure afterwards.

Whoever does an operation calls `perform`; it may be done, half done or held by another run when asked for.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, assert_never

from procdsl.errors import RunError, Stopped
from procdsl.plan import (
    AnyOperation,
    GenerateOperation,
    MeasureOperation,
    Plan,
    PrepareOperation,
    TrainOperation,
    TransferOperation,
)
from runner.events import Event, Observer
from runner.execution import Execution
from runner.provenance import provenance
from runner.store import Locked, Store, read_json, write_json

Stopping = Callable[[], bool]
_REPLAY = ".replay"


def finished(plan: Plan, id: str, store: Store) -> bool:
    """Whether nothing is left to do for an operation."""
    operation = plan.by_id[id]
    if isinstance(operation, GenerateOperation | MeasureOperation):
        return True
    facts = store.done(operation.kind, plan.key(id))
    if facts is None:
        return False
    if isinstance(operation, PrepareOperation):
        asked = facts["asked"]
        return bool(asked[0] >= operation.train_tokens and asked[1] >= operation.validation_tokens)
    return not missing(plan, id, store)


def measures(plan: Plan, id: str) -> list[MeasureOperation]:
    """The measurements of a train operation."""
    return [op for op in plan.operations if isinstance(op, MeasureOperation) and op.train == id]


def missing(plan: Plan, id: str, store: Store) -> dict[str, tuple[int, ...]]:
    """The measurements of a train operation that are not there: steps by measure id."""
    folder = store.path("train", plan.key(id)) / "measurements"
    found: dict[str, tuple[int, ...]] = {}
    for measure in measures(plan, id):
        path = folder / f"{plan.key(measure.id)}.json"
        there = read_json(path) if path.exists() else {}
        if steps := tuple(step for step in measure.steps if str(step) not in there):
            found[measure.id] = steps
    return found


def perform(plan: Plan, id: str, execution: Execution, observe: Observer, stopping: Stopping) -> None:
    """Carry out one operation whose inputs are finished, or what is missing of it."""
    store = Store(execution.store)
    operation, key = plan.by_id[id], plan.key(id)
    assert not isinstance(operation, GenerateOperation | MeasureOperation), "these are carried out by their readers"
    place = store.describe(operation, key)
    with _lock(store, operation, key, observe, stopping):
        if finished(plan, id, store):
            return
        for wrong in store.damage(operation.kind, key):
            observe(Event("note", id, {"text": f"{wrong}: {id} is made again"}))
        if operation.kind == "train" and store.done("train", key) is not None:
            _measure_afterwards(plan, id, store, execution, observe, stopping)
            return
        store.reopen(operation.kind, key)
        began = time.monotonic()
        facts = _make(plan, operation, store, place, execution, observe, stopping)
        write_json(place / "provenance.json", provenance(execution) | {"seconds": time.monotonic() - began})
        store.finish(operation.kind, key, facts)
        observe(Event("done", id, facts))


def _make(
    plan: Plan,
    operation: PrepareOperation | TransferOperation | TrainOperation,
    store: Store,
    place: Path,
    execution: Execution,
    observe: Observer,
    stopping: Stopping,
) -> dict[str, Any]:
    """Do it; what is imported here takes seconds, and a run with nothing to do must not pay for it."""
    if isinstance(operation, PrepareOperation):
        from runner.corpora import prepare

        observe(Event("start", operation.id, {"kind": "prepare"}))
        asked = [operation.train_tokens, operation.validation_tokens]
        return prepare(operation, place, observe=observe) | {"asked": asked}
    if isinstance(operation, TransferOperation):
        from runner.transfer import transfer

        observe(Event("start", operation.id, {"kind": "transfer"}))
        return transfer(plan, operation.id, store=store, place=place)
    if isinstance(operation, TrainOperation):
        from runner.train import train

        return train(
            plan, operation.id, store=store, place=place, execution=execution, observe=observe, stopping=stopping
        )
    assert_never(operation)
