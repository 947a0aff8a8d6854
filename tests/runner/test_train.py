"""The loop: what it writes down, parts that add up to the whole batch, and losses that are not finite."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from procdsl.errors import RunError
from procdsl.plan import Optimiser, Schedule, Stage, Vocabulary
from runner.events import Event
from runner.initial import initial
from runner.store import Store
from tests.runner.training import TINY, carry_out, dyck, iid, journal, loss_of, parameters, phase, plan_of


def test_a_phase_writes_down_what_it_did(tmp_path: Path) -> None:
    one, other = dyck(), iid()
    stages = (Stage(steps=12, shares=(0.75, 0.25)),)
    plan = plan_of(one, other, phase(one, other, stages=stages), loss_of(one, steps=(0, 5, 12)))
    events: list[Event] = []
    facts = carry_out(plan, tmp_path, observe=events.append)
    assert facts["steps"] == 12
    assert facts["tokens"] == facts["scored"] == 12 * 8 * 16
    assert facts["skipped"] == facts["resumed"] == 0
    assert 0 <= facts["data_wait"] <= 1

    points = [record for record in journal(plan, tmp_path) if "m" in record]
    trained = {point["s"]: point["m"] for point in points if "train/loss" in point["m"]}
    assert list(trained) == list(range(1, 13))
    assert [point["n"] for point in points if "train/loss" in point["m"]] == [
        s * 8 * 16 for s in range(1, 13)
    ]
    for metrics in trained.values():
        assert metrics["mix/dyck"] == 0.75
        per_source = 0.75 * metrics["train/loss/dyck"] + 0.25 * metrics["train/loss/iid"]
        assert metrics["train/loss"] == pytest.approx(per_source, rel=1e-5)
        assert metrics["perf/tokens_per_s"] > 0
    assert trained[1]["train/lr"] == pytest.approx(1e-2 / 3)
    assert [point["s"] for point in points if "eval/loss_dyck/loss" in point["m"]] == [0, 5, 12]
    assert {event.name for event in events} == {"start", "progress", "measured", "checkpoint"}


def test_a_long_phase_is_written_down_by_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = dyck()
    plan = plan_of(source, phase(source))
    carry_out(plan, tmp_path / "each")
    monkeypatch.setattr("runner.record.POINTS", 4)
    carry_out(plan, tmp_path / "means")
    each = [record["m"]["train/loss"] for record in journal(plan, tmp_path / "each") if "m" in record]
    means = [record["m"]["train/loss"] for record in journal(plan, tmp_path / "means") if "m" in record]
    assert means == pytest.approx([sum(each[i : i + 3]) / 3 for i in range(0, 12, 3)])


@pytest.mark.parametrize("micro_rows", [1, 3])
def test_parts_of_a_batch_add_up_to_the_whole(tmp_path: Path, micro_rows: int) -> None:
    one, other = dyck(length=12), iid()
    plan = plan_of(one, other, phase(one, other))
    carry_out(plan, tmp_path / "whole")
    carry_out(plan, tmp_path / "parts", micro_rows=micro_rows)
    for name, tensor in parameters(plan, tmp_path / "whole").items():
        torch.testing.assert_close(parameters(plan, tmp_path / "parts")[name], tensor, rtol=1e-3, atol=1e-4)


def test_only_what_is_trainable_changes(tmp_path: Path) -> None:
    source = dyck()
    operation = phase(
        source, trainable=("mlp", "norm"), optimiser=Optimiser(lr=1e-2, weight_decay=0.5, decay="all")
    )
    plan = plan_of(source, operation)
    carry_out(plan, tmp_path)
    fresh = initial(TINY, operation.vocabulary.size, 0).state_dict()
    for name, tensor in parameters(plan, tmp_path).items():
        assert torch.equal(tensor, fresh[name]) == (".mlp." not in name and "norm" not in name), name


def test_a_phase_starts_from_the_parameters_of_another(tmp_path: Path) -> None:
    source = dyck()
    first = phase(source, id="first")
    frozen = phase(source, id="second", start="first", vocabulary=first.vocabulary, trainable=("position",))
    plan = plan_of(source, first, frozen)
    carry_out(plan, tmp_path, "first")
    carry_out(plan, tmp_path, "second")
    for name, tensor in parameters(plan, tmp_path, "second").items():
        assert torch.equal(tensor, parameters(plan, tmp_path, "first")[name]) == (
            name != "position.weight"
        ), name


def test_steps_that_are_not_finite_are_skipped_then_the_phase_fails(tmp_path: Path) -> None:
    """A start with an infinite entry: every loss is nan, no step may change a parameter."""
    source = dyck()
    first = phase(source, id="first")
    plan = plan_of(source, first, phase(source, id="second", start="first", vocabulary=first.vocabulary))
    broken = initial(TINY, first.vocabulary.size, 0).state_dict()
    broken["norm.bias"][0] = float("inf")
    save_file(broken, Store(tmp_path).place("train", plan.key("first")) / "model.safetensors")
    with pytest.raises(RunError, match="10 steps in a row") as error:
        carry_out(plan, tmp_path, "second")
    assert error.value.reason == "diverged"
    skipped = [record for record in journal(plan, tmp_path, "second") if record.get("e") == "skipped"]
    assert [record["s"] for record in skipped] == list(range(10))
    assert skipped[3]["rows"] == {"dyck": [24, 8]}


def test_one_step_that_is_not_finite_costs_one_step(tmp_path: Path) -> None:
    """At a huge rate without clipping a phase overflows; what is left stays finite, and is counted."""
    source = iid()
    stages = (Stage(steps=8, shares=(1.0,)),)
    plan = plan_of(
        source, phase(source, stages=stages, schedule=Schedule(), optimiser=Optimiser(lr=10.0, clip=None))
    )
    facts = carry_out(plan, tmp_path)
    assert facts["skipped"] < 8
    assert all(torch.isfinite(tensor).all() for tensor in parameters(plan, tmp_path).values())


def test_a_vocabulary_with_text_ids_costs_nothing_it_does_not_use(tmp_path: Path) -> None:
    source = dyck()
    operation = phase(source, vocabulary=Vocabulary(text_size=50, tokens=source.tokens))
    plan = plan_of(source, operation)
    carry_out(plan, tmp_path)
    assert parameters(plan, tmp_path)["embedding.weight"].shape == (50 + len(source.tokens), 16)


def test_bfloat16_stays_near_float32_and_keeps_float32_parameters(tmp_path: Path) -> None:
    one, other = dyck(length=12), iid()
    for precision in ("fp32", "bf16"):
        plan = plan_of(one, other, phase(one, other, precision=precision), loss_of(one, steps=(12,)))
        carry_out(plan, tmp_path / precision)
        points = [record["m"] for record in journal(plan, tmp_path / precision) if "m" in record]
        losses = [value for point in points for name, value in point.items() if "train/loss" in name]
        if precision == "fp32":
            expected = losses
    assert losses == pytest.approx(expected, rel=0.02)
    assert losses != expected
    assert all(tensor.dtype == torch.float32 for tensor in parameters(plan, tmp_path / "bf16").values())
