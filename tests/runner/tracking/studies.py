"""A small study whose journals are written by the real Journal, as a training loop would write them."""

from __future__ import annotations

from procdsl.plan import (
    AnyOperation,
    Comparison,
    Feed,
    MeasureOperation,
    ModelShape,
    Plan,
    Stage,
    TrainOperation,
    TransferOperation,
    TransferRule,
    Trial,
    TrialPhase,
    Vocabulary,
)
from procdsl.plan.sources.builtin import BuiltinSource
from procdsl.programs.base import SPECIALS, Lengths
from procdsl.programs.dyck import DyckProgram
from procdsl.programs.measurements.loss import LossMeasurement
from runner.store import Store, write_json
from runner.tracking.journal import Journal
from tests.runner.corpora.made import operation
from tests.runner.training import measured_by, phase, words

MODEL = ModelShape(layers=1, heads=1, width=8, context=16)
BRACKETS = ("(", ")", *SPECIALS)
ROWS = 4


def train(id: str, source: str, *, steps: int, seed: int, start: str | None = None) -> TrainOperation:
    text = source == "text"
    vocabulary = Vocabulary(text="text", text_size=257) if text else Vocabulary(tokens=BRACKETS)
    content = {"seed": seed, "data_seed": seed, "start": start, "vocabulary": vocabulary, "model": MODEL}
    stages = (Stage(steps=steps, shares=(1.0,)),)
    return phase(id=id, feeds=(Feed(source=source),), stages=stages, batch_rows=ROWS, **content)


def study(*, steps: int = 40, seeds: int = 2, name: str = "tiny") -> Plan:
    """Two curricula over `seeds` seeds: text alone, and brackets before text."""
    operations: list[AnyOperation] = [
        operation(id="text", name="c4", source=BuiltinSource(name="pydocs")),
        words("brackets", DyckProgram(k=1, lengths=Lengths(values=(16,))), BRACKETS[:2], 16, id="dyck"),
    ]
    trials: list[Trial] = []
    for seed in range(seeds):
        warmup = train(f"warmup-s{seed}", "dyck", steps=steps // 2, seed=seed)
        move = TransferOperation(
            id=f"move-s{seed}",
            seed=seed,
            model=MODEL,
            vocabulary=Vocabulary(text="text", text_size=257),
            rules=(TransferRule(component="attention", action="take", source=warmup.id),),
        )
        alone = train(f"alone-s{seed}", "text", steps=steps, seed=seed)
        after = train(f"after-s{seed}", "text", steps=steps, seed=seed, start=move.id)
        measures = [measure(f"loss-{op.id}", op) for op in (alone, after)]
        operations += [warmup, move, alone, after, *measures]
        fed = steps * ROWS * 16
        text = {"text_tokens": fed, "procedural_tokens": 0}
        first = TrialPhase(name="warmup", train=warmup.id, text_tokens=0, procedural_tokens=fed // 2)
        trials += [
            Trial(
                curriculum="text_only",
                seed=seed,
                phases=(TrialPhase(name="text", train=alone.id, **text),),
                measures=(measures[0].id,),
            ),
            Trial(
                curriculum="dyck_then_text",
                seed=seed,
                phases=(first, TrialPhase(name="text", train=after.id, **text)),
                measures=(measures[1].id,),
            ),
        ]
    compared = (Comparison(metric="c4/loss", baseline="text_only"),)
    return Plan(study=name, operations=tuple(operations), trials=tuple(trials), comparisons=compared)


def measure(id: str, train: TrainOperation) -> MeasureOperation:
    steps = (0, train.steps // 2, train.steps)
    return measured_by(LossMeasurement(source="text", rows=2), id=id, name="c4", train=train.id, steps=steps)


class Trainer:
    """Writes what a training loop leaves in the store: journals, measurements, the mark of completeness."""

    def __init__(self, plan: Plan, store: Store) -> None:
        self.plan, self.store = plan, store

    def steps(self, id: str, first: int, last: int, *, extra: int = 0) -> None:
        """Steps `first` to `last` of an operation, with `extra` metrics besides the loss."""
        operation = self.plan.operation(id, TrainOperation)
        place = self.store.describe(operation, self.plan.key(id))
        with Journal(place / "journal.jsonl") as journal:
            for step in range(first, last + 1):
                metrics = {"train/loss": 5 / step} | {f"extra/m{i}": i / step for i in range(extra)}
                journal.log(step, step * ROWS * 16, metrics)

    def finish(self, id: str) -> None:
        """The evaluations of an operation, and the mark that it is complete."""
        key = self.plan.key(id)
        place = self.store.place("train", key)
        (place / "measurements").mkdir(exist_ok=True)
        for op in self.plan.of_kind(MeasureOperation):
            if op.train == id:
                values = {str(step): {"loss": 4.0 - step / 100, "perplexity": 50.0} for step in op.steps}
                write_json(place / "measurements" / f"{self.plan.key(op.id)}.json", values)
        self.store.finish("train", key, {})

    def all(self, *, extra: int = 0) -> None:
        for op in self.plan.of_kind(TrainOperation):
            self.steps(op.id, 1, op.steps, extra=extra)
            self.finish(op.id)
