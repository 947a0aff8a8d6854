"""Small real phases for the tests of training: plans of a few operations, and a way to carry one out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from procdsl.plan import (
    Feed,
    GenerateOperation,
    MeasureOperation,
    ModelShape,
    Optimiser,
    Plan,
    Schedule,
    Stage,
    TrainOperation,
    Vocabulary,
)
from procdsl.programs import (
    SPECIALS,
    AnyProgram,
    DyckProgram,
    IidProgram,
    Lengths,
    LossMeasurement,
    Split,
    SplitName,
)
from runner.events import Observer, ignore
from runner.execution import Execution
from runner.store import Store
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


def words(name: str, program: AnyProgram, alphabet: tuple[str, ...], length: int) -> GenerateOperation:
    return GenerateOperation(
        id=name, name=name, program=program, length=length, context=length, tokens=alphabet + SPECIALS
    )


def phase(*sources: GenerateOperation, id: str = "train", **changes: Any) -> TrainOperation:
    """A phase of 12 steps over these sources in equal shares."""
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
        "stages": (Stage(steps=12, shares=shares),),
        "optimiser": Optimiser(lr=1e-2, weight_decay=0.1),
        "schedule": Schedule(kind="cosine", warmup=3),
    }
    return TrainOperation(**content | changes)


def loss_of(
    source: GenerateOperation,
    *,
    train: str = "train",
    steps: Sequence[int],
    rows: int = 16,
    split: SplitName = "validation",
) -> MeasureOperation:
    wanted = LossMeasurement(source=source.id, split=split, rows=rows)
    return MeasureOperation(
        id=f"loss-{train}",
        name=f"loss_{source.name}",
        train=train,
        data_seed=0,
        measurement=wanted,
        steps=tuple(steps),
    )


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
    return train(
        plan,
        id,
        store=store,
        place=store.place("train", plan.key(id)),
        execution=Execution(store=root, **execution),
        observe=observe,
        stopping=stopping,
    )
