"""AdamW against PyTorch's plain one, schedules, clipping, decay groups, and steps that are left out."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from procdsl.plan import ModelShape, Optimiser, Schedule
from runner import optimiser
from runner.initial import initial
from runner.model import Transformer

SETTINGS = Optimiser(lr=1e-2, weight_decay=0.1, betas=(0.9, 0.95), clip=0.5)


def model() -> Transformer:
    return initial(ModelShape(layers=1, heads=2, width=8, context=4), 5, seed=0)


def set_gradients(model: Transformer, step: int) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(step)
    for tensor in model.parameters():
        tensor.grad = torch.randn(tensor.shape, generator=draw)
    return [tensor.grad for tensor in model.parameters() if tensor.grad is not None]


def test_ten_steps_are_pytorchs() -> None:
    ours, plain = model(), model()
    adamw = optimiser.build(SETTINGS, ours)
    matrices = [tensor for tensor in plain.parameters() if tensor.ndim > 1]
    vectors = [tensor for tensor in plain.parameters() if tensor.ndim == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    reference = torch.optim.AdamW(groups, lr=1e-2, betas=(0.9, 0.95), foreach=False, fused=False)
    for step in range(10):
        optimiser.clip(set_gradients(ours, step), SETTINGS.clip)
        optimiser.step(adamw, rate=1e-2 / (step + 1), skip=torch.tensor(False))
        set_gradients(plain, step)
        torch.nn.utils.clip_grad_norm_(plain.parameters(), 0.5)
        for group in reference.param_groups:
            group["lr"] = 1e-2 / (step + 1)
        reference.step()
    for one, other in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_a_skipped_step_changes_nothing() -> None:
    ours = model()
    adamw = optimiser.build(SETTINGS, ours)
    set_gradients(ours, 0)
    optimiser.step(adamw, rate=1e-2, skip=torch.tensor(False))
    before = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    state = {name: tensor.clone() for name, tensor in optimiser.tensors(adamw, ours).items()}
    set_gradients(ours, 1)[0].fill_(float("nan"))
    optimiser.step(adamw, rate=1e-2, skip=torch.tensor(True))
    assert all(torch.equal(tensor, before[name]) for name, tensor in ours.state_dict().items())
    assert all(torch.equal(tensor, state[name]) for name, tensor in optimiser.tensors(adamw, ours).items())


def test_decaying_all_leaves_one_group() -> None:
    (group,) = optimiser.build(SETTINGS.model_copy(update={"decay": "all"}), model()).param_groups
    assert group["weight_decay"] == 0.1
    assert len(group["params"]) == len(list(model().parameters()))


@pytest.mark.parametrize("kind", ["constant", "cosine", "linear"])
@given(steps=st.integers(1, 200), warmup=st.integers(0, 250), floor=st.floats(0, 1))
def test_rates_rise_to_the_peak_then_never_rise_and_end_one_step_above_the_floor(
    kind: str, steps: int, warmup: int, floor: float
) -> None:
    schedule = Schedule(kind=kind, warmup=warmup, floor=floor)  # type: ignore[arg-type]
    rates = [schedule.rate(2.0, steps, step) for step in range(steps)]
    risen, fallen = rates[:warmup], rates[warmup:]
    assert risen == sorted(risen)
    assert fallen == sorted(fallen, reverse=True)
    assert all(0 < rate <= 2.0 for rate in risen)
    if fallen:
        assert fallen[0] == 2.0
        assert fallen[-1] >= 2.0 * floor * (1 - 1e-12)
    if fallen and kind == "linear":
        assert fallen[-1] == pytest.approx(2.0 * (floor + (1 - floor) / (steps - warmup)))
