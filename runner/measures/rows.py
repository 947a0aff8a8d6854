"""Held-out rows, made once, and what each of their targets costs a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from procdsl.plan import GenerateOperation
from procdsl.programs.measurements.base import HeldOutMeasurement
from runner import batches, devices
from runner.batches import Flags, Ids, Part
from runner.loss import scores
from runner.measures import Setting
from runner.model import Transformer, hidden


@dataclass(frozen=True)
class Scored:
    """What the targets got: their summed loss, and each of theirs, row by row and in order.

    A hit is whether the likeliest id is the target; of a frame, the share of cells whose likelier state is.
    """

    total: float
    loss_N: NDArray[np.float64]
    hit_N: NDArray[Any]

    @property
    def loss(self) -> float:
        return self.total / len(self.loss_N)

    @property
    def accuracy(self) -> float:
        return float(self.hit_N.sum()) / len(self.hit_N)


@dataclass(frozen=True)
class HeldOut:
    """Rows of context + 1 ids (or frames) and flags, on the device in parts.

    Losses are over the first `size` ids, or over the cells of a frame, which are as many.

    `token_bytes` is there when they are text.
    """

    ids: Ids
    scored: Flags
    parts: tuple[Part, ...]
    size: int
    token_bytes: NDArray[np.int64] | None

    def score(self, model: Transformer) -> Scored:
        """Every target under a model."""
        head_VC = model.unembedding[: self.size]
        got = [scores(states(model, part), head_VC, part.targets_N) for part in self.parts]
        return Scored(
            sum(float(each.loss_N.double().sum()) for each in got),
            self.in_order([each.loss_N.double() for each in got]),
            self.in_order([each.hit_N for each in got]),
        )

    def in_order(self, values: Sequence[Tensor]) -> NDArray[Any]:
        """What the targets of each part have, row by row and in order."""
        return torch.cat(list(values)).cpu().numpy()[self._order]

    def by_part(self, values_N: NDArray[Any]) -> list[Tensor]:
        """What each target has, in order, as the targets of each part stand."""
        there = np.empty_like(values_N)
        there[self._order] = values_N
        return list(torch.from_numpy(there).split([len(part.targets_N) for part in self.parts]))

    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Each target's row and column, in order; column c is that of position c, whose next token it is."""
        row_N, column_N = np.nonzero(self.scored[:, 1:])
        return row_N, column_N

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        # A part's targets stand row by row already; parts are sorted by their rows' lengths.
        return np.argsort(torch.cat([part.feed_N for part in self.parts]).cpu().numpy(), kind="stable")


class Own(NamedTuple):
    """The phase's ids of a source's tokens, in order; and the way back, -1 for what is none of them."""

    ids: NDArray[np.int32]
    back: NDArray[np.int64]


def own_ids(setting: Setting) -> Own:
    """How a generated source's own ids and the phase's stand to each other."""
    vocabulary, source = setting.operation.vocabulary, setting.source
    assert isinstance(source, GenerateOperation)
    ids = batches.generated(source, vocabulary, data_seed=0, split="train").phase_id
    back = np.full(vocabulary.size, -1, np.int64)
    back[ids] = np.arange(len(ids))
    return Own(ids, back)


def states(model: Transformer, part: Part) -> Tensor:
    """The hidden states before a part's targets, N × C."""
    return hidden(model, part.ids_BT, part.queries_BS, part.chosen_N)


def held_out(setting: Setting) -> HeldOut:
    """The rows a measurement names."""
    wanted, operation, source = setting.measure.measurement, setting.operation, setting.source
    assert isinstance(wanted, HeldOutMeasurement), "its rows are its own"
    rows: batches.Rows
    if isinstance(source, GenerateOperation):
        rows = batches.generated(
            source, operation.vocabulary, data_seed=setting.measure.data_seed, split=wanted.split
        )
        context, size, token_bytes = source.context, operation.vocabulary.size, None
    else:
        corpus = batches.open_corpora(setting.plan, (source.id,), setting.store)[source.id]
        rows, context, size = batches.HeldOutText(corpus), operation.context, operation.vocabulary.text_size
        token_bytes = corpus.token_bytes.astype(np.int64)
    ids, scored = batches.empty(wanted.rows, context, operation.vocabulary.cells)
    rows.fill(0, ids, scored)
    return HeldOut(ids, scored, parts(setting, ids, scored), size, token_bytes)


def parts(setting: Setting, ids: Ids, scored: Flags) -> tuple[Part, ...]:
    """Rows in parts on the device; the feed of a target is its row's number."""
    most = devices.part_rows(setting.device, setting.operation.model.width, ids.shape[1] - 1)
    made = batches.parts(ids, scored, np.arange(len(ids)), most)
    return tuple(part.to(setting.device) for part in made)
