"""Held-out rows, made once, and what each of their targets costs a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from procdsl.plan import GenerateOperation
from procdsl.programs import AnswerMeasurement, LossMeasurement
from runner import batches, devices
from runner.batches import Flags, Ids, Part
from runner.loss import scores
from runner.measures import Setting
from runner.model import Transformer, hidden


@dataclass(frozen=True)
class Scored:
    """What the targets got: their summed loss, and each of theirs, row by row and in order."""

    total: float
    loss_N: NDArray[np.float64]
    hit_N: NDArray[np.bool_]
    row_N: NDArray[np.int64]

    @property
    def loss(self) -> float:
        return self.total / len(self.loss_N)

    @property
    def accuracy(self) -> float:
        return int(self.hit_N.sum()) / len(self.hit_N)


@dataclass(frozen=True)
class HeldOut:
    """Rows of context + 1 ids and flags, on the device in parts; losses are over the first `size` ids.

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
        got = [
            scores(hidden(model, part.ids_BT, part.queries_BS, part.chosen_N), head_VC, part.targets_N)
            for part in self.parts
        ]
        # A part's rows keep their order, and their targets stand row by row; parts are sorted by length.
        row_N = torch.cat([part.feed_N for part in self.parts]).cpu().numpy()
        order = np.argsort(row_N, kind="stable")
        return Scored(
            sum(float(each.loss_N.double().sum()) for each in got),
            torch.cat([each.loss_N for each in got]).double().cpu().numpy()[order],
            torch.cat([each.hit_N for each in got]).cpu().numpy()[order],
            row_N[order],
        )


def held_out(setting: Setting) -> HeldOut:
    """The rows a measurement names."""
    wanted, operation, source = setting.measure.measurement, setting.operation, setting.source
    assert isinstance(wanted, LossMeasurement | AnswerMeasurement)
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
    ids = np.empty((wanted.rows, context + 1), np.int32)
    scored = np.empty(ids.shape, np.uint8)
    rows.fill(0, ids, scored)
    return HeldOut(ids, scored, parts(setting, ids, scored), size, token_bytes)


def parts(setting: Setting, ids: Ids, scored: Flags) -> tuple[Part, ...]:
    """Rows in parts on the device; the feed of a target is its row's number."""
    most = devices.part_rows(setting.device, setting.operation.model.width, ids.shape[1] - 1)
    made = batches.parts(ids, scored, np.arange(len(ids)), most)
    return tuple(part.to(setting.device) for part in made)
