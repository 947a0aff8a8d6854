"""A step of replicas is the step of each alone: the same numbers, parameters and optimiser, to 1e-5."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

from procdsl.plan import COMPONENTS, Component, Feed, ModelShape, Optimiser, Vocabulary
from runner import optimiser
from runner.batches import Batch, parts
from runner.initial import initial
from runner.loss import cross_entropy
from runner.model import freeze, hidden
from runner.record import Counters
from runner.replicas.model import hidden as hidden_of_all
from runner.replicas.parts import UNSCORED, fed
from runner.replicas.stack import Stack
from runner.train import TrainState, Turn
from tests.runner.training import TINY, dyck, phase

VOCABULARY, LENGTH = 24, 16


@dataclass(frozen=True)
class Replica:
    """A model and its batches: `rows` of them, of whose positions a share is scored. A large `eps` lets AdamW
    answer a small change of a gradient by a small one."""

    seed: int
    rows: int = 8
    share: float = 1.0
    feeds: int = 1
    rate: float = 1e-2
    settings: dict[str, Any] = field(default_factory=dict)
    shape: ModelShape = TINY
    trainable: tuple[Component, ...] = COMPONENTS

    def turns(self) -> Callable[[int], Turn]:
        """The replica, begun; its turn at a step."""
        settings = Optimiser(**{"lr": 1e-2, "eps": 1e-2} | self.settings)
        made = initial(self.shape, VOCABULARY, self.seed)
        with torch.no_grad():
            for tensor in made.parameters():
                tensor.mul_(4)  # attention hardly matters in a fresh model
        freeze(made, self.trainable)
        state = TrainState(made, optimiser.build(settings, made), Counters())
        source = dyck()
        operation = phase(source, model=self.shape, vocabulary=Vocabulary(text_size=VOCABULARY)).model_copy(
            update={"optimiser": settings, "feeds": tuple(Feed(source=source.id) for _ in range(self.feeds))}
        )
        return lambda step: Turn(operation, state, self.batch(step), self.rate)

    def batch(self, step: int) -> Batch:
        draw = np.random.default_rng((self.seed, step))
        ids = draw.integers(0, VOCABULARY, (self.rows, LENGTH + 1), dtype=np.int32)
        scored = (draw.random(ids.shape) < self.share).astype(np.uint8)
        scored[0, 5] = 1
        feed = (np.arange(self.rows) % self.feeds).astype(np.uint8)
        targets = np.bincount(feed, np.count_nonzero(scored[:, 1:], axis=1), self.feeds).astype(int)
        made = parts(ids, scored, feed, part_rows=4)
        return Batch(step, (self.rows,), tuple(targets.tolist()), made)


def alone(turn: Turn) -> list[float]:
    """The step as it is taken alone, through autograd and PyTorch's AdamW; its numbers."""
    model, losses = turn.state.model, [0.0 for _ in turn.operation.feeds]
    for part in turn.batch.parts:
        states = hidden(model, part.ids_BT, part.queries_BS, part.chosen_N)
        total, loss_N = cross_entropy(states, model.unembedding, part.targets_N, 1 / turn.batch.scored)
        torch.autograd.backward(total)
        for number in range(len(losses)):
            losses[number] += float(loss_N[part.feed_N == number].sum())
    loss = sum(losses) / turn.batch.scored
    norm = optimiser.clip(
        [one.grad for one in model.parameters() if one.grad is not None], turn.operation.optimiser.clip
    )
    broken = ~torch.isfinite(norm + loss)
    optimiser.step(turn.state.optimiser, rate=turn.rate, skip=broken)
    return [loss, float(norm), float(broken), 0.0, *losses]


def tensors(turn: Turn) -> dict[str, torch.Tensor]:
    """All that a checkpoint holds of a replica."""
    state = turn.state
    return dict(state.model.state_dict()) | optimiser.tensors(state.optimiser, state.model)


GROUPS = {
    "seeds": [Replica(0), Replica(1), Replica(2)],
    "few positions": [Replica(0, share=0.1), Replica(1, share=0.2), Replica(2, share=0.05)],
    "some positions of some": [Replica(0), Replica(1, share=0.1), Replica(2, share=0.7)],
    "more rows, more feeds": [Replica(0, rows=13), Replica(1, rows=3, feeds=3), Replica(2, rows=8, feeds=2)],
    "rates": [Replica(0, rate=0.1), Replica(0, rate=1e-3), Replica(0, rate=0.0)],
    "optimisers": [
        Replica(0, settings={"betas": (0.8, 0.9), "clip": 0.01, "weight_decay": 0.3}),
        Replica(1, settings={"betas": (0.9, 0.95), "clip": None, "weight_decay": 0.1, "decay": "all"}),
        Replica(2, settings={"eps": 0.1, "weight_decay": 0.0}),
    ],
    "untied": [Replica(seed, shape=TINY.model_copy(update={"tied": False})) for seed in range(2)],
    "frozen": [Replica(seed, trainable=("attention", "norm")) for seed in range(2)],
    "one layer, one head": [
        Replica(seed, share=0.1, shape=TINY.model_copy(update={"layers": 1, "heads": 1})) for seed in range(2)
    ],
    "one": [Replica(0)],
}


@pytest.mark.parametrize("name", GROUPS)
def test_a_step_of_all_is_the_step_of_each(name: str) -> None:
    together, each = ([replica.turns() for replica in GROUPS[name]] for _ in range(2))
    stack = Stack()
    for step in range(4):
        numbers = stack.step([turn(step) for turn in together])
        for got, turn, same in zip(numbers, each, together, strict=True):
            assert got.read() == pytest.approx(alone(turn(step)), rel=1e-5, abs=1e-6)
            for name, tensor in tensors(turn(step)).items():
                torch.testing.assert_close(tensors(same(step))[name], tensor, rtol=1e-5, atol=1e-5)


def test_who_leaves_and_who_joins_changes_nothing_for_the_others() -> None:
    """In steps 0 .. 5 each takes part in some; what counts is what it did itself."""
    there = {0: range(6), 1: range(3), 2: range(2, 6)}
    together, each = ({seed: Replica(seed).turns() for seed in there} for _ in range(2))
    stack = Stack()
    for step in range(6):
        present = [seed for seed, steps in there.items() if step in steps]
        stack.step([together[seed](step) for seed in present])
        for seed in present:
            alone(each[seed](step))
    for seed, steps in there.items():
        assert tensors(together[seed](0))["step/norm.bias"] == len(steps)
        for name, tensor in tensors(each[seed](0)).items():
            torch.testing.assert_close(tensors(together[seed](0))[name], tensor, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("first", [0, 2])
def test_what_is_not_finite_stays_as_it_is_and_disturbs_nobody(first: int) -> None:
    """From step `first` on one of three has an infinite entry: it is skipped, with its optimiser."""
    together, each = ([Replica(seed).turns() for seed in range(3)] for _ in range(2))
    stack = Stack()
    for step in range(4):
        turns = [turn(step) for turn in together]
        if step == first:
            with torch.no_grad():
                turns[1].state.model.norm.bias[0] = float("inf")
            before = {name: tensor.clone() for name, tensor in tensors(turns[1]).items()}
        numbers = [one.read() for one in stack.step(turns)]
        assert [one[2] for one in numbers] == [0.0, float(step >= first), 0.0]
        for seed in (0, 2):
            assert numbers[seed] == pytest.approx(alone(each[seed](step)), rel=1e-5, abs=1e-6)
    for name, tensor in tensors(together[1](4)).items():
        kept = before.get(name)
        assert torch.equal(tensor, torch.zeros_like(tensor) if kept is None else kept), name


@pytest.mark.parametrize("share", [1.0, 0.1])
@pytest.mark.parametrize("tied", [True, False])
def test_hidden_states_are_those_of_each_model(share: float, tied: bool) -> None:
    shape = TINY.model_copy(update={"tied": tied})
    turns = [Replica(seed, share=share, shape=shape).turns()(0) for seed in range(3)]
    models = [turn.state.model for turn in turns]
    made = fed([turn.batch.parts[0] for turn in turns], torch.device("cpu"))
    weights = {
        name: torch.stack([model.get_parameter(name) for model in models]).detach()
        for name, _ in models[0].named_parameters()
    }
    states_RNC = hidden_of_all(weights, shape, made.ids_RBT, made.queries_RBS)
    assert (made.queries_RBS is None) == (share == 1.0)
    for r, model in enumerate(models):
        queries = None if made.queries_RBS is None else made.queries_RBS[r]
        expected = model(made.ids_RBT[r], queries).flatten(0, 1)
        torch.testing.assert_close(states_RNC[r], expected, rtol=1e-5, atol=1e-5)


def test_parts_are_filled_up_with_what_is_not_scored() -> None:
    """A part with few scored positions, one that is scored wherever it is fed, and none."""
    few, whole = (Replica(0, rows=4, share=share).batch(0).parts[0] for share in (0.1, 1.0))
    assert few.queries_BS is not None
    assert whole.queries_BS is None
    made = fed([few, whole, None], torch.device("cpu"))
    assert made.queries_RBS is None
    targets_RBT = made.targets_RN.view(made.ids_RBT.shape)
    for r, part in enumerate((few, whole)):
        rows, length = part.ids_BT.shape
        assert torch.equal(made.ids_RBT[r, :rows, :length], part.ids_BT)
        assert sorted(targets_RBT[r][targets_RBT[r] != UNSCORED].tolist()) == sorted(part.targets_N.tolist())
    assert (targets_RBT[2] == UNSCORED).all()
    # A scored position's target is the id that is fed behind it, where that is fed.
    ahead, target = made.ids_RBT[1][:, 1:], targets_RBT[1][:, :-1]
    assert torch.equal(ahead.long(), target)
