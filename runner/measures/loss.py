"""Cross-entropy on held-out rows. A text's is over the text's own ids, so that phases with other tokens
beside them compare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from procdsl.plan import GenerateOperation
from procdsl.programs.base import Interval
from procdsl.programs.measurements.loss import LossMeasurement
from runner.batches import phase_ids
from runner.measures import Setting
from runner.measures.rows import HeldOut, held_out
from runner.model import Transformer


def prepared(setting: Setting) -> Loss:
    source = setting.source
    rows = held_out(setting)
    if not isinstance(source, GenerateOperation):
        return Loss(rows, None, None)
    return Loss(rows, source.floor, _closing(setting, source, rows), source.cells)


def _closing(setting: Setting, source: GenerateOperation, rows: HeldOut) -> NDArray[np.bool_] | None:
    """Which targets, row by row and in order, are closing brackets."""
    wanted = setting.measure.measurement
    if not isinstance(wanted, LossMeasurement) or not wanted.closers:
        return None
    closers = phase_ids(source, setting.operation.vocabulary)[list(wanted.closers)]
    return np.isin(rows.ids[:, 1:][rows.scored[:, 1:] != 0], closers)


@dataclass(frozen=True)
class Loss:
    rows: HeldOut
    floor: Interval | None
    closing_N: NDArray[np.bool_] | None
    cells: int = 0

    def metrics(self, model: Transformer) -> dict[str, float]:
        got = self.rows.score(model)
        if self.rows.token_bytes is not None:
            read = sum(
                int(self.rows.token_bytes[part.targets_N.cpu().numpy()].sum()) for part in self.rows.parts
            )
            bits = got.total / math.log(2) / read
            return {"loss": got.loss, "perplexity": math.exp(min(got.loss, 700.0)), "bits_per_byte": bits}
        known = self.floor
        over = {"loss_over_floor": got.loss - known.low} if known and known.exact else {}
        if self.cells:
            over |= {"frame_loss": got.loss * self.cells, "exact_match": float((got.hit_N == 1).mean())}
        if self.closing_N is not None and self.closing_N.any():
            over["closer_accuracy"] = float(got.hit_N[self.closing_N].mean())
        return {"loss": got.loss, "accuracy": got.accuracy, **over}
