"""Studies that grow: seeds, curricula and evaluations that are added run, and nothing else does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.store import Store, read_json, write_json
from tests.runner.studies import carry_out, parameters, study


def test_a_study_that_grows_runs_only_what_is_new(tmp_path: Path) -> None:
    carry_out(study(curricula=("plain", "first")), tmp_path)
    _, watched = carry_out(study(), tmp_path)
    assert sorted(watched.of("done")) == ["second.s0"]
    _, watched = carry_out(study(seeds=(0, 1)), tmp_path)
    assert sorted(watched.of("done")) == ["body.s1", "first.s1", "plain.s1", "second.s1", "warm.s1"]


@pytest.mark.parametrize(
    "measured", [(6, 12), (3, 6, 9, 12)], ids=["another evaluation", "more steps as well"]
)
def test_an_evaluation_added_later_is_measured_as_if_it_had_been_there(
    measured: tuple[int, ...], tmp_path: Path
) -> None:
    late, early = tmp_path / "late", tmp_path / "early"
    carry_out(study(curricula=("first",)), late)
    before = parameters(study(curricula=("first",)), Store(late))

    grown = study(curricula=("first",), evaluations=("brackets", "few"), measured=measured)
    outcome, watched = carry_out(grown, late)
    assert outcome.done == ("first/s0",)
    assert watched.of("note") == ["first.s0"]
    assert "trained again from step 0 to measure it" in watched.events[0].facts["text"]
    assert parameters(grown, Store(late)) == before

    carry_out(grown, early)
    place = f"objects/train-{grown.key('first.s0')}"
    assert measurements(late / place) == measurements(early / place)
    assert evaluations(late / place) == evaluations(early / place)
    assert not list((late / place).glob(".replay*"))


def test_an_evaluation_of_the_end_alone_starts_from_the_kept_checkpoint(tmp_path: Path) -> None:
    carry_out(study(curricula=("plain",), measured=(12,)), tmp_path)
    grown = study(curricula=("plain",), measured=(12,), evaluations=("brackets", "few"))
    outcome, watched = carry_out(grown, tmp_path)
    assert outcome.done == ("plain/s0",)
    assert "from step 12 to measure it" in watched.events[0].facts["text"]
    assert watched.of("measured") == ["plain.s0"]


def measurements(place: Path) -> dict[str, object]:
    return {path.name: read_json(path) for path in (place / "measurements").glob("*.json")}


def evaluations(place: Path) -> set[tuple[int, str, float]]:
    records = map(json.loads, (place / "journal.jsonl").read_text().splitlines())
    points = [(r["s"], name, value) for r in records for name, value in r.get("m", {}).items()]
    return {point for point in points if point[1].startswith("eval/")}


def test_a_replay_that_ends_elsewhere_is_refused(tmp_path: Path) -> None:
    plan = study(curricula=("plain",))
    carry_out(plan, tmp_path)
    mark = tmp_path / f"objects/train-{plan.key('plain.s0')}/DONE.json"
    content = read_json(mark)
    content["facts"]["digest"] = "0" * 64
    write_json(mark, content)
    outcome, _ = carry_out(study(curricula=("plain",), evaluations=("brackets", "few")), tmp_path)
    assert "training again gave other parameters" in outcome.reasons["plain/s0"]
    assert "[inexact]" in outcome.reasons["plain/s0"]
