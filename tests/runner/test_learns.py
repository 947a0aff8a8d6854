"""A tiny model learns, in seconds, to the known optimum: a loop that is wrong in silence fails here."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from procdsl.grammars.task import Task
from procdsl.plan import GenerateOperation, ModelShape, Optimiser, Schedule, Stage
from procdsl.programs.base import Split
from procdsl.programs.measurements.answer import AnswerMeasurement
from runner.store import Store
from tests.runner.training import carry_out, dyck, iid, loss_of, measured_by, phase, plan_of


def measured(root: Path, train_key: str) -> dict[str, dict[str, float]]:
    (path,) = (Store(root).path("train", train_key) / "measurements").iterdir()
    found: dict[str, dict[str, float]] = json.loads(path.read_text())
    return found


@pytest.mark.slow
def test_independent_symbols_cost_their_entropy_and_no_less(tmp_path: Path) -> None:
    source = iid(count=4)
    operation = phase(
        source,
        batch_rows=64,
        stages=(Stage(steps=300, shares=(1.0,)),),
        optimiser=Optimiser(lr=1e-2),
        schedule=Schedule(kind="linear"),
    )
    plan = plan_of(source, operation, loss_of(source, steps=(0, 300), rows=256))
    carry_out(plan, tmp_path)
    found = measured(tmp_path, plan.key("train"))
    assert found["0"]["loss"] == pytest.approx(math.log(operation.vocabulary.size), rel=0.05)
    assert found["300"]["loss"] == pytest.approx(math.log(4), rel=0.005)
    assert found["300"]["accuracy"] == pytest.approx(0.25, abs=0.03)


@pytest.mark.slow
def test_dyck_is_learned_to_its_entropy(tmp_path: Path) -> None:
    """1-Dyck of length 8 has 14 words, all alike and none held out: ln 14 / 8 nats a symbol."""
    source = dyck(k=1, length=8, split=Split(validation=0, test=0))
    operation = phase(
        source,
        model=ModelShape(layers=2, heads=2, width=32, context=8),
        context=8,
        batch_rows=64,
        stages=(Stage(steps=300, shares=(1.0,)),),
        optimiser=Optimiser(lr=1e-2),
        schedule=Schedule(kind="cosine", warmup=20),
    )
    plan = plan_of(source, operation, loss_of(source, steps=(300,), rows=512, split="train"))
    carry_out(plan, tmp_path)
    assert measured(tmp_path, plan.key("train"))["300"]["loss"] == pytest.approx(math.log(14) / 8, rel=0.03)


def test_a_task_is_learned_on_prompts_that_were_held_out(tmp_path: Path) -> None:
    task = Task(
        input="uniform(sym, length=uniform(1, 3))",
        output="input | reverse",
        symbols={"sym": 4},
        held_out={"validation": 0.3, "test": 0.1},  # type: ignore[arg-type]
    )
    content = {"program": task.program(), "length": 3, "context": task.longest(), "tokens": task.tokens()}
    source = GenerateOperation(id="reverse", name="reverse", **content)
    stages = (Stage(steps=400, shares=(1.0,)),)
    operation = phase(source, context=source.context, batch_rows=32, stages=stages)
    wanted = AnswerMeasurement(source="reverse", rows=300)
    answers = measured_by(wanted, id="answers", name="answers", steps=(400,))
    plan = plan_of(source, operation, answers)
    carry_out(plan, tmp_path)
    assert measured(tmp_path, plan.key("train"))["400"]["exact_match"] > 0.9
