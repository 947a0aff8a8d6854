"""The speed that estimates of time stand on is that of the step which would train here."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner import calibrate
from runner.execution import Execution
from tests.runner.training import dyck, phase, plan_of


@pytest.mark.parametrize("kernels", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_phase_is_timed_on_random_ids(monkeypatch: pytest.MonkeyPatch, kernels: bool) -> None:
    monkeypatch.setattr(calibrate, "SECONDS", 0.0)
    operation = phase(source := dyck())
    plan = plan_of(source, operation)
    execution = Execution(Path(), kernels=kernels)
    assert calibrate.tokens_per_second(plan, operation, operation.vocabulary.size, execution) > 0
