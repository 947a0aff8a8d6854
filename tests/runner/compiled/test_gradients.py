"""The kernels' losses and gradients are autograd's: in float32, and nearer still to float64's."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from procdsl.plan import ModelShape
from runner import batches, devices
from runner.compiled import Kernels
from runner.compiled.lanes import LANES
from runner.initial import initial
from runner.loss import cross_entropy
from runner.model import Transformer, hidden


class Case(NamedTuple):
    """A model, its vocabulary, and rows of which some positions are scored: a share of them, or one each."""

    heads: int
    width: int
    vocabulary: int
    length: int
    rows: int
    scored: float | str
    tied: bool = True
    layers: int = 2


CASES = {
    "needle": Case(4, 16, 128, 63, 200, "one"),
    "dyck": Case(4, 16, 18, 128, 16, 1.0),
    "untied": Case(4, 16, 18, 31, 20, 1.0, tied=False),
    "one head, one layer, odd everything": Case(1, 5, 7, 9, LANES + 3, 0.5, layers=1),
    "three heads of three": Case(3, 9, 13, 22, 3 * LANES - 1, 0.2, tied=False, layers=3),
    "heads of one": Case(4, 4, 6, 12, 5, 0.9),
    "one row of one position": Case(2, 8, 3, 1, 1, 1.0),
    "wide heads": Case(2, 64, 40, 20, LANES, "one"),
}


@pytest.mark.parametrize("name", CASES)
def test_losses_and_gradients_are_those_of_autograd(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, parts = made(CASES[name])
    scale = 1 / sum(len(part.targets_N) for part in parts)
    kernels = Kernels(model)
    loss_N = torch.cat([kernels.learn(part, scale) for part in parts])
    found = gradients(model)

    expected_N = torch.cat([autograd(model, part, scale) for part in parts])
    torch.testing.assert_close(loss_N, expected_N, rtol=1e-5, atol=1e-6)
    for tensor, expected in zip(found, gradients(model), strict=True):
        torch.testing.assert_close(tensor, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))

    monkeypatch.setattr(devices, "FAST_PRODUCT", None)
    model.double()
    exact_N = torch.cat([autograd(model, part, scale) for part in parts])
    torch.testing.assert_close(loss_N.double(), exact_N, rtol=2e-6, atol=2e-6)
    for tensor, exact in zip(found, gradients(model), strict=True):
        torch.testing.assert_close(
            tensor.double(), exact, rtol=2e-6, atol=4e-6 * max(float(exact.abs().max()), 1e-9)
        )


def test_equal_calls_give_equal_bits() -> None:
    model, parts = made(CASES["three heads of three"])
    runs = []
    for _ in range(2):
        kernels = Kernels(model)
        losses = [kernels.learn(part, 0.5) for part in parts]
        runs.append([*losses, *gradients(model)])
    assert all(torch.equal(one, other) for one, other in zip(*runs, strict=True))


def test_frozen_parameters_get_no_gradient() -> None:
    model, (part, *_) = made(CASES["untied"])
    model.embedding.weight.requires_grad_(False)
    Kernels(model).learn(part, 1.0)
    assert model.embedding.weight.grad is None
    assert model.position.weight.grad is not None


def test_what_was_not_finite_is_seen_and_leaves_no_trace() -> None:
    """A broken parameter makes loss and gradient nan; mended, all is as it was."""
    model, (part, *_) = made(CASES["one head, one layer, odd everything"])
    kernels = Kernels(model)
    before_N, before = kernels.learn(part, 1.0), gradients(model)
    for broken in (float("nan"), float("inf")):
        with torch.no_grad():
            kept = model.blocks[0].attention.into.weight.clone()  # type: ignore[union-attr]
            model.blocks[0].attention.into.weight[:] = broken  # type: ignore[index, union-attr]
        assert kernels.learn(part, 1.0).isnan().all()
        assert any(tensor.isnan().any() for tensor in gradients(model))
        with torch.no_grad():
            model.blocks[0].attention.into.weight[:] = kept  # type: ignore[index, union-attr]
        assert torch.equal(before_N, kernels.learn(part, 1.0))
        assert all(torch.equal(one, other) for one, other in zip(before, gradients(model), strict=True))


def made(case: Case) -> tuple[Transformer, tuple[batches.Part, ...]]:
    """A model away from its start, where every gradient is of some size, and the parts of one batch."""
    draw = np.random.default_rng(0)
    ids = draw.integers(0, case.vocabulary, (case.rows, case.length + 1), dtype=np.int32)
    scored = np.zeros(ids.shape, np.uint8)
    if case.scored == "one":
        scored[np.arange(case.rows), draw.integers(1, case.length + 1, case.rows)] = 1
    else:
        scored[:] = draw.random(ids.shape) < case.scored
    shape = ModelShape(
        layers=case.layers, heads=case.heads, width=case.width, context=case.length + 2, tied=case.tied
    )
    model = initial(shape, case.vocabulary, 0)
    noise = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor += 0.1 * torch.randn(tensor.shape, generator=noise)
    return model, batches.parts(ids, scored, np.zeros(case.rows, np.uint8), 3 * LANES + 1)


def autograd(model: Transformer, part: batches.Part, scale: float) -> torch.Tensor:
    hidden_NC = hidden(model, part.ids_BT, part.queries_BS, part.chosen_N)
    if hidden_NC.dtype == torch.float32:
        total, loss_N = cross_entropy(hidden_NC, model.unembedding, part.targets_N, scale)
    else:
        loss_N = F.cross_entropy(hidden_NC @ model.unembedding.T, part.targets_N, reduction="none")
        total = loss_N.sum() * scale
    torch.autograd.backward(total)
    return loss_N.detach()


def gradients(model: Transformer) -> list[torch.Tensor]:
    """The gradients, taken away."""
    found = [tensor.grad for tensor in model.parameters()]
    model.zero_grad()
    return [tensor for tensor in found if tensor is not None]
