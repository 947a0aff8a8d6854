"""Stopped at any step, a phase goes on and ends in the same parameters and the same journal, bit for bit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from procdsl.errors import RunError, Stopped
from procdsl.plan import ModelShape, Optimiser, Plan, Stage
from runner.compiled.lanes import LANES
from runner.store import Store
from tests.runner.training import (
    TINY,
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
)

DROPPED = TINY.model_copy(update={"dropout": 0.2})


def study(model: ModelShape = TINY, clip: float | None = 1.0) -> Plan:
    """A phase of a mixture whose shares change, then a phase of one source that starts from it."""
    one, other = dyck(), iid()
    stages = (Stage(steps=5, shares=(0.7, 0.3)), Stage(steps=4, shares=(0.2, 0.8)))
    optimiser = Optimiser(lr=1e-2, weight_decay=0.1, clip=clip)
    first = phase(one, other, id="first", model=model, stages=stages, optimiser=optimiser)
    second = phase(
        one, id="second", start="first", model=model, vocabulary=first.vocabulary, optimiser=optimiser
    )
    measures = [loss_of(one, train="first", steps=(0, 4, 9)), loss_of(one, train="second", steps=(0, 12))]
    return plan_of(one, other, first, second, *measures)


class StopAfter:
    """Asks to stop at the n-th look, once."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def __call__(self) -> bool:
        self.left -= 1
        return self.left == -1


def whole(plan: Plan, root: Path, **execution: Any) -> None:
    for id in ("first", "second"):
        carry_out(plan, root, id, **execution)


def stopped(plan: Plan, root: Path, at: int, **execution: Any) -> None:
    """Both phases, each stopped after `at` steps and gone on with."""
    for id in ("first", "second"):
        with pytest.raises(Stopped):
            carry_out(plan, root, id, stopping=StopAfter(at), **execution)
        carry_out(plan, root, id, **execution)


def results(plan: Plan, root: Path) -> dict[str, Any]:
    """Parameters, measurements and what the journal says of the model, for both phases."""
    found = {}
    for id in ("first", "second"):
        place = Store(root).path("train", plan.key(id)) / "measurements"
        measured = {path.name: json.loads(path.read_text()) for path in place.iterdir()}
        found[id] = (parameters(plan, root, id), points(plan, root, id), measured)
    return found


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    for id, found in one.items():
        assert found[1:] == other[id][1:]
        assert_equal(found[0], other[id][0])


@pytest.mark.parametrize("model", [TINY, DROPPED], ids=["plain", "dropout"])
@pytest.mark.parametrize("clip", [1.0, None], ids=["clipped", "unclipped"])
def test_stopping_changes_nothing(tmp_path: Path, model: ModelShape, clip: float | None) -> None:
    plan = study(model, clip)
    whole(plan, tmp_path / "whole")
    expected = results(plan, tmp_path / "whole")
    for at in (0, 1, 5, 8):
        stopped(plan, tmp_path / str(at), at)
        assert_same(expected, results(plan, tmp_path / str(at)))


def test_stopping_changes_nothing_with_kernels(tmp_path: Path) -> None:
    plan = study()
    whole(plan, tmp_path / "whole", kernels=True)
    expected = results(plan, tmp_path / "whole")
    for at in (1, 8):
        stopped(plan, tmp_path / str(at), at, kernels=True)
        assert_same(expected, results(plan, tmp_path / str(at)))
    whole(plan, tmp_path / "torch", kernels=False)
    torch_alone = results(plan, tmp_path / "torch")
    for id, (tensors, curve, _) in expected.items():
        for name, tensor in tensors.items():
            torch.testing.assert_close(tensor, torch_alone[id][0][name], rtol=1e-3, atol=1e-4)
        for step, point in curve.items():
            assert point == pytest.approx(torch_alone[id][1][step], rel=1e-3), (id, step)


def test_going_on_without_kernels_is_marked_inexact(tmp_path: Path) -> None:
    plan = study()
    with pytest.raises(Stopped):
        carry_out(plan, tmp_path, "first", stopping=StopAfter(3), kernels=True)
    facts = carry_out(plan, tmp_path, "first", kernels=False, micro_rows=8)
    assert facts["inexact"] == [f"lanes was {LANES}, now 0, from step 3"]


def test_a_kill_between_checkpoints_replays_the_same_steps(tmp_path: Path) -> None:
    """A checkpoint after every step; the last ones, and what followed them, are lost."""
    plan = study()
    whole(plan, tmp_path / "whole")
    root = tmp_path / "killed"
    for id in ("first", "second"):
        place = Store(root).place("train", plan.key(id))
        with pytest.raises(Stopped):
            carry_out(plan, root, id, stopping=StopAfter(7), checkpoint_seconds=0)
        shutil.rmtree(place / "checkpoints" / "step-00000007")
        carry_out(plan, root, id)
    assert_same(results(plan, tmp_path / "whole"), results(plan, root))


def test_a_broken_checkpoint_costs_steps_and_no_bit(tmp_path: Path) -> None:
    plan = study()
    whole(plan, tmp_path / "whole")
    root = tmp_path / "broken"
    with pytest.raises(Stopped):
        carry_out(plan, root, "first", stopping=StopAfter(6), checkpoint_seconds=0)
    place = Store(root).path("train", plan.key("first")) / "checkpoints" / "step-00000006"
    (place / "model.safetensors").write_bytes(b"gone")
    whole(plan, root)
    assert_same(results(plan, tmp_path / "whole"), results(plan, root))


def test_without_a_whole_checkpoint_it_does_not_start_again(tmp_path: Path) -> None:
    plan = study()
    with pytest.raises(Stopped):
        carry_out(plan, tmp_path, "first", stopping=StopAfter(6))
    place = Store(tmp_path).path("train", plan.key("first")) / "checkpoints" / "step-00000006"
    (place / "MANIFEST.json").unlink()
    with pytest.raises(RunError, match="no whole checkpoint"):
        carry_out(plan, tmp_path, "first")


def test_going_on_with_other_threads_is_marked_inexact(tmp_path: Path) -> None:
    plan = study()
    with pytest.raises(Stopped):
        carry_out(plan, tmp_path, "first", stopping=StopAfter(3), threads=2)
    facts = carry_out(plan, tmp_path, "first", threads=1)
    assert facts["inexact"] == ["threads was 2, now 1, from step 3"]
    assert any(record.get("e") == "inexact" for record in journal(plan, tmp_path, "first"))


def test_a_finished_phase_is_not_trained_again_but_can_be_measured(tmp_path: Path) -> None:
    plan = study()
    first = carry_out(plan, tmp_path, "first")
    store = Store(tmp_path)
    shutil.rmtree(store.path("train", plan.key("first")) / "measurements")
    again = carry_out(plan, tmp_path, "first")
    assert again["digest"] == first["digest"]
    (measured,) = (store.path("train", plan.key("first")) / "measurements").iterdir()
    assert list(json.loads(measured.read_text())) == ["9"]
