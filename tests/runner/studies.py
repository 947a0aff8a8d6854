"""A study small enough to be trained in a second, as a plan: two curricula that share a first phase."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from procdsl.plan import (
    AnyOperation,
    Comparison,
    GenerateOperation,
    MeasureOperation,
    ModelShape,
    Optimiser,
    Plan,
    Schedule,
    TrainOperation,
    TransferOperation,
    TransferRule,
    Trial,
    TrialPhase,
    Vocabulary,
)
from procdsl.programs.base import SPECIALS, Lengths
from procdsl.programs.dyck import DyckProgram
from procdsl.programs.measurements.loss import LossMeasurement
from runner.engine import Outcome, run
from runner.events import Event
from runner.execution import Execution
from runner.status import status
from runner.store import Store
from runner.tracking.journal import MACHINE, read
from tests.runner.training import measured_by, phase, words

MODEL = ModelShape(layers=1, heads=2, width=16, context=16)
LETTERS = ("(", "[", ")", "]", *SPECIALS)


def study(
    *,
    seeds: Iterable[int] = (0,),
    curricula: Iterable[str] = ("plain", "first", "second"),
    steps: int = 12,
    measured: tuple[int, ...] = (6, 12),
    evaluations: tuple[str, ...] = ("brackets",),
    lr: float = 1e-2,
) -> Plan:
    """plain: one phase. first, second: the same warm-up, then two different main phases."""
    operations: dict[str, AnyOperation] = {"dyck": _dyck("dyck"), "warm": _dyck("warm")}
    trials = []
    for seed in seeds:
        for curriculum in curricula:
            phases: list[TrialPhase] = []
            start = None
            if curriculum != "plain":
                warm = f"warm.s{seed}"
                operations[warm] = _train(warm, seed, "warm", steps, lr, start=None)
                start = f"body.s{seed}"
                operations[start] = _transfer(start, seed, warm)
                phases.append(_phase("warmup", operations[warm]))
            main = f"{curriculum}.s{seed}"
            longer = steps + (4 if curriculum == "second" else 0)
            operations[main] = _train(main, seed, "dyck", longer, lr, start=start)
            phases.append(_phase("main", operations[main]))
            for name in evaluations:
                operations[f"{name}.{main}"] = _measure(f"{name}.{main}", name, main, seed, measured)
            measures = tuple(f"{name}.{main}" for name in evaluations)
            trials.append(Trial(curriculum=curriculum, seed=seed, phases=tuple(phases), measures=measures))
    return Plan(
        study="tiny",
        question="Does it run?",
        operations=tuple(operations.values()),
        trials=tuple(trials),
        comparisons=(Comparison(metric="brackets/loss", baseline="plain"),),
    )


def _dyck(name: str) -> GenerateOperation:
    return words(name, DyckProgram(k=2, lengths=Lengths(values=(16,))), LETTERS[:4], 16)


def _train(id: str, seed: int, source: str, steps: int, lr: float, *, start: str | None) -> TrainOperation:
    how = {"optimiser": Optimiser(lr=lr), "schedule": Schedule(kind="cosine", warmup=2)}
    named = {"seed": seed, "data_seed": seed, "start": start}
    return phase(_dyck(source), id=id, steps=steps, model=MODEL, batch_rows=4, **named, **how)


def _transfer(id: str, seed: int, source: str) -> TransferOperation:
    rules = tuple(
        TransferRule(component=name, action="take", source=source) for name in ("attention", "mlp", "norm")
    )
    return TransferOperation(
        id=id, seed=seed, model=MODEL, vocabulary=Vocabulary(tokens=LETTERS), rules=rules
    )


def _measure(id: str, name: str, train: str, seed: int, steps: tuple[int, ...]) -> MeasureOperation:
    wanted = LossMeasurement(source="dyck", rows=8 if name == "brackets" else 4)
    return measured_by(wanted, id=id, name=name, train=train, data_seed=seed, steps=steps)


def _phase(name: str, train: AnyOperation) -> TrialPhase:
    assert isinstance(train, TrainOperation)
    return TrialPhase(name=name, train=train.id, text_tokens=0, procedural_tokens=train.tokens)


def parameters(plan: Plan, store: Store) -> dict[str, bytes]:
    """The final parameters of every train operation, as the bytes of their file."""
    found = {}
    for operation in plan.of_kind(TrainOperation):
        (path,) = store.path("train", plan.key(operation.id)).glob("checkpoints/*/model.safetensors")
        found[operation.id] = path.read_bytes()
    return found


def curves(plan: Plan, store: Store) -> dict[str, list[tuple[int, int, str, float]]]:
    """Every point of every journal but those of the machine, in the order written."""
    return {
        operation.id: [
            (record["s"], record["n"], name, value)
            for record in read(store.path("train", plan.key(operation.id)) / "journal.jsonl")
            for name, value in record.get("m", {}).items()
            if not name.startswith(MACHINE)
        ]
        for operation in plan.of_kind(TrainOperation)
    }


class Watched:
    """The events of a run."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def of(self, name: str) -> list[str]:
        return [event.operation for event in self.events if event.name == name]


def carry_out(plan: Plan, root: Path, **how: object) -> tuple[Outcome, Watched]:
    watched = Watched()
    return run(plan, Execution(store=root, **how), watched), watched  # type: ignore[arg-type]


def states(plan: Plan, root: Path) -> dict[str, str]:
    return {f"{one.curriculum}/s{one.seed}": one.state for one in status(plan, Store(root))}
