"""Where a record of an operation stands in a trial, and what is pending, without MLflow."""

from __future__ import annotations

import json
import subprocess
import sys

from procdsl.plan import Plan
from runner.execution import Execution
from runner.shares import fed
from runner.store import Store
from runner.tracking import start_sender
from runner.tracking.journal import Journal
from runner.tracking.receipts import Course, Study
from runner.tracking.trajectory import Clock, identity, legs, metric_name, points
from tests.plans import SPECS, golden
from tests.runner.tracking.studies import Trainer, study


def test_shared_phases_are_moved_to_where_they_stand_in_each_trial(store: Store) -> None:
    plan = study(steps=40)
    trial = plan.trials[1]
    _, text = legs(plan, trial, store)
    assert (text.tokens_before, text.steps_before, text.text_before) == (20 * 64, 20, 0)
    record = {"t": 7, "s": 3, "n": 192, "m": {"train/loss": 2.0, "eval/c4/loss": 9.0, "perf/x": 1.0}}
    found = {point.name: (point.value, point.time, point.step) for point in points(plan, text, record)}
    assert found == {
        "train/loss": (2.0, 7, 20 * 64 + 192),
        "perf/x": (1.0, 7, 20 * 64 + 192),
        "progress/optimizer_step": (23, 7, 20 * 64 + 192),
        "progress/text_tokens": (192, 7, 20 * 64 + 192),
        "progress/phase": (1, 7, 20 * 64 + 192),
    }


def test_what_came_before_in_another_curriculum_is_counted(store: Store) -> None:
    """The needle's first phases are curricula of their own: 64 rows of 128 tokens, 40,000 steps at most."""
    kept = json.loads(golden(SPECS / "needle.toml", None).read_text("utf-8"))
    plan = Plan.model_validate({name: kept[name] for name in kept if name in Plan.model_fields})
    trials = {trial.curriculum: trial for trial in plan.trials}
    alone, after = trials["scratch_lr0_001"], trials["dyck_attention_lr0_001"]
    first, task = 64 * 128 * 40_000, legs(plan, alone, store)[-1].operation.tokens
    assert fed(plan, alone) == (0, task)
    assert fed(plan, after) == (0, first + task)
    (leg,) = legs(plan, after, store)
    assert (leg.tokens_before, leg.steps_before, leg.text_before) == (first, 40_000, 0)


def test_a_step_keeps_its_time_whenever_it_is_asked_for(store: Store) -> None:
    plan = study(steps=40, seeds=1)
    leg = legs(plan, plan.trials[0], store)[0]
    clock = Clock(leg)
    assert clock.time(20) is None
    with Journal(leg.journal) as journal:
        for step in (10, 20, 30):
            journal.log(step, step, {"train/loss": 1.0})
    told = clock.time(15), clock.time(20)
    assert told[0] == told[1]
    assert clock.time(40) is None
    with Journal(leg.journal) as journal:
        journal.log(20, 20, {"train/loss": 2.0})
    assert (clock.time(15), Clock(leg).time(20)) == told


def test_another_store_or_other_training_is_another_run() -> None:
    plan, longer = study(steps=40), study(steps=42)
    trial = plan.trials[0]
    names = {
        identity(plan, trial, "a"),
        identity(plan, trial, "b"),
        identity(plan, plan.trials[1], "a"),
        identity(longer, longer.trials[0], "a"),
    }
    assert len(names) == 4
    assert identity(study(steps=40), trial, "a") in names


def test_names_are_those_that_mlflow_takes() -> None:
    assert metric_name("eval/c4/bits_per_byte") == "eval/c4/bits_per_byte"
    assert metric_name("//a/../b%é") == "a/_/b__"
    assert len(metric_name("x" * 999)) == 250


def test_pending_counts_every_point_and_nothing_that_is_not_begun(store: Store) -> None:
    plan = study(steps=40)
    trainer = Trainer(plan, store)
    assert Study(plan, store, "http://x").pending() == 0
    trainer.steps("warmup-s0", 1, 20)
    assert Study(plan, store, "http://x").pending() == 0  # nobody knows yet whether the trial is meant
    trainer.steps("after-s0", 1, 10)
    assert Study(plan, store, "http://x").pending() == (20 + 10) * 4
    course = Course(plan, plan.trials[1], store, "http://x")
    course.receipt.offsets = {leg.key: leg.journal.stat().st_size for leg in course.legs}
    course.save()
    assert Study(plan, store, "http://x").pending() == 0
    trainer.finish("after-s0")
    assert Study(plan, store, "http://x").pending() == 3 * 2


def test_a_finished_and_delivered_study_loads_no_mlflow(store: Store) -> None:
    plan = study(steps=4, seeds=1)
    Trainer(plan, store).all()
    for course in Study(plan, store, f"sqlite:///{store.root.resolve()}/mlflow.db").courses:
        course.receipt.offsets = {leg.key: leg.journal.stat().st_size for leg in course.legs}
        course.receipt.measured = {
            plan.key(id): list(plan.by_id[id].steps)  # type: ignore[union-attr,arg-type]
            for id in course.trial.measures
        }
        course.receipt.status = "FINISHED"
        course.save()
    (store.root / "mlflow.db").touch()
    sender = start_sender(plan, store, Execution(store.root))
    assert not sender.running
    assert sender.finish() == 0
    seen = "import sys, runner.tracking; assert not {'mlflow', 'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", seen], check=True)
