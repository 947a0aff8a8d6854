"""Worker processes: several operations at once, the same numbers; a death stays one operation's own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from procdsl.plan import Plan
from runner.engine import run
from runner.events import Event, ignore
from runner.execution import Execution
from runner.store import Store
from tests.runner.studies import carry_out, curves, parameters, study


@pytest.mark.slow
def test_two_at_once_give_the_numbers_of_one(tmp_path: Path) -> None:
    plan = study(seeds=(0, 1))
    for jobs in (1, 2):
        outcome, watched = carry_out(plan, tmp_path / str(jobs), jobs=jobs)
        assert len(outcome.done) == 6
        assert sorted(watched.of("done")) == sorted(set(watched.of("done")))
    one, two = Store(tmp_path / "1"), Store(tmp_path / "2")
    assert parameters(plan, one) == parameters(plan, two)
    assert curves(plan, one) == curves(plan, two)
    assert not [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.slow
def test_a_worker_killed_fails_its_operation_only_and_another_takes_its_place(tmp_path: Path) -> None:
    plan = study(seeds=(0, 1), curricula=("plain",), steps=2000, measured=(2000,))
    killed: list[int] = []

    def kill_one(event: Event) -> None:
        if event.name == "start" and event.operation == "plain.s0":
            # The lock's owner is the worker that carries the operation out.
            place = Store(tmp_path).path("train", plan.key("plain.s0"))
            killed.append(int(psutil.Process(owner(place)).pid))
            os.kill(killed[0], signal.SIGKILL)

    outcome = run(plan, Execution(store=tmp_path, jobs=2), kill_one)
    assert len(killed) == 1
    assert outcome.done == ("plain/s1",)
    assert "died (signal 9) [died]" in outcome.reasons["plain/s0"]
    assert run(plan, Execution(store=tmp_path, jobs=2), ignore).exit_code == 0


def owner(place: Path) -> int:
    return int(json.loads((place / "owner.json").read_text())["pid"])


BLOCKED = """
import runpy, sys
for name in ("mlflow", "datasets", "transformers", "pandas", "rich", "typer", "matplotlib", "scipy"):
    sys.modules[name] = None
sys.argv = ["runner", *sys.argv[1:]]
runpy.run_module("runner", run_name="__main__")
"""


def bare(plan: Plan, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`python -m runner` on a machine that has torch and little else."""
    path = folder / "plan.json"
    path.write_text(plan.model_dump_json())
    command = [sys.executable, "-c", BLOCKED, str(path), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


@pytest.mark.slow
def test_a_bound_plan_runs_where_neither_mlflow_nor_datasets_is(tmp_path: Path) -> None:
    plan = study(curricula=("first",))
    ended = bare(plan, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "1 trials done, 0 failed, 0 stopped" in ended.stderr
    assert (tmp_path / ".procdsl/studies/tiny/plan.json").exists()
    assert parameters(plan, Store(tmp_path / ".procdsl")).keys() == {"warm.s0", "first.s0"}


def test_a_call_that_is_wrong_ends_with_2(tmp_path: Path) -> None:
    plan = study()
    for words, told in [
        (["--only", "frist"], "the study has no curriculum 'frist'"),
        (["--seeds", "a"], "'a' names no seeds"),
        (["--device", "tpu"], "no device is called 'tpu'"),
        (["--jobs", "0"], "--jobs is 0"),
        (["--replicas", "0"], "--replicas is '0'"),
        (["--replicas", "many"], "--replicas is 'many'"),
    ]:
        ended = bare(plan, tmp_path, *words)
        assert (ended.returncode, told in ended.stderr) == (2, True), ended.stderr
        assert "Traceback" not in ended.stderr


@pytest.mark.slow
@pytest.mark.dist
def test_torchrun_carries_out_a_whole_plan(tmp_path: Path) -> None:
    """The first process does everything, the other trains along; a second run finds nothing to do."""
    plan = study(curricula=("first",))
    (tmp_path / "plan.json").write_text(plan.model_dump_json())
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for begun in (2, 0):
        command = [*torchrun, "-m", "runner", str(tmp_path / "plan.json")]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=600, env=environment
        )
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr.count("kind=train") == begun
        assert ended.stderr.count("1 trials done, 0 failed, 0 stopped") == 1
    assert parameters(plan, Store(tmp_path / ".procdsl")).keys() == {"warm.s0", "first.s0"}
