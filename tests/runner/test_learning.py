"""What trains a phase: the kernels where the model is small and the study long enough for compiling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from procdsl.plan import ModelShape, Plan, Stage, TrainOperation
from runner.devices import World, by_kernels
from runner.execution import Execution
from tests.runner.training import TINY, dyck, phase, plan_of

LONG = (Stage(steps=100_000, shares=(1.0,)),)


def chosen(plan: Plan, id: str = "train", world: World = World(0, 1), **execution: Any) -> bool:  # noqa: B008
    operation = plan.operation(id, TrainOperation)
    return by_kernels(plan, operation, Execution(Path(), **execution), world)


def test_a_long_study_of_small_models_is_trained_by_kernels_throughout() -> None:
    source = dyck()
    short = phase(source, id="short")
    plan = plan_of(source, short, phase(source, stages=LONG))
    assert chosen(plan)
    assert chosen(plan, "short")
    assert not chosen(plan_of(source, short), "short")


def test_kernels_can_be_asked_for_and_turned_off() -> None:
    source = dyck()
    assert not chosen(plan_of(source, phase(source, stages=LONG)), kernels=False)
    assert chosen(plan_of(source, phase(source)), kernels=True)


@pytest.mark.parametrize("changes", [{"width": 128}, {"dropout": 0.1}, {"context": 4096}], ids=str)
def test_what_kernels_cannot_do_or_do_slowly_is_left_to_torch(changes: dict[str, Any]) -> None:
    source = dyck()
    model = ModelShape(**TINY.model_dump() | changes)
    assert not chosen(plan_of(source, phase(source, model=model, stages=LONG)), kernels=True)


def test_only_float32_alone_on_a_cpu_is_for_kernels() -> None:
    source = dyck()
    plan = plan_of(source, phase(source, stages=LONG))
    assert not chosen(plan, device="cuda")
    assert not chosen(plan, compile=True)
    assert not chosen(plan, world=World(0, 2))
    assert not chosen(plan_of(source, phase(source, stages=LONG, precision="bf16")), kernels=True)
