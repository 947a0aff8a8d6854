"""`procdsl run`, `status` and `prune` as a person types them, on a study of seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SPEC = """
procdsl = 1
name = "tiny"
seeds = [0, 1]

[grammars.brackets]
kind = "dyck"
k = 2
length = 16

[model]
layers = 1
heads = 2
width = 16
context = 16

[training]
batch_tokens = 128
precision = "fp32"
optimiser = { kind = "adamw", lr = 1e-2 }
schedule = { kind = "constant" }

[curricula.plain]
baseline = true
phases = [{ name = "brackets", data = "brackets", tokens = "2_560" }]

[curricula.longer]
phases = [{ name = "brackets", data = "brackets", tokens = "3_840" }]

[evaluations.held_out]
kind = "loss"
on = "brackets"
every = "50%"
rows = 8

[compare]
metric = "held_out/loss"
"""


def procdsl(*words: str | Path, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *python, "-m", "procdsl", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that has been run, in a folder whose name is not plain ASCII."""
    path = tmp_path_factory.mktemp("a study in größe") / "tiny.toml"
    path.write_text(SPEC)
    ended = procdsl("run", path, "--no-tracking", "--jobs", "1")
    assert ended.returncode == 0, ended.stderr
    assert "held_out/loss by curriculum" in ended.stdout
    assert "\r" not in ended.stdout + ended.stderr
    assert "\x1b" not in ended.stdout + ended.stderr
    return path


def states(spec: Path, *words: str) -> list[tuple[str, int, str]]:
    found: dict[str, Any] = json.loads(procdsl("status", spec, "--json", *words).stdout)
    return [(trial["curriculum"], trial["seed"], trial["state"]) for trial in found["trials"]]


def test_a_second_run_only_compares_and_loads_nothing_heavy(spec: Path) -> None:
    again = procdsl("run", spec, "--no-tracking", "--json", python=("-X", "importtime"))
    assert again.returncode == 0
    found = json.loads(again.stdout)
    assert (len(found["done"]), found["failed"], found["stopped"]) == (4, [], [])
    assert found["comparison"]["finished"] == 4
    loaded = {
        line.rpartition("|")[2].strip()
        for line in again.stderr.splitlines()
        if line.startswith("import time")
    }
    assert "runner.engine" in loaded
    assert not loaded & {"torch", "mlflow", "datasets", "transformers", "pandas", "numba"}


def test_quiet_says_nothing_when_all_is_well(spec: Path) -> None:
    ended = procdsl("run", spec, "--no-tracking", "--quiet")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_status_says_how_each_trial_stands(spec: Path) -> None:
    assert states(spec) == [(name, seed, "done") for name in ("plain", "longer") for seed in (0, 1)]
    assert states(spec, "--set", "training.optimiser.lr=1e-3")[0] == ("plain", 0, "pending")
    assert "tiny: 4 done, 0 running, 0 failed, 0 pending" in procdsl("status", spec).stdout


def test_status_before_the_first_run_says_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "new.toml").write_text(SPEC)
    ended = procdsl("status", tmp_path / "new.toml")
    assert ended.returncode == 2
    assert "has not been run yet" in ended.stderr


@pytest.mark.slow
def test_prune_lists_then_deletes_what_no_study_needs(spec: Path) -> None:
    assert "nothing to prune" in procdsl("prune", spec).stdout
    changed = procdsl(
        "run", spec, "--no-tracking", "--jobs", "1", "--only", "plain", "--set", "training.batch_tokens=64"
    )
    assert changed.returncode == 0, changed.stderr
    assert "nothing to prune" in procdsl("prune", spec).stdout, "the spec as it is written needs the rest"
    listed = json.loads(procdsl("prune", "--store", spec.parent / ".procdsl", "--json").stdout)
    assert (len(listed["objects"]), listed["freed"]) == (4, 0)
    assert procdsl("run", spec, "--no-tracking").returncode == 0
    deleted = procdsl("prune", spec, "--yes")
    assert "freed" in deleted.stdout
    assert set(states(spec)) == {(name, seed, "done") for name in ("plain", "longer") for seed in (0, 1)}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--only", "plian"), "the study has no curriculum 'plian'"),
        (("--seeds", "5..9"), "the study has no seed"),
        (("--seeds", "x"), "'x' names no seeds"),
        (("--jobs", "0"), "--jobs is 0"),
        (("--device", "cuda:7"), "cuda:7 was asked for"),
    ],
)
def test_a_call_that_is_wrong_is_refused_before_anything_runs(
    words: tuple[str, ...], told: str, spec: Path
) -> None:
    ended = procdsl("run", spec, *words)
    assert ended.returncode == 2, ended.stderr
    assert told in ended.stderr
    assert "help:" in ended.stderr
