"""Small real phases for the tests of training: plans of a few operations, and a way to carry one out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from procdsl.plan import (
    Feed,
    GenerateOperation,
    MeasureOperation,
    ModelShape,
    Optimiser,
    Plan,
    Schedule,
    Stage,
    Stop,
    TrainOperation,
    Vocabulary,
)
from procdsl.programs.base import SPECIALS, AnyProgram, Lengths, Split, SplitName
from procdsl.programs.dyck import DyckProgram
from procdsl.programs.iid import IidProgram
from procdsl.programs.measurements.base import AnyMeasurement
from procdsl.programs.measurements.loss import LossMeasurement
from runner import checkpoints
from runner.events import Observer, ignore
from runner.execution import Execution
from runner.operations import alone
from runner.store import Store
from runner.tracking.journal import MACHINE, read
from runner.train import train

TINY = ModelShape(layers=2, heads=2, width=16, context=16)


def dyck(
    name: str = "dyck",
    *,
    k: int = 2,
    length: int = 16,
    split: Split = Split(),  # noqa: B008 - frozen
) -> GenerateOperation:
    brackets = tuple(f"{kind}{i}" for kind in "ab" for i in range(k))
    return words(name, DyckProgram(k=k, lengths=Lengths(values=(length,)), split=split), brackets, length)


def iid(name: str = "iid", *, count: int = 4, length: int = 16) -> GenerateOperation:
    program = IidProgram(count=count, lengths=Lengths(values=(length,)))
    return words(name, program, tuple(f"s{i}" for i in range(count)), length)


def words(
    name: str, program: AnyProgram, alphabet: tuple[str, ...], length: int, *, id: str = ""
) -> GenerateOperation:
    """Rows of one word each."""
    tokens = alphabet + SPECIALS
    return GenerateOperation(
        id=id or name, name=name, program=program, length=length, context=length, tokens=tokens
    )


def phase(*sources: GenerateOperation, id: str = "train", steps: int = 12, **changes: Any) -> TrainOperation:
    """A phase over these sources in equal shares."""
    tokens = tuple(dict.fromkeys(token for source in sources for token in source.tokens))
    shares = tuple(1 / len(sources) for _ in sources)
    content: dict[str, Any] = {
        "id": id,
        "seed": 0,
        "data_seed": 0,
        "model": TINY,
        "vocabulary": Vocabulary(tokens=tokens),
        "context": 16,
        "batch_rows": 8,
        "feeds": tuple(Feed(source=source.id) for source in sources),
        "stages": (Stage(steps=steps, shares=shares),),
        "optimiser": Optimiser(lr=1e-2, weight_decay=0.1),
        "schedule": Schedule(kind="cosine", warmup=3),
    }
    return TrainOperation(**content | changes)


def loss_of(
    source: GenerateOperation,
    *,
    train: str = "train",
    steps: tuple[int, ...],
    rows: int = 16,
    split: SplitName = "validation",
) -> MeasureOperation:
    wanted = LossMeasurement(source=source.id, split=split, rows=rows)
    return measured_by(
        wanted, id=f"loss-{train}", name=f"loss_{source.name}", train=train, steps=tuple(steps)
    )


def measured_by(wanted: AnyMeasurement, *, steps: tuple[int, ...] = (0,), **changes: Any) -> MeasureOperation:
    """A measurement of the phase, as it begins unless said otherwise."""
    content: dict[str, Any] = {"id": "m", "name": "m", "train": "train", "data_seed": 0}
    return MeasureOperation(measurement=wanted, steps=steps, **content | changes)


def rule(wanted: AnyMeasurement, *, every: int = 2, metric: str = "loss", **said: Any) -> Stop:
    """A rule that watches a measurement."""
    lower = metric == "loss"
    return Stop(measurement=wanted, data_seed=0, every=every, metric=metric, lower_is_better=lower, **said)


def plan_of(*operations: Any) -> Plan:
    return Plan(study="tests", operations=operations, trials=())


def carry_out(
    plan: Plan,
    root: Path,
    id: str = "train",
    *,
    stopping: Callable[[], bool] = lambda: False,
    observe: Observer = ignore,
    **execution: Any,
) -> dict[str, Any]:
    """Train one operation of a plan in a store under `root`, as the engine would."""
    store = Store(root)
    course = train(
        plan,
        id,
        store=store,
        place=store.place("train", plan.key(id)),
        execution=Execution(store=root, **execution),
        observe=observe,
        stopping=stopping,
    )
    return alone(course)


def journal(plan: Plan, root: Path, id: str = "train") -> list[dict[str, Any]]:
    return list(read(Store(root).path("train", plan.key(id)) / "journal.jsonl"))


def points(plan: Plan, root: Path, id: str = "train") -> dict[int, dict[str, float]]:
    """What the journal says of the model after each step; nothing in it went on inexactly."""
    found: dict[int, dict[str, float]] = {}
    for record in journal(plan, root, id):
        assert record.get("e") != "inexact", record
        for name, value in record.get("m", {}).items():
            if not name.startswith(MACHINE):
                found.setdefault(record["s"], {})[name] = value
    return found


def parameters(plan: Plan, root: Path, id: str = "train") -> dict[str, torch.Tensor]:
    return checkpoints.parameters(Store(root).path("train", plan.key(id)))


def assert_equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    """Bit for bit."""
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name
