"""A study that is stopped or killed, and run again, ends in the very numbers of one that never was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from runner.engine import Outcome, run
from runner.events import Event, ignore
from runner.execution import Execution
from runner.store import Store
from tests.runner.studies import curves, parameters, study

PLAN = study(curricula=("first",), steps=6, measured=(3, 6))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The study, never stopped."""
    store = Store(tmp_path_factory.mktemp("whole"))
    assert run(PLAN, Execution(store=store.root), ignore).done == ("first/s0",)
    return store


def same(store: Store, whole: Store) -> None:
    assert parameters(PLAN, store) == parameters(PLAN, whole)
    found, expected = curves(PLAN, store), curves(PLAN, whole)
    for id, points in found.items():
        assert sorted(points) == sorted(expected[id]), id
        assert len(points) == len(set(points)), f"{id} has points twice"


@pytest.mark.parametrize("saves", [0, 3600], ids=["every step saved", "only the stop saved"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGUSR1"])
def test_a_signal_stops_after_the_step_and_the_next_run_goes_on(
    name: str, saves: float, whole: Store, tmp_path: Path
) -> None:
    """Stopped at every measurement, start and save of the first kind, one run after another, to the end."""
    seen: set[tuple[str, str, int]] = set()
    sent = [0]
    execution = Execution(store=tmp_path, checkpoint_seconds=saves)
    before = signal.getsignal(getattr(signal, name))

    def stop_once(event: Event) -> None:
        point = (event.name, event.operation, event.facts.get("step", 0))
        if (
            event.name in {"start", "measured", "checkpoint"}
            and point not in seen
            and len(outcomes) == sent[0]
        ):
            seen.add(point)
            sent[0] += 1
            os.kill(os.getpid(), getattr(signal, name))

    outcomes: list[Outcome] = []
    while not outcomes or outcomes[-1].stopped:
        outcomes.append(run(PLAN, execution, stop_once))
        assert len(outcomes) < 40
    assert outcomes[0].exit_code == 3
    assert outcomes[-1].done == ("first/s0",)
    assert len(outcomes) > 4
    assert signal.getsignal(getattr(signal, name)) == before
    same(Store(tmp_path), whole)


KILLS = [
    ("start", "warm.s0", 0),
    ("checkpoint", "warm.s0", 1),
    ("checkpoint", "warm.s0", 6),
    ("done", "warm.s0", 0),
    ("done", "body.s0", 0),
    ("start", "first.s0", 0),
    ("measured", "first.s0", 3),
    ("checkpoint", "first.s0", 4),
    ("measured", "first.s0", 6),
    ("done", "first.s0", 0),
]


def killed(store: Path, plan: Path, kill: tuple[str, str, int], number: str) -> int:
    words = [sys.executable, "-m", "tests.runner.killed", str(plan), str(store), *map(str, kill), number]
    return subprocess.run(
        words, check=False, timeout=600, env=os.environ | {"OMP_NUM_THREADS": "1"}
    ).returncode


@pytest.mark.slow
def test_kill_9_at_many_points_one_after_another(whole: Store, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(PLAN.model_dump_json())
    for kill in KILLS:
        assert killed(tmp_path / "store", plan, kill, "SIGKILL") == -signal.SIGKILL, kill
    assert run(PLAN, Execution(store=tmp_path / "store"), ignore).done == ("first/s0",)
    same(Store(tmp_path / "store"), whole)


@contextmanager
def long_run(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Two long trials in two workers of a run of its own, both training."""
    plan = study(curricula=("plain",), seeds=(0, 1), steps=200_000, measured=(200_000,))
    path = folder / "plan.json"
    path.write_text(plan.model_dump_json())
    words = [sys.executable, "-m", "runner", str(path), "--store", str(folder / "store"), "--jobs", "2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        words, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        assert process.stderr is not None
        begun = 0
        while begun < 2:
            begun += process.stderr.readline().startswith("start")
            assert process.poll() is None
        try:
            yield process
        finally:
            process.kill()


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.slow
def test_ctrl_c_on_the_terminal_stops_run_and_workers(tmp_path: Path) -> None:
    """A terminal sends the signal to the whole group; the workers leave it to the run."""
    with long_run(tmp_path) as process:
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=300) == 3
        assert process.stderr is not None
        assert "0 trials done, 0 failed, 2 stopped" in process.stderr.read()
    assert len(list(tmp_path.glob("store/objects/*/checkpoints/step-*"))) == 2


@pytest.mark.slow
def test_the_second_signal_ends_a_run_whose_workers_hang(tmp_path: Path) -> None:
    with long_run(tmp_path) as process:
        workers = workers_of(process)
        for worker in workers:
            worker.suspend()
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 3
    psutil.wait_procs(workers, timeout=60)
    assert not any(worker.is_running() for worker in workers)


@pytest.mark.slow
def test_workers_end_with_a_run_that_is_killed(tmp_path: Path) -> None:
    with long_run(tmp_path) as process:
        workers = workers_of(process)
        process.kill()
        process.wait()
        psutil.wait_procs(workers, timeout=120)
    assert not any(worker.is_running() for worker in workers)
