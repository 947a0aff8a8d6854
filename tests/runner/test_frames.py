"""Positions that are frames: batches, their loss, and what is learnt, resumed and transferred."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from procdsl.errors import Stopped, UsageError
from procdsl.grammars.eca import Eca
from procdsl.plan import (
    ModelShape,
    Optimiser,
    Plan,
    Stage,
    TransferOperation,
    TransferRule,
    Trial,
    TrialPhase,
    Vocabulary,
)
from runner import batches, checkpoints
from runner.devices import World
from runner.execution import Execution
from runner.exports import export_model
from runner.initial import initial
from runner.learning import learner
from runner.model import tags
from runner.store import Store
from runner.transfer import apply
from tests.grammars.examples import operation
from tests.runner.test_resume import StopAfter
from tests.runner.training import carry_out, dyck, loss_of, phase, plan_of

CELLS, FRAMES = 10, 8
SHAPE = ModelShape(layers=1, heads=2, width=32, context=FRAMES)
RULE_110 = Eca.model_validate(
    {"rule": 110, "width": CELLS, "steps": FRAMES, "encode": "vectors", "held_out": {"validation": 0.05}}
)


def study(steps: int = 12, **changes: Any) -> Plan:
    """A phase on frames, measured at its beginning and its end."""
    source = operation(RULE_110).model_copy(update={"id": "frames", "name": "frames"})
    content: dict[str, Any] = {
        "model": SHAPE,
        "vocabulary": Vocabulary(cells=CELLS),
        "context": FRAMES,
        "batch_rows": 32,
        "stages": (Stage(steps=steps, shares=(1.0,)),),
        "optimiser": Optimiser(lr=1e-2),
    }
    train = phase(source, **content | changes)
    return plan_of(source, train, loss_of(source, steps=(0, steps), rows=64))


def batch_of(plan: Plan, step: int = 0) -> batches.Batch:
    train: Any = plan.by_id["train"]
    store, execution = Store(Path()), Execution(store=Path())
    return batches.maker(plan, train, store, execution, torch.device("cpu"), World(0, 1)).make(step)


def by_rule_110(cells: Any) -> Any:
    """The rule as logic: the middle and the right one differ, or both are 1 and the left one is not."""
    left, right = np.roll(cells, 1, -1), np.roll(cells, -1, -1)
    return (cells ^ right) | (cells & right & ~left & 1)


def test_a_position_is_a_frame_and_its_target_the_next() -> None:
    batch = batch_of(study())
    (part,) = batch.parts
    assert part.ids_BT.shape == (32, FRAMES, CELLS)
    assert part.queries_BS is None
    assert part.chosen_N is None
    frames, targets = part.ids_BT.numpy(), part.targets_N.view(32, FRAMES, CELLS).numpy()
    assert (targets == by_rule_110(frames)).all()
    assert (targets[:, :-1] == frames[:, 1:]).all()
    assert 0.4 < frames[:, 0].mean() < 0.6
    assert batch.targets == (32 * FRAMES,)


def test_behind_the_rows_of_a_longer_phase_nothing_is_asked_for() -> None:
    longer = study(model=SHAPE.model_copy(update={"context": 12}), context=12)
    batch = batch_of(longer)
    assert batch.targets == (32 * FRAMES,)
    assert torch.equal(batch.parts[0].targets_N, batch_of(study()).parts[0].targets_N)


@pytest.mark.parametrize("tied", [True, False])
def test_loss_and_gradient_are_those_of_torchs_own_cross_entropy(tied: bool) -> None:
    plan = study(model=SHAPE.model_copy(update={"tied": tied}))
    train: Any = plan.by_id["train"]
    (part,) = batch_of(plan).parts
    model, other = (initial(train.model, CELLS, 3) for _ in range(2))
    loss_N, _ = learner(plan, train, model, Execution(store=Path()), World(0, 1))(part, 1 / 256)

    projected = part.ids_BT.float() @ other.embedding.weight + other.position.weight
    for block in other.blocks:
        projected = block(projected)
    logits = other.norm(projected) @ other.unembedding.T
    wanted = part.targets_N.view(logits.shape).float()
    expected = F.binary_cross_entropy_with_logits(logits, wanted)
    expected.backward()
    assert float(loss_N.mean()) == pytest.approx(expected.item(), rel=1e-6)
    for name, tensor in model.named_parameters():
        assert torch.allclose(tensor.grad, other.get_parameter(name).grad, rtol=1e-4, atol=1e-7), name


def test_a_tiny_model_learns_rule_110(tmp_path: Path) -> None:
    plan = study(250)
    carry_out(plan, tmp_path)
    (path,) = (Store(tmp_path).path("train", plan.key("train")) / "measurements").iterdir()
    before, after = (json.loads(path.read_text())[step] for step in ("0", "250"))
    assert before["loss"] == pytest.approx(np.log(2), abs=0.05)
    assert before["exact_match"] < 0.05
    assert after["loss"] < 0.02
    assert after["frame_loss"] == pytest.approx(after["loss"] * CELLS)
    assert after["accuracy"] > 0.999
    assert after["exact_match"] > 0.99


def test_stopped_and_gone_on_with_it_ends_alike_bit_for_bit(tmp_path: Path) -> None:
    plan = study()
    facts = carry_out(plan, tmp_path / "whole")
    with pytest.raises(Stopped):
        carry_out(plan, tmp_path / "parts", stopping=StopAfter(5))
    assert carry_out(plan, tmp_path / "parts")["digest"] == facts["digest"]


def test_a_body_passes_over_to_tokens_bit_for_bit(tmp_path: Path) -> None:
    source = dyck()
    rules = tuple(
        TransferRule(component=name, action="take", source="train") for name in ("attention", "mlp", "norm")
    )
    vocabulary = Vocabulary(tokens=source.tokens)
    operation = TransferOperation(id="start", seed=5, model=SHAPE, vocabulary=vocabulary, rules=rules)
    plan = study()
    plan = plan_of(*plan.operations, operation)
    carry_out(plan, tmp_path)
    there = checkpoints.parameters(Store(tmp_path).path("train", plan.key("train")))
    made, _ = apply(plan, operation, {"train": there})
    fresh = initial(SHAPE, vocabulary.size, 5)
    for name, tag in tags(fresh).items():
        taken = tag.component in ("attention", "mlp", "norm")
        assert torch.equal(made[name], there[name] if taken else fresh.get_parameter(name)), name


def test_frames_are_no_gpt_2(tmp_path: Path) -> None:
    one = TrialPhase(name="warmup", train="train", text_tokens=0, procedural_tokens=0)
    plan = study()
    plan = plan.with_operations(
        plan.operations, (Trial(curriculum="eca", seed=0, phases=(one,), measures=()),)
    )
    with pytest.raises(UsageError, match="frames of cells"):
        export_model(plan, Store(tmp_path), tmp_path / "out", curriculum="eca", seed=0, phase=None)
