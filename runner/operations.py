"""One operation of a bound plan, carried out under its lock: prepare, transfer, train, or measure afterwards.

Whoever does an operation calls `perform`, or drives its `course` where several are trained side by side; it
may be done, half done or held by another run when asked for.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, assert_never

from procdsl.errors import RunError, Stopped
from procdsl.plan import (
    AnyOperation,
    GenerateOperation,
    MeasureOperation,
    Plan,
    PrepareOperation,
    TrainOperation,
    TransferOperation,
    digest,
)
from runner.endings import ended, until
from runner.events import Event, Observer
from runner.execution import Execution
from runner.followers import follow, follows
from runner.provenance import provenance
from runner.store import Locked, Store, read_json, read_table, write_json

if TYPE_CHECKING:
    from runner.devices import Later
    from runner.train import Turn

Stopping = Callable[[], bool]
T = TypeVar("T")
_WAIT_SECONDS = 1.0


def finished(plan: Plan, id: str, store: Store) -> bool:
    """Whether nothing is left to do for an operation."""
    operation = plan.by_id[id]
    if isinstance(operation, GenerateOperation | MeasureOperation):
        return True
    facts = store.done(operation.kind, plan.key(id))
    if facts is None:
        return False
    if isinstance(operation, PrepareOperation):
        from runner.corpora import ready

        return ready(operation, facts)
    return not missing(plan, id, store)


def missing(plan: Plan, id: str, store: Store) -> dict[str, tuple[int, ...]]:
    """The measurements of a train operation that are not there: steps by measure id."""
    folder = store.path("train", plan.key(id)) / "measurements"
    operation = plan.by_id[id]
    end = ended(plan, operation, store) if isinstance(operation, TrainOperation) else None
    found: dict[str, tuple[int, ...]] = {}
    for measure in plan.measures(id):
        there = read_table(folder / f"{plan.key(measure.id)}.json")
        if steps := tuple(step for step in until(measure.steps, end) if str(step) not in there):
            found[measure.id] = steps
    return found


def perform(plan: Plan, id: str, execution: Execution, observe: Observer, stopping: Stopping) -> None:
    """Carry out one operation whose inputs are finished, or what is missing of it."""
    alone(course(plan, id, execution, observe, stopping))


def course(
    plan: Plan, id: str, execution: Execution, observe: Observer, stopping: Stopping
) -> Generator[Turn, Later, None]:
    """The same. One of several replicas yields each step that it wants taken (see `runner.train`)."""
    store = Store(execution.store)
    operation, key = plan.by_id[id], plan.key(id)
    assert not isinstance(operation, GenerateOperation | MeasureOperation), (
        "these are carried out by their readers"
    )
    place = store.describe(operation, key)
    if follows():
        scratch = _scratch(place, missing(plan, id, store)) if store.done(operation.kind, key) else place

        def train() -> object:
            return alone(_make(plan, operation, store, scratch, execution, observe, stopping))

        follow(operation, place, train, lambda: finished(plan, id, store), stopping)
        return
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
        facts = yield from _make(plan, operation, store, place, execution, observe, stopping)
        write_json(place / "provenance.json", provenance(execution) | {"seconds": time.monotonic() - began})
        store.finish(operation.kind, key, facts)
        observe(Event("done", id, facts))


def alone(course: Generator[Turn, Later, T]) -> T:
    """What comes of a course that has nobody beside it, and takes its steps itself."""
    try:
        next(course)
    except StopIteration as end:
        found: T = end.value
        return found
    raise AssertionError("replicas need somebody to take their steps")


def _make(
    plan: Plan,
    operation: PrepareOperation | TransferOperation | TrainOperation,
    store: Store,
    place: Path,
    execution: Execution,
    observe: Observer,
    stopping: Stopping,
) -> Generator[Turn, Later, dict[str, Any]]:
    """Do it; what is imported here takes seconds, and a run with nothing to do must not pay for it."""
    if isinstance(operation, PrepareOperation):
        from runner.corpora import prepare

        observe(Event("start", operation.id, {"kind": "prepare"}))
        text = store.path("prepare", plan.key(operation.likeness)) if operation.likeness else None
        return prepare(operation, place, text=text, observe=_stoppable(operation, observe, stopping))
    if isinstance(operation, TransferOperation):
        from runner.transfer import transfer

        observe(Event("start", operation.id, {"kind": "transfer"}))
        return transfer(plan, operation.id, store=store, place=place)
    if isinstance(operation, TrainOperation):
        from runner.train import train

        return (
            yield from train(
                plan,
                operation.id,
                store=store,
                place=place,
                execution=execution,
                observe=observe,
                stopping=stopping,
            )
        )
    assert_never(operation)


def _stoppable(operation: AnyOperation, observe: Observer, stopping: Stopping) -> Observer:
    """An observer that ends what it observes when asked to: shards that are written are kept and added to."""

    def watch(event: Event) -> None:
        observe(event)
        if stopping():
            raise Stopped(f"{operation.id} stopped before its end; it goes on from the documents it has")

    return watch


@contextlib.contextmanager
def _lock(
    store: Store, operation: AnyOperation, key: str, observe: Observer, stopping: Stopping
) -> Iterator[None]:
    """Hold the operation; if another run does, say so once and wait: its lock ends with its process."""
    told = False
    with contextlib.ExitStack() as held:
        while True:
            try:
                held.enter_context(store.lock(operation.kind, key, wait=_WAIT_SECONDS))
                break
            except Locked as error:
                if stopping():
                    raise Stopped(f"stopped while waiting: {error}") from None
                if not told:
                    observe(Event("note", operation.id, {"text": f"waiting: {error}"}))
                told = True
        yield


def _measure_afterwards(
    plan: Plan, id: str, store: Store, execution: Execution, observe: Observer, stopping: Stopping
) -> None:
    """Measure a finished train operation at steps that were not asked for when it ran.

    It goes on, in a scratch folder, from the last checkpoint before the first of those steps (from its start,
    where only the final one was kept), and must end in the very parameters that are stored.
    """
    from runner.tracking.journal import Journal, read
    from runner.train import train

    place, lacking = store.path("train", plan.key(id)), missing(plan, id, store)
    first = min(step for steps in lacking.values() for step in steps)
    scratch = _scratch(place, lacking)
    begun = _nearest(place, first)
    names = ", ".join(sorted({measure.name for measure in plan.measures(id) if measure.id in lacking}))
    text = f"{id}: {names} was asked for later; trained again from step {begun:,} to measure it"
    observe(Event("note", id, {"text": text}))
    _seed_scratch(place, scratch, begun)
    stored = store.done("train", plan.key(id))
    assert stored is not None
    alike = replace(execution, kernels=bool(stored.get("conditions", {}).get("lanes")), replicas=1)
    facts = alone(
        train(plan, id, store=store, place=scratch, execution=alike, observe=observe, stopping=stopping)
    )
    if facts["digest"] != stored["digest"]:
        shutil.rmtree(scratch)
        raise RunError(
            f"{id}: training again gave other parameters than those stored, and measured those",
            reason="inexact",
            help="run with the device and thread count in the operation's provenance.json, or in a new store"
            " (with --replicas off: the steps of models trained side by side are not repeated to the bit)",
        )
    with Journal(place / "journal.jsonl") as journal:
        for point in read(scratch / "journal.jsonl"):
            if "m" in point and (found := {k: v for k, v in point["m"].items() if k.startswith("eval/")}):
                journal.log(point["s"], point["n"], found)
    _merge_measurements(scratch / "measurements", place / "measurements")
    shutil.rmtree(scratch)
    observe(Event("done", id, stored))


def _scratch(place: Path, lacking: dict[str, tuple[int, ...]]) -> Path:
    """Where to train again for these measurements: a replay that was stopped is found and goes on."""
    return place / f".replay-{digest(lacking)[:12]}"


def _nearest(place: Path, step: int) -> int:
    """The step of the last kept checkpoint not behind `step`; 0, the start, where there is none."""
    kept = [int(folder.name.removeprefix("step-")) for folder in place.glob("checkpoints/step-*")]
    return max((found for found in kept if found <= step), default=0)


def _seed_scratch(place: Path, scratch: Path, begun: int) -> None:
    """Lay the checkpoint to go on from into the scratch folder; one left by a stopped replay is kept."""
    (scratch / "checkpoints").mkdir(parents=True, exist_ok=True)
    if begun and not any((scratch / "checkpoints").glob("step-*")):
        name = f"checkpoints/step-{begun:08d}"
        shutil.copytree(place / name, scratch / name)
    if (place / "measurements").exists():
        shutil.copytree(place / "measurements", scratch / "measurements", dirs_exist_ok=True)


def _merge_measurements(scratch: Path, place: Path) -> None:
    for path in scratch.glob("*.json"):
        write_json(place / path.name, read_json(path) | read_table(place / path.name))
