"""The search for the smallest budget: against every threshold there is, and where more is not better."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from runner.search import Found, ahead, found
from tests.test_run import procdsl

SEARCH = """
[searches.least]
curriculum = "longer"
phase      = "brackets"
between    = ["10%", "100%"]
tolerance  = "10%"
"""


@pytest.mark.parametrize("least", range(1, 101))
def test_halving_finds_every_threshold(least: int) -> None:
    tried: dict[int, bool] = {}
    while steps := ahead((10, 100), tried, 4):
        tried |= {count: count >= least for count in steps}
    answer = found(tried)
    if least <= 10:
        assert answer == Found(10, None, ())
    else:
        assert answer.enough is not None
        assert answer.below is not None
        assert answer.below < least <= answer.enough <= answer.below + 4
    assert len(tried) <= 7  # two ends, and 90 halved to 4 in five


def test_more_than_was_asked_for_is_told_apart_from_an_answer() -> None:
    assert found({10: False, 100: False}) == Found(None, None, ())


def test_where_more_is_not_better_the_answer_holds_from_there_on() -> None:
    tried = {10: False, 40: True, 70: False, 100: True}
    assert found(tried) == Found(100, 70, (40,))
    assert ahead((10, 40, 70, 100), tried, 10) == (85,)


def test_the_tolerance_is_at_least_one_step() -> None:
    assert ahead((1, 2), {1: False, 2: True}, 0) == ()


@pytest.mark.slow
def test_a_search_goes_on_from_what_is_there(tmp_path: Path) -> None:
    from tests.test_run import SPEC

    spec = tmp_path / "tiny.toml"
    spec.write_text(SPEC + SEARCH)
    first = procdsl("search", spec, "--no-tracking", "--jobs", "1", "--json", "--replicas", "2")
    assert first.returncode == 0, first.stderr
    (one,) = json.loads(first.stdout)["searches"]
    assert [probe["steps"] for probe in one["probes"]][-1] == one["whole_steps"] == 30
    assert one["found"]["enough"] is not None
    made = sorted(path.name for path in (tmp_path / ".procdsl" / "objects").iterdir())
    done = [json.loads(path.read_text()) for path in tmp_path.glob(".procdsl/objects/train-*/DONE.json")]
    assert 2 in {one["facts"]["conditions"]["replicas"] for one in done}

    # Lost: the record of what was found. What was trained is found by its content.
    shutil.rmtree(tmp_path / ".procdsl" / "studies" / "tiny.least")
    again = procdsl("search", spec, "--no-tracking", "--jobs", "1", "--json")
    assert json.loads(again.stdout)["searches"][0]["probes"] == one["probes"]
    assert sorted(path.name for path in (tmp_path / ".procdsl" / "objects").iterdir()) == made

    assert procdsl("run", spec, "--no-tracking", "--jobs", "1").returncode == 0
    status = json.loads(procdsl("status", spec, "--json").stdout)
    assert all(trial["state"] == "done" for trial in status["searches"]["tiny.least"])
    assert "search least: " in procdsl("compare", spec).stdout
