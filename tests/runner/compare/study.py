"""A small study with results, written through the store's and the journal's own writers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from random import Random

from procdsl.plan import (
    Binding,
    BytesTokenizer,
    Comparison,
    Feed,
    MeasureOperation,
    ModelShape,
    Operation,
    Plan,
    Stage,
    TrainOperation,
    Trial,
    TrialPhase,
    Vocabulary,
)
from procdsl.plan.sources.builtin import BuiltinSource
from procdsl.programs.base import Lengths
from procdsl.programs.dyck import DyckProgram
from procdsl.programs.measurements.loss import LossMeasurement
from runner.store import Store, write_json
from runner.tracking.journal import Journal
from tests.runner.corpora import made
from tests.runner.training import measured_by, phase, words

CONTEXT, ROWS, STEPS, EVERY = 64, 8, 100, 10
WARM = 20
Value = Callable[[str, int, float], float]
_LOSS = LossMeasurement(source="prepare.c4", rows=8)

_PYDOCS = BuiltinSource(name="pydocs")
_BOUND = {"source": _PYDOCS, "tokenizer": BytesTokenizer(), "revision": "1", "digest": "d1g35t" * 5}
_TEXT = made.operation(id="prepare.c4", name="c4", source=_PYDOCS, binding=Binding(**_BOUND, fallback=True))  # type: ignore[arg-type]
_DYCK = words("dyck", DyckProgram(k=4, lengths=Lengths(values=(64,))), tuple("abcdefgh"), 64)


def _train(id: str, seed: int, source: str, steps: int, start: str | None = None) -> TrainOperation:
    shape = ModelShape(layers=1, heads=1, width=8, context=CONTEXT)
    vocabulary = Vocabulary(text="prepare.c4", text_size=257, tokens=_DYCK.tokens)
    content = {"seed": seed, "data_seed": seed, "start": start, "vocabulary": vocabulary, "model": shape}
    stages = (Stage(steps=steps, shares=(1.0,)),)
    feeds = (Feed(source=source),)
    return phase(id=id, feeds=feeds, stages=stages, context=CONTEXT, batch_rows=ROWS, **content)


def make_plan(
    seeds: tuple[int, ...] = (0, 1, 2),
    study: str = "toy",
    steps: Mapping[str, int] | None = None,
    question: str = "",
) -> Plan:
    """Text alone; Dyck then text; the same with less text. `steps`: of the text phase, by curriculum."""
    steps = steps or {"text_only": STEPS, "dyck_then_text": STEPS, "dyck_less_text": 60}
    base = next(iter(steps))
    families = tuple(dict.fromkeys(name.split("_")[0] for name in steps if name != base))
    generators = [_DYCK.model_copy(update={"id": f"generate.{name}", "name": name}) for name in families]
    operations: list[Operation] = [_TEXT, *generators]
    trials = []
    for seed in seeds:
        operations += [_train(f"warm.{name}.s{seed}", seed, f"generate.{name}", WARM) for name in families]
        for name, count in steps.items():
            warm = None if name == base else f"warm.{name.split('_')[0]}.s{seed}"
            train = _train(f"{name}.s{seed}", seed, "prepare.c4", count, warm)
            named = {"id": f"{train.id}.val", "name": "val", "train": train.id, "data_seed": seed}
            measure = measured_by(_LOSS, steps=tuple(range(0, count + 1, EVERY)), **named)
            operations += [train, measure]
            first = (_warm_phase(warm),) if warm else ()
            last = TrialPhase(
                name="text", train=train.id, text_tokens=count * ROWS * CONTEXT, procedural_tokens=0
            )
            trials.append(Trial(curriculum=name, seed=seed, phases=(*first, last), measures=(measure.id,)))
    return Plan(
        study=study,
        question=question,
        profile="cpu",
        operations=tuple(operations),  # type: ignore[arg-type]
        trials=tuple(trials),
        comparisons=(Comparison(metric="val/loss", baseline=base),),
    )


def _warm_phase(train: str) -> TrialPhase:
    return TrialPhase(name="warm", train=train, text_tokens=0, procedural_tokens=WARM * ROWS * CONTEXT)


def usual(curriculum: str, seed: int, share: float) -> float:
    """A falling curve; what was warmed up falls faster, and every seed has its own level."""
    speed = 3.0 if curriculum.startswith("dyck") else 2.0
    wobble = 0.03 * Random(seed).random() + 0.01 * Random(f"{curriculum} {seed}").random()
    return 2.0 + wobble + 3.5 * math.exp(-speed * share)


def fill(
    plan: Plan, store: Store, value: Value = usual, *, leave: tuple[str, ...] = (), **facts: object
) -> None:
    """Write journals, measurements and DONE.json of every train operation but those in `leave`."""
    curricula = {phase.train: trial for trial in plan.trials for phase in trial.phases}
    for operation in plan.of_kind(TrainOperation):
        if operation.id in leave:
            continue
        key, trial = plan.key(operation.id), curricula[operation.id]
        place = store.describe(operation, key)
        with Journal(place / "journal.jsonl") as journal:
            for step in range(1, operation.steps + 1):
                loss = value(trial.curriculum, trial.seed, step / STEPS) + 0.01 * math.sin(step)
                journal.log(step, step * ROWS * CONTEXT, {"train/loss": loss})
        for measure in plan.of_kind(MeasureOperation):
            if measure.train == operation.id:
                losses = {s: value(trial.curriculum, trial.seed, s / STEPS) for s in measure.steps}
                found = {str(s): {"loss": loss, "perplexity": math.exp(loss)} for s, loss in losses.items()}
                (place / "measurements").mkdir(exist_ok=True)
                write_json(place / "measurements" / f"{plan.key(measure.id)}.json", found)
        conditions = {"device": "cpu x86_64", "threads": 1} | facts
        store.finish("train", key, {"tokens_per_s": 15_000.0 + trial.seed, "conditions": conditions})
