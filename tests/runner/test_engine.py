"""The engine: what is missing is done once, what fails takes down what needs it, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from procdsl.errors import UsageError
from procdsl.plan import Plan
from runner.engine import Outcome
from runner.failures import failures, forgive
from runner.status import status
from runner.store import Locked, Store, hold, read_json
from tests.runner.studies import carry_out, parameters, states, study


def test_a_shared_phase_is_trained_once_and_a_second_run_does_nothing(tmp_path: Path) -> None:
    plan = study()
    outcome, watched = carry_out(plan, tmp_path)
    assert outcome == Outcome(done=("plain/s0", "first/s0", "second/s0"))
    assert sorted(watched.of("done")) == ["body.s0", "first.s0", "plain.s0", "second.s0", "warm.s0"]
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}

    outcome, watched = carry_out(plan, tmp_path)
    assert len(outcome.done) == 3
    assert watched.events == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == files
    assert states(plan, tmp_path) == dict.fromkeys(outcome.done, "done")
    assert [one.shared for one in status(plan, Store(tmp_path))] == [(), ("warmup",), ("warmup",)]


def test_results_have_readable_names_and_say_where_they_come_from(tmp_path: Path) -> None:
    plan = study(curricula=("first",), seeds=(3,))
    carry_out(plan, tmp_path)
    trial = tmp_path / "studies/tiny/first/s3"
    assert sorted(path.name for path in trial.iterdir()) == ["01-warmup", "02-main"]
    known = read_json(trial / "02-main/provenance.json")
    assert known["threads"] == 1
    assert known["versions"]["torch"]
    assert set(known["environment"]) <= {
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "PYTHONHASHSEED",
    }


def test_only_the_trials_asked_for_are_done(tmp_path: Path) -> None:
    plan = study(seeds=(0, 1))
    outcome, watched = carry_out(plan, tmp_path, only=("first",), seeds=(1, 2))
    assert outcome.done == ("first/s1",)
    assert sorted(watched.of("done")) == ["body.s1", "first.s1", "warm.s1"]
    assert states(plan, tmp_path)["first/s0"] == "pending"
    for wrong in [{"only": ("frist",)}, {"seeds": (7,)}]:
        with pytest.raises(UsageError, match="the study has no"):
            carry_out(plan, tmp_path, **wrong)


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_failed_operation_fails_only_the_trials_that_need_it(jobs: int, tmp_path: Path) -> None:
    plan = study()
    block(plan, "body.s0", tmp_path)
    outcome, watched = carry_out(plan, tmp_path, jobs=jobs)
    assert (outcome.done, outcome.failed, outcome.exit_code) == (("plain/s0",), ("first/s0", "second/s0"), 1)
    assert watched.of("failed") == ["body.s0"]
    assert states(plan, tmp_path) == {"plain/s0": "done", "first/s0": "failed", "second/s0": "failed"}
    assert status(plan, Store(tmp_path))[1].reason == outcome.reasons["first/s0"]

    unblock(plan, "body.s0", tmp_path)
    assert carry_out(plan, tmp_path, jobs=jobs)[0].exit_code == 0
    assert set(states(plan, tmp_path).values()) == {"done"}


def block(plan: Plan, id: str, root: Path) -> None:
    """Put a folder where an operation's output file must go: a failure that a person can mend."""
    operation = plan.by_id[id]
    place = Store(root).place(operation.kind, plan.key(id))
    (place / "model.safetensors").mkdir()


def unblock(plan: Plan, id: str, root: Path) -> None:
    (Store(root).path(plan.by_id[id].kind, plan.key(id)) / "model.safetensors").rmdir()


def test_what_fails_three_times_alike_is_given_up_and_tried_again_when_told(tmp_path: Path) -> None:
    plan = study(curricula=("first",))
    block(plan, "body.s0", tmp_path)
    tries = [carry_out(plan, tmp_path)[0].reasons["first/s0"] for _ in range(4)]
    assert len(failures(Store(tmp_path), plan, "body.s0")) == 3
    assert "failed 3 times at step 0 and is not tried again" not in tries[2]
    assert "failed 3 times at step 0 and is not tried again" in tries[3]
    assert "[repeated]" in tries[3]

    unblock(plan, "body.s0", tmp_path)
    assert carry_out(plan, tmp_path)[0].exit_code == 1
    forgive(plan, Store(tmp_path))
    assert carry_out(plan, tmp_path)[0].exit_code == 0


def test_an_output_that_lost_a_file_is_made_again(tmp_path: Path) -> None:
    plan = study(curricula=("first",))
    carry_out(plan, tmp_path)
    before = parameters(plan, Store(tmp_path))
    transfer = tmp_path / f"objects/transfer-{plan.key('body.s0')}/model.safetensors"
    main = tmp_path / f"objects/train-{plan.key('first.s0')}"
    transfer.unlink()
    (main / "checkpoints/step-00000012/model.safetensors").unlink()
    (main / "checkpoints/step-00000012").rename(main / "checkpoints/gone")
    outcome, watched = carry_out(plan, tmp_path)
    assert outcome.exit_code == 0
    assert set(watched.of("done")) == {"body.s0", "first.s0"}
    assert parameters(plan, Store(tmp_path)) == before


# ---------------------------------------------------------------- two runs at once


def test_a_second_run_of_a_trial_says_who_holds_it(tmp_path: Path) -> None:
    plan = study()
    store = Store(tmp_path)
    with hold(store.claim("tiny", "first", 0), "trial first/s0"):
        with pytest.raises(Locked, match="trial first/s0 is held by process"):
            carry_out(plan, tmp_path)
        assert states(plan, tmp_path)["first/s0"] == "pending"
        with store.lock("train", plan.key("first.s0")):
            assert states(plan, tmp_path)["first/s0"] == "running"
        assert carry_out(plan, tmp_path, only=("plain",))[0].exit_code == 0


@pytest.mark.slow
def test_two_runs_share_a_store_and_a_first_phase(tmp_path: Path) -> None:
    """Different trials at once; the warm-up that both need is trained by one, and the other waits."""
    plan = study(steps=300, measured=(300,))
    path = tmp_path / "plan.json"
    path.write_text(plan.model_dump_json())
    words = [
        sys.executable,
        "-m",
        "runner",
        str(path),
        "--store",
        str(tmp_path / "store"),
        "--jobs",
        "1",
        "--only",
    ]
    runs = [
        subprocess.Popen([*words, name], stderr=subprocess.PIPE, text=True)
        for name in ("first", "second", "first")
    ]
    told = [process.communicate(timeout=600)[1] for process in runs]
    codes = [process.returncode for process in runs]
    assert sorted(codes) == [0, 0, 2], told
    assert codes[1] == 0
    assert "trial first/s0 is held by process" in told[codes.index(2)]
    assert sum("done warm.s0" in text for text in told) == 1
    assert set(states(plan, tmp_path / "store").values()) == {"pending", "done"}
