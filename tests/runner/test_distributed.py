"""Two processes give the losses and parameters of one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from procdsl.plan import Plan, Stage
from tests.runner.training import carry_out, dyck, iid, journal, loss_of, parameters, phase, plan_of, rule

pytestmark = [pytest.mark.dist, pytest.mark.slow]


def study() -> Plan:
    """At most 6 steps, of which a rule that all processes must agree on leaves 5."""
    one, other = dyck(), iid()
    stages = (Stage(steps=6, shares=(0.6, 0.4)),)
    measured = loss_of(one, steps=(3, 6))
    stop = rule(measured.measurement, every=1, threshold=2.05, patience=2)
    operation = phase(one, other, stages=stages, batch_rows=9, stop=stop)
    return plan_of(one, other, operation, measured)


def losses(plan: Plan, root: Path) -> list[float]:
    metrics = (record.get("m", {}) for record in journal(plan, root))
    return [value for found in metrics for name, value in found.items() if "loss" in name]


def torchrun(processes: int, root: Path) -> None:
    """Carry out the study in several processes, and leave none of them behind."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        [*command, __file__, str(root)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        try:
            _, errors = run.communicate(timeout=600)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
        assert run.returncode == 0, errors


def test_two_processes_give_what_one_gives(tmp_path: Path) -> None:
    plan = study()
    assert carry_out(plan, tmp_path / "one")["steps"] == 5
    torchrun(2, tmp_path / "two")
    one, two = losses(plan, tmp_path / "one"), losses(plan, tmp_path / "two")
    assert len(one) == len(two)
    assert two == pytest.approx(one, rel=1e-4)
    shared = parameters(plan, tmp_path / "two")
    for name, tensor in parameters(plan, tmp_path / "one").items():
        torch.testing.assert_close(shared[name], tensor, rtol=1e-3, atol=1e-4)


if __name__ == "__main__":
    carry_out(study(), Path(sys.argv[1]))
    torch.distributed.destroy_process_group()
