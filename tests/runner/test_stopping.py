"""A rule ends a phase where its metric is good enough: at the same step, bit for bit, however it was run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from procdsl.errors import Stopped
from procdsl.plan import Plan, Stage, TrainOperation, Trial, TrialPhase
from runner.compare.results import gather
from runner.endings import as_run
from runner.events import ignore
from runner.execution import Execution
from runner.operations import missing, perform
from runner.status import status
from runner.store import Store, read_json
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

SEEN = (0, 6, 12, 18, 24)


def study(threshold: float, *, patience: int = 1, every: int = 2, metric: str = "loss") -> Plan:
    """A phase of at most 24 steps that its loss on Dyck words may end, and one of 12 that starts from it."""
    one, other = dyck(), iid()
    measured = loss_of(one, train="first", steps=SEEN)
    stop = rule(measured.measurement, every=every, metric=metric, threshold=threshold, patience=patience)
    stages = (Stage(steps=9, shares=(0.7, 0.3)), Stage(steps=15, shares=(0.9, 0.1)))
    first = phase(one, other, id="first", stages=stages, stop=stop)
    second = phase(one, id="second", start="first", vocabulary=first.vocabulary)
    late = loss_of(one, train="second", steps=(0, 12))
    fed = (
        TrialPhase(name="warmup", train="first", text_tokens=0, procedural_tokens=first.tokens),
        TrialPhase(name="main", train="second", text_tokens=0, procedural_tokens=second.tokens),
    )
    trial = Trial(curriculum="a", seed=0, phases=fed, measures=(measured.id, late.id))
    plan = plan_of(one, other, first, second, measured, late)
    return plan.with_operations(plan.operations, (trial,))


def losses(root: Path) -> dict[int, float]:
    """The watched loss at every second step of the phase when nothing ends it."""
    plan = study(0.0)
    carry_out(plan, root, "first")
    return {r["s"]: r["value"] for r in looks(plan, root)}


def looks(plan: Plan, root: Path) -> list[dict[str, Any]]:
    return [record for record in journal(plan, root, "first") if record.get("e") == "looked"]


@pytest.fixture(scope="module")
def curve(tmp_path_factory: pytest.TempPathFactory) -> dict[int, float]:
    return losses(tmp_path_factory.mktemp("curve"))


def test_it_ends_at_the_first_look_that_is_good_enough(tmp_path: Path, curve: dict[int, float]) -> None:
    threshold = curve[10]
    end = min(step for step, loss in curve.items() if loss <= threshold)
    plan = study(threshold)
    facts = carry_out(plan, tmp_path, "first")
    assert (facts["steps"], facts["tokens"]) == (end, end * 8 * 16)
    assert looks(plan, tmp_path)[-1]["value"] == curve[end]
    place = Store(tmp_path).path("train", plan.key("first"))
    (measured,) = (place / "measurements").iterdir()
    # What was planned behind the end is taken at the end.
    assert [int(step) for step in read_json(measured)] == [*(s for s in SEEN if s < end), end]
    assert max(s for s, found in points(plan, tmp_path, "first").items() if "train/loss" in found) == end


def test_so_many_times_in_a_row(tmp_path: Path, curve: dict[int, float]) -> None:
    threshold = sorted(curve.values())[len(curve) // 2]
    met, expected = 0, 24
    for step, loss in sorted(curve.items()):
        met = met + 1 if loss <= threshold else 0
        if met == 3:
            expected = step
            break
    assert carry_out(study(threshold, patience=3), tmp_path, "first")["steps"] == expected < 24


def test_accuracies_rise_to_it(tmp_path: Path) -> None:
    assert carry_out(study(2.0, metric="accuracy"), tmp_path / "never", "first")["steps"] == 24
    assert carry_out(study(0.01, metric="accuracy"), tmp_path / "soon", "first")["steps"] == 2


def results(plan: Plan, root: Path) -> tuple[Any, ...]:
    place = Store(root).path("train", plan.key("first"))
    told = {record["s"]: (record["value"], record["met"]) for record in looks(plan, root)}
    measured = {path.name: read_json(path) for path in (place / "measurements").iterdir()}
    return points(plan, root, "first"), told, measured


@pytest.mark.parametrize("at", [0, 1, 3, 4, 7])
def test_stopped_and_gone_on_with_it_ends_alike(tmp_path: Path, curve: dict[int, float], at: int) -> None:
    """Also where the count was begun before the stop, and where the last checkpoint is lost."""
    plan = study(curve[8], patience=2)
    whole = carry_out(plan, tmp_path / "whole", "first")
    root = tmp_path / "parts"
    with pytest.raises(Stopped):
        carry_out(plan, root, "first", stopping=StopAfter(at), checkpoint_seconds=0)
    place = Store(root).path("train", plan.key("first"))
    if at > 1:
        shutil.rmtree(place / "checkpoints" / f"step-{at:08d}")
    parts = carry_out(plan, root, "first")
    again = carry_out(plan, root, "first")  # killed between its last checkpoint and the mark that it is done
    assert whole["steps"] == parts["steps"] == again["steps"] < 24
    assert whole["digest"] == parts["digest"] == again["digest"]
    assert results(plan, tmp_path / "whole") == results(plan, root)
    assert_equal(parameters(plan, root, "first"), parameters(plan, tmp_path / "whole", "first"))


def carried_out(plan: Plan, root: Path) -> Store:
    for id in ("first", "second"):
        perform(plan, id, Execution(store=root), ignore, lambda: False)
    return Store(root)


def test_what_follows_counts_the_steps_that_were_taken(tmp_path: Path, curve: dict[int, float]) -> None:
    plan = study(curve[10])
    store = carried_out(plan, tmp_path)
    end = store.done("train", plan.key("first"))["steps"]  # type: ignore[index]
    assert end < 24
    assert not missing(plan, "first", store)
    ran = as_run(plan, store)
    assert ran.keys == plan.keys
    assert as_run(ran, store) == ran
    (trial,) = gather(ran, store)
    assert trial.finished
    assert trial.procedural_tokens == (end + 12) * 8 * 16
    curve_of = {(point.phase, point.step): point.total for point in trial.curves["loss_dyck/loss"]}
    assert curve_of["warmup", end] == curve_of["main", 0] == end * 8 * 16
    assert trial.finals["loss_dyck/loss"] == trial.curves["loss_dyck/loss"][-1].value
    (stands,) = status(plan, store)
    assert (stands.state, stands.step, stands.steps) == ("done", 12, 12)


def test_an_evaluation_asked_for_later_is_made_where_the_phase_ended(
    tmp_path: Path, curve: dict[int, float]
) -> None:
    plan = study(curve[10])
    store = carried_out(plan, tmp_path)
    end = store.done("train", plan.key("first"))["steps"]  # type: ignore[index]
    more = loss_of(dyck(), train="first", steps=(5, 24), rows=32).model_copy(update={"id": "more"})
    grown = plan.with_operations((*plan.operations, more))
    assert missing(grown, "first", store) == {"more": (5, end)}
    carried_out(grown, tmp_path)
    path = store.path("train", plan.key("first")) / "measurements" / f"{grown.key('more')}.json"
    assert sorted(map(int, read_json(path))) == [5, end]


def test_the_rule_is_part_of_the_key_and_its_absence_is_not() -> None:
    first, other = (study(threshold).operation("first", TrainOperation) for threshold in (1.0, 1.1))
    bare = first.model_copy(update={"stop": None})
    assert study(1.0).key("first") != study(1.1).key("first")
    assert study(1.0, patience=2).key("first") != study(1.0).key("first")
    assert "stop" not in bare.model_dump()
    assert other != first
