"""Which operations go together: those of one shape, as many as pay, when none like them is still to come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from procdsl.plan import Feed, Optimiser, Plan, Schedule, Stage, Thaw, TrainOperation, Vocabulary
from runner.execution import Execution
from runner.replicas import groups, most
from tests.runner.studies import study
from tests.runner.training import TINY, dyck, iid, phase, plan_of


def grouped(plan: Plan, ready: list[str], waiting: list[str] | None = None, **how: Any) -> list[set[str]]:
    execution = Execution(Path(), **{"replicas": 8} | how)
    return [set(group) for group in groups(plan, ready, waiting or ready, execution)]


def pair(**changes: Any) -> Plan:
    """Two phases that differ by these changes."""
    one, other = dyck(), iid()
    both: dict[str, Any] = {"vocabulary": Vocabulary(tokens=tuple(dict.fromkeys(one.tokens + other.tokens)))}
    return plan_of(one, other, phase(one, id="plain", **both), phase(one, id="changed", **both | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1, "data_seed": 2},
        {"start": "plain"},
        {"optimiser": Optimiser(lr=3e-3, weight_decay=0.5, betas=(0.8, 0.9), clip=None, decay="all")},
        {"schedule": Schedule(kind="linear", warmup=5), "stages": (Stage(steps=40, shares=(1.0,)),)},
        {"feeds": (Feed(source="dyck"), Feed(source="iid")), "stages": (Stage(steps=9, shares=(0.5, 0.5)),)},
    ],
    ids=["seeds", "start", "optimiser", "schedule", "feeds"],
)
def test_these_may_differ(changes: dict[str, Any]) -> None:
    assert grouped(pair(**changes), ["plain", "changed"]) == [{"plain", "changed"}]


@pytest.mark.parametrize(
    "changes",
    [
        {"model": TINY.model_copy(update={"layers": 3})},
        {"model": TINY.model_copy(update={"tied": False})},
        {"vocabulary": Vocabulary(text_size=7, tokens=("<pad>",))},
        {"context": 8},
        {"batch_rows": 16},
        {"precision": "bf16"},
        {"trainable": ("attention", "mlp")},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_these_must_be_equal(changes: dict[str, Any]) -> None:
    assert grouped(pair(**changes), ["plain", "changed"]) == [{"plain"}, {"changed"}]


@pytest.mark.parametrize(
    "changes",
    [
        {"model": TINY.model_copy(update={"dropout": 0.1})},
        {"attention_entropy": 0.1},
        {"thaws": (Thaw(step=3, trainable=("mlp",)),)},
    ],
    ids=["dropout", "entropy", "thaws"],
)
def test_what_is_left_out_is_trained_alone(changes: dict[str, Any]) -> None:
    source = dyck()
    plan = plan_of(source, *(phase(source, id=f"s{seed}", seed=seed, **changes) for seed in range(2)))
    assert grouped(plan, ["s0", "s1"]) == [{"s0"}, {"s1"}]


def seeds(count: int) -> tuple[Plan, list[str]]:
    source = dyck()
    phases = [phase(source, id=f"s{seed}", seed=seed) for seed in range(count)]
    return plan_of(source, *phases), [one.id for one in phases]


def test_groups_are_as_few_as_may_be_and_of_equal_sizes() -> None:
    plan, ids = seeds(10)
    assert [len(group) for group in grouped(plan, ids)] == [5, 5]
    assert [len(group) for group in grouped(plan, ids, replicas=3)] == [2, 3, 2, 3]
    assert grouped(plan, ids, replicas=1) == [{id} for id in ids]


def test_equal_keys_are_not_trained_side_by_side() -> None:
    source = dyck()
    plan = plan_of(
        source, phase(source, id="one"), phase(source, id="twin"), phase(source, id="other", seed=1)
    )
    assert grouped(plan, ["one", "twin", "other"]) == [{"one", "other"}]


def test_who_is_still_joined_by_others_comes_last() -> None:
    """plain is ready at once; the main phases like it wait for warm-ups and transfers."""
    plan = study(seeds=(0, 1), curricula=("plain", "first"))
    todo = ["warm.s0", "warm.s1", "body.s0", "body.s1", "plain.s0", "plain.s1", "first.s0", "first.s1"]
    first, *rest = grouped(plan, ["plain.s0", "plain.s1"], todo)
    assert (first, rest) == ({"plain.s0", "plain.s1"}, [])
    ready = ["plain.s0", "plain.s1", "body.s0"]
    assert grouped(plan, ready, todo[2:]) == [{"body.s0"}, {"plain.s0", "plain.s1"}]
    assert grouped(plan, todo[4:]) == [set(todo[4:])]


# ---------------------------------------------------------------- how many


def by_itself(changes: dict[str, Any] | None = None, **how: Any) -> int:
    source = dyck()
    operation = phase(source, **changes or {})
    assert isinstance(operation, TrainOperation)
    return most(operation, Execution(Path(), **how))


def test_small_models_go_side_by_side_on_a_gpu_by_themselves() -> None:
    assert by_itself(device="cuda:1") > 8
    assert by_itself(device="cpu") == 1
    assert by_itself(device="cpu", replicas=4) == 4
    assert by_itself(device="cuda", replicas=1) == 1
    assert by_itself(device="cuda", compile=True) == 1


def test_large_models_are_trained_alone_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    gpt2 = {"model": TINY.model_copy(update={"layers": 12, "width": 768, "context": 1024})}
    assert by_itself(gpt2, device="cuda") == 1
    assert by_itself({"vocabulary": Vocabulary(text_size=50_257), "batch_rows": 512}, device="cuda") == 1
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert by_itself(device="cuda") == 1
