"""A small study, trained by the engine, is in MLflow as its journals have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from procdsl.compiler import compile
from procdsl.plan import MeasureOperation
from runner import engine
from runner.bind import bind
from runner.endings import as_run
from runner.events import ignore
from runner.execution import Execution
from runner.store import Store, read_json
from runner.tracking import resolve_uri, start_sender
from runner.tracking.journal import read
from runner.tracking.trajectory import legs, name_of
from tests.runner.tracking.tracked import Tracked

pytestmark = pytest.mark.slow

SPEC = """
procdsl = 1
name = "real"
question = "Are the journals and MLflow one?"
seeds = [0]
[grammars.round]
kind = "dyck"
k = 2
length = 16
[grammars.square]
kind = "dyck"
k = 4
length = 16
[model]
layers = 1
heads = 2
width = 16
context = 16
[training]
batch_rows = 8
optimiser = { kind = "adamw", lr = 3e-3 }
schedule = { kind = "cosine" }
[transfers.body]
take = ["attention", "mlp", "norm"]
[curricula.alone]
baseline = true
phases = [{ name = "main", data = "square", tokens = 5120 }]
[curricula.warmed]
phases = [
  { name = "warmup", data = "round", tokens = 2560 },
  { name = "main", data = "square", tokens = 5120, start = { from = "warmup", transfer = "body" } },
]
[evaluations.square]
kind = "loss"
on = "square"
phases = "main"
every = "50%"
rows = 16
"""


STOP = """[evaluations.round]
kind = "loss"
on = "round"
phases = "warmup"
every = "3 steps"
rows = 16
[compare]
metric = "square/loss"
"""


@pytest.mark.parametrize("ends", [False, True], ids=["budgets", "a rule ends a phase"])
def test_mlflow_has_what_the_journals_have(store: Store, tmp_path: Path, ends: bool) -> None:
    rule = 'tokens = 2560, stop = { metric = "round/loss", reaches = 1.9 }'
    spec = SPEC.replace("tokens = 2560", rule) + STOP if ends else SPEC
    (tmp_path / "real.toml").write_text(spec)
    execution = Execution(store.root)
    plan = bind(compile(tmp_path / "real.toml", profile="none").plan, store, execution, ignore)
    sender = start_sender(plan, store, execution)
    assert not engine.run(plan, execution, ignore).failed
    assert sender.finish() == 0
    plan = as_run(plan, store)
    assert (plan.trials[1].phases[0].procedural_tokens < 2560) == ends
    tracked = Tracked(plan, store, resolve_uri(store))
    counts = tracked.counts()
    assert set(counts.values()) == {1}
    for trial in plan.trials:
        for leg in legs(plan, trial, store):
            journalled = {
                (leg.tokens_before + record["n"], record["m"]["train/loss"])
                for record in read(leg.journal)
                if "train/loss" in record.get("m", {})
            }
            assert journalled
            assert journalled <= set(tracked.history(name_of(trial), "train/loss"))
        measure = plan.operation(trial.measures[-1], MeasureOperation)
        last = legs(plan, trial, store)[-1]
        final = read_json(last.place / "measurements" / f"{plan.key(measure.id)}.json")["40"]["loss"]
        assert tracked.history(name_of(trial), "result/square_loss") == [(0, final)]
        for leg in legs(plan, trial, store)[:-1] if ends else ():
            steps = [step for step, _ in tracked.history(name_of(trial), "eval/round/loss")]
            assert steps[-1] == leg.operation.tokens
            assert len(tracked.history(name_of(trial), "result/round_loss")) == 1
        reached = last.tokens_before + 40 * 8 * last.operation.context
        assert tracked.history(name_of(trial), "eval/square/loss")[-1] == (reached, final)
