"""The speed that estimates of time stand on is that of the step which would train here."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from runner import calibrate
from runner.execution import Execution
from runner.replicas.stack import Stack
from tests.runner.training import dyck, phase, plan_of


@pytest.mark.parametrize("kernels", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_phase_is_timed_on_random_ids(monkeypatch: pytest.MonkeyPatch, kernels: bool) -> None:
    monkeypatch.setattr(calibrate, "SECONDS", 0.0)
    operation = phase(source := dyck())
    plan = plan_of(source, operation)
    execution = Execution(Path(), kernels=kernels)
    assert calibrate.tokens_per_second(plan, operation, operation.vocabulary.size, execution) > 0


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_of_several_side_by_side_one_is_told(monkeypatch: pytest.MonkeyPatch, replicas: int) -> None:
    """Two updates, of as many models as would be trained together; the clock ticks when it is read."""
    monkeypatch.setattr(calibrate, "SECONDS", 0.0)
    monkeypatch.setattr(calibrate.time, "perf_counter", itertools.count().__next__)
    stepped = list[int]()
    step = Stack.step
    monkeypatch.setattr(Stack, "step", lambda self, turns: (stepped.append(len(turns)), step(self, turns))[1])
    source = dyck()
    phases = [phase(source, id=f"s{seed}", seed=seed) for seed in range(5)]
    plan, one = plan_of(source, *phases), phases[4]
    execution = Execution(Path(), kernels=False, replicas=replicas)
    fed = calibrate.tokens_per_second(plan, one, one.vocabulary.size, execution)
    assert fed == one.batch_rows * one.context
    # Five are two groups of two and three, or in threes, as equal as may be.
    assert stepped == {1: [], 2: [2] * 3, 3: [3] * 3}[replicas]
