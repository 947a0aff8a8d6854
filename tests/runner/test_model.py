"""The model is GPT-2's: equal logits and gradients with equal weights; shorter ways give the same numbers."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from transformers import GPT2Config, GPT2LMHeadModel

from procdsl.plan import COMPONENTS, ModelShape
from runner import devices
from runner.initial import initial
from runner.layouts import config, to_hugging_face
from runner.loss import cross_entropy, scores
from runner.model import Transformer, freeze, hidden, tags

SHAPE = ModelShape(layers=3, heads=4, width=32, context=24)
VOCABULARY = 61


def ids(rows: int = 5, length: int = 24) -> torch.Tensor:
    return torch.randint(0, VOCABULARY, (rows, length), generator=torch.Generator().manual_seed(1))


def theirs(ours: Transformer) -> GPT2LMHeadModel:
    model = GPT2LMHeadModel(GPT2Config(**config(ours.shape, VOCABULARY)))
    model.load_state_dict(to_hugging_face(ours.state_dict()))
    return model


@pytest.mark.parametrize("tied", [True, False])
def test_logits_and_gradients_are_hugging_faces(tied: bool) -> None:
    ours = initial(SHAPE.model_copy(update={"tied": tied}), VOCABULARY, seed=3)
    other = theirs(ours)
    fed, targets = ids()[:, :-1], ids()[:, 1:]
    torch.testing.assert_close(ours.logits(fed), other(fed).logits, rtol=1e-4, atol=1e-5)

    F.cross_entropy(ours.logits(fed).flatten(0, 1), targets.flatten()).backward()
    F.cross_entropy(other(fed).logits.flatten(0, 1), targets.flatten()).backward()
    gradients = to_hugging_face({name: tensor.grad for name, tensor in ours.named_parameters()})
    for name, tensor in other.named_parameters():
        torch.testing.assert_close(gradients[name], tensor.grad, rtol=1e-4, atol=1e-6, msg=name)


def test_the_last_block_at_chosen_positions_gives_their_states_and_gradients() -> None:
    scored = torch.rand(5, 24, generator=torch.Generator().manual_seed(2)) < 0.2
    scored[0], scored[1, 23] = False, True
    model = initial(SHAPE, VOCABULARY, seed=3)
    targets = ids().roll(-1, 1)
    most = int(scored.sum(1).max())
    queries = scored.int().argsort(dim=1, descending=True, stable=True)[:, :most]
    chosen = scored.gather(1, queries).flatten().nonzero().squeeze(1)

    found = []
    for some, where in ((None, scored.flatten().nonzero().squeeze(1)), (queries, chosen)):
        states = hidden(model, ids(), some, where)
        loss, _ = cross_entropy(states, model.unembedding, targets[scored], 0.1)
        loss.backward()
        found.append((states.detach(), {name: tensor.grad for name, tensor in model.named_parameters()}))
        model.zero_grad(set_to_none=True)
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-4, atol=1e-5)
    for name, gradient in found[0][1].items():
        torch.testing.assert_close(found[1][1][name], gradient, rtol=1e-4, atol=1e-6, msg=name)


def test_the_chunked_cross_entropy_is_pytorchs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.loss._CHUNK", {"cpu": 64 * VOCABULARY})
    draw = torch.Generator().manual_seed(4)
    states, head = torch.randn(200, 32, generator=draw), torch.randn(VOCABULARY, 32, generator=draw)
    targets = torch.randint(0, VOCABULARY, (200,), generator=draw)
    ours = [states.clone().requires_grad_(), head.clone().requires_grad_()]
    plain = [states.clone().requires_grad_(), head.clone().requires_grad_()]
    total, each = cross_entropy(ours[0], ours[1], targets, 1 / 200)
    (total * 3).backward()
    expected = F.cross_entropy(F.linear(*plain), targets)
    (expected * 3).backward()
    torch.testing.assert_close(total, expected)
    torch.testing.assert_close(each.mean(), expected)
    for one, other in zip(ours, plain, strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    assert torch.equal(scores(states, head, targets).hit_N, F.linear(states, head).argmax(1) == targets)


@pytest.mark.skipif(not devices.FAST_PRODUCT, reason="this build of PyTorch has no such operator")
@pytest.mark.parametrize("bias", [True, False])
def test_the_fast_product_is_the_plain_one(bias: bool) -> None:
    draw = torch.Generator().manual_seed(5)
    shapes = [(4, 600, 64), (96, 64), (96,)]
    values = [torch.randn(shape, generator=draw) for shape in shapes[: 2 + bias]]
    fast, plain = ([value.clone().requires_grad_() for value in values] for _ in range(2))
    outcome, expected = devices.linear(*fast), F.linear(*plain)
    torch.testing.assert_close(outcome, expected, rtol=1e-4, atol=1e-4)
    weights = torch.randn(outcome.shape, generator=draw)
    (outcome * weights).sum().backward()
    (expected * weights).sum().backward()
    for one, other in zip(fast, plain, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-2)


def test_every_parameter_has_a_component_and_freezing_goes_by_them() -> None:
    model = initial(SHAPE.model_copy(update={"tied": False}), VOCABULARY, seed=0)
    found = tags(model)
    assert set(found) == {name for name, _ in model.named_parameters()}
    assert {tag.component for tag in found.values()} == set(COMPONENTS)
    assert {tag.layer for tag in found.values() if tag.component == "attention"} == {0, 1, 2}
    freeze(model, ("attention",))
    trained = {name for name, tensor in model.named_parameters() if tensor.requires_grad}
    assert trained == {name for name in found if ".attention." in name}
