"""Freezing: what is frozen stays bit for bit, what is thawed begins anew, and stopping changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from procdsl.errors import Stopped
from procdsl.plan import Component, Optimiser, Plan, Schedule, Thaw
from runner import checkpoints
from runner.checkpoints import Checkpoint
from runner.initial import initial
from runner.model import tags
from runner.store import Store
from tests.runner.test_resume import StopAfter
from tests.runner.training import TINY, carry_out, dyck, phase, plan_of

ROWS: tuple[Component, ...] = ("embedding", "position")
BODY: tuple[Component, ...] = ("attention", "mlp", "norm")
LR = 1e-2


def study(*thaws: Thaw, trainable: tuple[Component, ...] = ROWS) -> Plan:
    """12 steps at one learning rate, without decay, so that an update says what the optimiser's state is."""
    source = dyck()
    how: dict[str, Any] = {"optimiser": Optimiser(lr=LR), "schedule": Schedule()}
    return plan_of(source, phase(source, trainable=trainable, thaws=thaws, **how))


def after(plan: Plan, root: Path, step: int) -> Checkpoint:
    """The checkpoint of a run that was stopped after a step."""
    with pytest.raises(Stopped):
        carry_out(plan, root, stopping=StopAfter(step))
    place = Store(root).path("train", plan.key("train"))
    found = checkpoints.load(place / "checkpoints", operation="train", observe=lambda event: None)
    assert found is not None
    assert found.step == step
    return found


def final(plan: Plan, root: Path) -> dict[str, torch.Tensor]:
    carry_out(plan, root)
    return checkpoints.parameters(Store(root).path("train", plan.key("train")))


def changed(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> set[str]:
    """The components of which any tensor differs."""
    model = initial(TINY, len(one["embedding.weight"]), 0)
    return {tag.component for name, tag in tags(model).items() if not torch.equal(one[name], other[name])}


def test_what_is_frozen_stays_bit_for_bit_until_it_is_thawed(tmp_path: Path) -> None:
    plan = study(Thaw(step=5, trainable=ROWS + BODY), Thaw(step=9, trainable=("mlp",)))
    fresh = dict(initial(TINY, len(dyck().tokens), 0).state_dict())
    five, six, nine = (after(plan, tmp_path / str(step), step) for step in (5, 6, 9))
    assert changed(fresh, five.model) == set(ROWS)
    assert changed(five.model, six.model) == {*ROWS, *BODY}
    assert changed(nine.model, final(plan, tmp_path / "9")) == {"mlp"}


def test_the_optimisers_state_begins_when_a_tensor_is_thawed(tmp_path: Path) -> None:
    plan = study(Thaw(step=5, trainable=ROWS + BODY))
    five, six, nine = (after(plan, tmp_path / str(step), step) for step in (5, 6, 9))
    assert {key.partition("/")[2] for key in five.optimiser} == {"embedding.weight", "position.weight"}
    assert nine.optimiser["step/embedding.weight"] == 9
    assert nine.optimiser["step/norm.weight"] == 4
    # AdamW's first update of an entry is the learning rate, whatever the gradient.
    moved = (six.model["norm.weight"] - five.model["norm.weight"]).abs()
    torch.testing.assert_close(moved, torch.full_like(moved, LR), rtol=1e-2, atol=0)


def test_what_is_frozen_again_is_forgotten_by_the_optimiser(tmp_path: Path) -> None:
    plan = study(Thaw(step=3, trainable=BODY), Thaw(step=6, trainable=ROWS), trainable=ROWS)
    seven = after(plan, tmp_path, 7)
    assert seven.optimiser["step/embedding.weight"] == 1
    assert "step/norm.weight" not in seven.optimiser


@pytest.mark.parametrize("at", [0, 3, 4, 5, 6, 7, 11])
def test_stopping_near_a_change_changes_nothing(tmp_path: Path, at: int) -> None:
    plan = study(Thaw(step=4, trainable=ROWS + BODY), Thaw(step=6, trainable=("mlp", "norm")))
    after(plan, tmp_path / "stopped", at)
    assert not changed(final(plan, tmp_path / "whole"), final(plan, tmp_path / "stopped"))


def test_a_phase_without_changes_keeps_its_key() -> None:
    written = study().by_id["train"].model_dump()
    assert "thaws" not in written
    assert study(Thaw(step=4, trainable=BODY)).key("train") != study().key("train")
