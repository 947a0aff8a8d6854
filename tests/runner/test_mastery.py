"""Mastery: the next value is read once the one in force is mastered, at a step that is looked at, and alike
however the run was cut up."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from procdsl.errors import Stopped
from procdsl.plan import Mastery, Plan, Stage
from procdsl.programs.measurements.loss import LossMeasurement
from runner import batches, mastery
from runner.record import Counters
from runner.store import Store
from tests.runner.test_resume import StopAfter
from tests.runner.training import (
    assert_equal,
    carry_out,
    dyck,
    iid,
    journal,
    loss_of,
    parameters,
    phase,
    plan_of,
    points,
    rule,
)

EVERY = 2


def study(threshold: float = 2.5, patience: int = 2) -> Plan:
    """Thirty steps of words over two, four and eight types of brackets, one after another, and of noise."""
    values = [dyck(f"dyck@{k}", k=k) for k in (2, 4, 8)]
    noise = iid()
    watched = (LossMeasurement(source=value.id, rows=32) for value in values[:-1])
    rules = tuple(rule(one, every=EVERY, threshold=threshold, patience=patience) for one in watched)
    stages = (Stage(steps=12, shares=(0.75, 0.0, 0.0, 0.25)), Stage(steps=18, shares=(0.5, 0.0, 0.0, 0.5)))
    operation = phase(
        *values, noise, id="first", stages=stages, mastery=(Mastery(feeds=(0, 1, 2), rules=rules),)
    )
    return plan_of(*values, noise, operation, loss_of(values[-1], train="first", steps=(0, 15, 30)))


def transitions(plan: Plan, root: Path) -> list[tuple[int, str]]:
    return [(r["s"], r["after"]) for r in journal(plan, root, "first") if r.get("e") == "mastered"]


def test_values_follow_each_other_when_they_are_mastered(tmp_path: Path) -> None:
    plan = study()
    carry_out(plan, tmp_path, "first")
    told = journal(plan, tmp_path, "first")
    looks = [(r["s"], r["on"], r["value"]) for r in told if r.get("e") == "looked"]
    found = transitions(plan, tmp_path)
    # What the journal's own looks say: two in a row that are good enough, of the value in force alone.
    expected, at, met = [], 0, 0
    for step, on, value in looks:
        assert on == f"dyck@{2 << at}"
        met = met + 1 if value <= 2.5 else 0
        if met == 2:
            at, met = at + 1, 0
            expected.append((step, f"dyck@{2 << at}"))
    assert found == expected
    assert [after for _, after in found] == ["dyck@4", "dyck@8"]
    # The rows that were read, from the shares that the journal has of each point.
    mixed = {r["s"]: r["m"] for r in told if "mix/dyck@2" in r.get("m", {})}
    (first, _), (second, _) = found
    assert mixed[first]["mix/dyck@4"] == 0 < mixed[first + 1]["mix/dyck@4"]
    assert mixed[second]["mix/dyck@8"] == 0 < mixed[30]["mix/dyck@8"]
    read_of_two = {step: round(m["mix/dyck@2"] * step * 8) for step, m in mixed.items()}
    assert len({read_of_two[step] for step in mixed if step >= first}) == 1


def test_shares_stay_those_of_the_group() -> None:
    operation = study().by_id["first"]
    planned = batches.planned(operation)  # type: ignore[arg-type]
    counts = mastery.laid(planned, operation.mastery, [[4, 20]])  # type: ignore[union-attr]
    np.testing.assert_array_equal(counts[:, :3].sum(1), planned[:, 0])
    np.testing.assert_array_equal(counts[:, 3], planned[:, 3])
    assert (np.diff(counts, axis=0) >= 0).all()
    assert counts[4].tolist() == [planned[4, 0], 0, 0, planned[4, 3]]
    assert counts[20, 2] == 0 < counts[21, 2]


def test_no_row_is_made_ahead_of_the_next_look() -> None:
    operation = study().by_id["first"]
    counters = Counters()
    mastery.begin(operation, counters)  # type: ignore[arg-type]
    made: list[int] = []
    ahead = batches.Ahead(
        lambda number: made.append(number) or number,
        range(9),
        until=lambda: mastery.horizon(operation, counters),  # type: ignore[func-returns-value,arg-type]
    )
    with ahead as taken:
        for number in taken:
            assert number == counters.step
            assert max(made) < (counters.step // EVERY + 1) * EVERY
            counters.step += 1
    assert made == list(range(9))


@pytest.mark.parametrize("at", [0, 3, 9, 16, 29])
def test_stopped_and_gone_on_with_it_is_the_same_course(tmp_path: Path, at: int) -> None:
    """Before, between and behind the transitions, the last checkpoint lost."""
    plan = study()
    whole = carry_out(plan, tmp_path / "whole", "first")
    root = tmp_path / "parts"
    with pytest.raises(Stopped):
        carry_out(plan, root, "first", stopping=StopAfter(at), checkpoint_seconds=0)
    place = Store(root).path("train", plan.key("first"))
    if at:
        shutil.rmtree(place / "checkpoints" / f"step-{at:08d}")
    assert carry_out(plan, root, "first")["digest"] == whole["digest"]
    for told in (lambda plan, root: points(plan, root, "first"), transitions):
        assert told(plan, root) == told(plan, tmp_path / "whole")
    assert_equal(parameters(plan, root, "first"), parameters(plan, tmp_path / "whole", "first"))


def test_what_is_never_mastered_is_read_to_the_end(tmp_path: Path) -> None:
    plan = study(threshold=0.1)
    carry_out(plan, tmp_path, "first")
    assert transitions(plan, tmp_path) == []
