"""Trials side by side are, one by one, what each is alone: losses and parameters to 1e-3, or 1e-4 near zero.

That much, because AdamW divides by the size of a gradient, however small. The bias of attention's keys is
left out: it changes no loss, so that its gradient is only what rounding leaves, and AdamW makes steps of it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from procdsl.plan import Mastery, Optimiser, Plan, Schedule, Stage, Stop, TrainOperation
from procdsl.programs.measurements.loss import LossMeasurement
from runner import checkpoints
from runner.attempts import Result, attempt
from runner.events import Event, Observer, ignore
from runner.execution import Execution
from runner.initial import initial
from runner.replicas.stack import Stack
from runner.store import Store
from runner.tracking.journal import MACHINE, read
from tests.runner import studies
from tests.runner.training import TINY, dyck, iid, loss_of, phase, plan_of


def study() -> tuple[Plan, list[str]]:
    """Phases of one shape with other seeds, rates, schedules, lengths, words, shares and scored positions."""
    words, short, noise = dyck("words"), dyck("short", length=12), iid()
    both = {"vocabulary": phase(words, noise).vocabulary}
    phases = [
        phase(words, short, id="plain", **both),
        phase(
            noise, words, id="fast", seed=1, data_seed=1, schedule=Schedule(kind="linear"),
            optimiser=Optimiser(lr=3e-2, clip=0.5), stages=(Stage(steps=7, shares=(0.25, 0.75)),), **both,
        ),
        phase(
            short, id="slow", seed=2, data_seed=2, schedule=Schedule(),
            optimiser=Optimiser(lr=1e-3, weight_decay=0.3, decay="all"), **both,
        ),
    ]  # fmt: skip
    measures = [loss_of(words, train=one.id, steps=(0, 4, one.steps)) for one in phases]
    return plan_of(words, short, noise, *phases, *measures), [one.id for one in phases]


def together(
    plan: Plan,
    ids: Sequence[str],
    root: Path,
    *,
    observe: Observer = ignore,
    stopping: Callable[[], bool] = lambda: False,
    **how: Any,
) -> dict[str, Result]:
    found = attempt(plan, ids, Execution(store=root, **how), observe, stopping)
    return {result.id: result for result in found}


def alone(plan: Plan, ids: Sequence[str], root: Path) -> None:
    for id in ids:
        assert together(plan, [id], root)[id].state == "done"


def points(plan: Plan, id: str, root: Path) -> dict[tuple[int, str], float]:
    """Every number in a journal but those of the machine."""
    return {
        (record["s"], name): value
        for record in read(Store(root).path("train", plan.key(id)) / "journal.jsonl")
        for name, value in record.get("m", {}).items()
        if not name.startswith(MACHINE)
    }


def parameters(plan: Plan, id: str, root: Path) -> dict[str, torch.Tensor]:
    found = checkpoints.parameters(Store(root).path("train", plan.key(id)))
    for name, tensor in found.items():
        if name.endswith("attention.into.bias"):
            tensor.chunk(3)[1].zero_()
    return found


def facts(plan: Plan, id: str, root: Path) -> dict[str, Any]:
    found = Store(root).done("train", plan.key(id))
    assert found is not None
    return found


def assert_alike(plan: Plan, ids: Sequence[str], one: Path, other: Path) -> None:
    for id in ids:
        assert points(plan, id, one) == pytest.approx(points(plan, id, other), rel=1e-3, abs=1e-4)
        expected = parameters(plan, id, other)
        for name, tensor in parameters(plan, id, one).items():
            torch.testing.assert_close(tensor, expected[name], rtol=1e-3, atol=1e-4)
        for name in ("steps", "scored", "tokens", "skipped", "parameters"):
            assert facts(plan, id, one)[name] == facts(plan, id, other)[name]


@pytest.mark.parametrize("how", [{}, {"micro_rows": 3}], ids=["whole", "parts"])
def test_every_trial_is_the_trial_alone(tmp_path: Path, how: dict[str, Any]) -> None:
    plan, ids = study()
    events: list[Event] = []
    results = together(plan, ids, tmp_path / "together", observe=events.append, **how)
    assert {result.state for result in results.values()} == {"done"}
    alone(plan, ids, tmp_path / "alone")
    assert_alike(plan, ids, tmp_path / "together", tmp_path / "alone")
    for id in ids:
        shown = {event.name for event in events if event.operation == id}
        assert shown == {"start", "progress", "measured", "checkpoint", "done"}
        assert facts(plan, id, tmp_path / "together")["conditions"]["replicas"] == 3
        assert facts(plan, id, tmp_path / "alone")["conditions"]["replicas"] == 1


class StopAt:
    """Asks to stop from the moment that an operation told of this step."""

    def __init__(self, id: str, step: int) -> None:
        self.id, self.step, self.now = id, step, False

    def observe(self, event: Event) -> None:
        self.now = self.now or (event.operation == self.id and event.facts.get("step") == self.step)

    def __call__(self) -> bool:
        return self.now


def stopped(plan: Plan, ids: Sequence[str], root: Path, step: int) -> None:
    stop = StopAt(ids[0], step)
    results = together(plan, ids, root, observe=stop.observe, stopping=stop)
    assert {result.state for result in results.values()} == {"stopped"}


@pytest.fixture
def told_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.record.PROGRESS_SECONDS", 0.0)


@pytest.mark.usefixtures("told_often")
@pytest.mark.parametrize("later", [3, 2, 1], ids=["together", "in another group", "alone"])
def test_stopped_they_go_on_together_or_apart(tmp_path: Path, later: int) -> None:
    plan, ids = study()
    alone(plan, ids, tmp_path / "alone")
    stopped(plan, ids, tmp_path / "parts", 3)
    for first in range(0, len(ids), later):
        together(plan, ids[first : first + later], tmp_path / "parts")
    assert_alike(plan, ids, tmp_path / "parts", tmp_path / "alone")
    for id in ids:
        inexact = any(
            "replicas was 3, now" in text for text in facts(plan, id, tmp_path / "parts")["inexact"]
        )
        assert inexact == (later < 3)


@pytest.mark.usefixtures("told_often")
def test_what_was_begun_alone_goes_on_side_by_side(tmp_path: Path) -> None:
    plan, ids = study()
    alone(plan, ids, tmp_path / "alone")
    for id in ids:
        stopped(plan, [id], tmp_path / "parts", 2)
    together(plan, ids, tmp_path / "parts")
    assert_alike(plan, ids, tmp_path / "parts", tmp_path / "alone")


def test_killed_behind_different_steps_they_go_on(tmp_path: Path) -> None:
    """Each saves after every step; what one saved last is taken from it."""
    plan, ids = study()
    alone(plan, ids, tmp_path / "alone")
    stop = StopAt("plain", 4)
    together(plan, ids, tmp_path / "parts", observe=stop.observe, stopping=stop, checkpoint_seconds=0)
    place = Store(tmp_path / "parts").path("train", plan.key("slow")) / "checkpoints"
    shutil.rmtree(max(place.glob("step-*")))
    together(plan, ids, tmp_path / "parts")
    assert_alike(plan, ids, tmp_path / "parts", tmp_path / "alone")


def test_one_that_diverges_fails_alone(tmp_path: Path) -> None:
    source = dyck()
    first = phase(source, id="first")
    phases = [phase(source, id=f"s{n}", seed=n, start="first" if n == 1 else None) for n in range(3)]
    plan, ids = plan_of(source, first, *phases), [one.id for one in phases]
    broken = initial(TINY, first.vocabulary.size, 0).state_dict()
    broken["norm.bias"][0] = float("inf")
    for name in ("together", "alone"):
        save_file(broken, Store(tmp_path / name).place("train", plan.key("first")) / "model.safetensors")
    results = together(plan, ids, tmp_path / "together")
    assert [results[id].state for id in ids] == ["done", "failed", "done"]
    assert results["s1"].reason == "diverged"
    alone(plan, ["s0", "s2"], tmp_path / "alone")
    assert_alike(plan, ["s0", "s2"], tmp_path / "together", tmp_path / "alone")


def test_each_is_ended_and_steered_by_rules_of_its_own(tmp_path: Path) -> None:
    """Met at once, met never, and values of which the second is read after two looks."""
    one, other = dyck(), iid()

    def rule(threshold: float) -> Stop:
        measured = LossMeasurement(source=one.id, rows=8)
        about = {"metric": "loss", "lower_is_better": True, "patience": 2, "every": 2, "data_seed": 0}
        return Stop(measurement=measured, threshold=threshold, **about)

    later = Mastery(feeds=(0, 1), rules=(rule(100.0),))
    plan = plan_of(
        one,
        other,
        phase(one, other, id="ends", stop=rule(100.0)),
        phase(one, other, id="goes_on", stop=rule(0.0)),
        phase(one, other, id="masters", mastery=(later,), stages=(Stage(steps=12, shares=(1.0, 0.0)),)),
    )
    ids = ["ends", "goes_on", "masters"]
    together(plan, ids, tmp_path / "together")
    alone(plan, ids, tmp_path / "alone")
    assert_alike(plan, ids, tmp_path / "together", tmp_path / "alone")
    assert [facts(plan, id, tmp_path / "together")["steps"] for id in ids] == [4, 12, 12]
    read_then = [points(plan, "masters", tmp_path / "together")[step, "mix/iid"] for step in (4, 5)]
    assert read_then == [0.0, 0.2]  # of all rows so far


def test_what_goes_wrong_in_a_step_fails_all_that_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, ids = study()

    def full(*_: object) -> object:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Stack, "step", full)
    results = together(plan, ids, tmp_path)
    assert [(result.state, result.reason) for result in results.values()] == [("failed", "memory")] * 3
    assert all("--replicas" in result.help for result in results.values())
    assert not list(tmp_path.rglob("owner.json"))


def test_bfloat16_is_that_of_each_alone(tmp_path: Path) -> None:
    plan, ids = study()
    half = plan.with_operations(
        one.model_copy(update={"precision": "bf16"}) if isinstance(one, TrainOperation) else one
        for one in plan.operations
    )
    together(half, ids, tmp_path / "together")
    alone(half, ids, tmp_path / "alone")
    for id in ids:
        expected = points(half, id, tmp_path / "alone")
        assert points(half, id, tmp_path / "together") == pytest.approx(expected, rel=0.02, abs=0.02)


def test_what_is_asked_for_later_is_measured_where_the_steps_can_be_repeated(tmp_path: Path) -> None:
    """The last step is there to be measured; those before were taken beside others."""
    plan, ids = study()
    together(plan, ids, tmp_path)
    words = plan.by_id["words"]
    at_end = plan.with_operations([*plan.operations, late(words, (12,))])
    assert together(at_end, ["slow"], tmp_path)["slow"].state == "done"
    stored = Store(tmp_path).path("train", plan.key("slow")) / "measurements"
    assert list(json.loads((stored / f"{at_end.key('late')}.json").read_text())) == ["12"]
    before = plan.with_operations([*plan.operations, late(words, (6,))])
    refused = together(before, ["slow"], tmp_path)["slow"]
    assert (refused.state, refused.reason) == ("failed", "inexact")
    assert "--replicas off" in refused.help


def late(source: Any, steps: tuple[int, ...]) -> Any:
    return loss_of(source, train="slow", steps=steps, rows=4).model_copy(update={"id": "late"})


# ---------------------------------------------------------------- whole studies


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_study_is_carried_out_in_groups(tmp_path: Path, jobs: int) -> None:
    plan = studies.study(seeds=(0, 1))
    outcome, watched = studies.carry_out(plan, tmp_path / "groups", replicas=8, jobs=jobs)
    assert len(outcome.done) == 6
    assert studies.carry_out(plan, tmp_path / "alone")[0].done == outcome.done
    trained = [one.id for one in plan.operations if isinstance(one, TrainOperation)]
    assert_alike(plan, trained, tmp_path / "groups", tmp_path / "alone")
    started = [event.operation for event in watched.events if event.name == "start"]
    sizes = {id: facts(plan, id, tmp_path / "groups")["conditions"]["replicas"] for id in trained}
    if jobs == 1:
        # All have one shape: what is ready, then the transfers, then what these were awaited by.
        assert started[:4] == ["plain.s0", "warm.s0", "plain.s1", "warm.s1"]
        assert started[4:6] == ["body.s0", "body.s1"]
        assert set(sizes.values()) == {4}


def test_a_trial_that_fails_leaves_its_group(tmp_path: Path) -> None:
    plan = studies.study(curricula=("plain",), seeds=(0, 1, 2))
    place = Store(tmp_path).place("train", plan.key("plain.s1"))
    (place / "journal.jsonl").mkdir()
    outcome, watched = studies.carry_out(plan, tmp_path, replicas=8)
    assert (outcome.done, outcome.failed) == (("plain/s0", "plain/s2"), ("plain/s1",))
    assert watched.of("failed") == ["plain.s1"]
