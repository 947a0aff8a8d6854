"""Cross-entropy on held-out rows."""

from __future__ import annotations

from typing import Literal

from procdsl.kinds import later
from procdsl.programs.measurements.base import HeldOutMeasurement


class LossMeasurement(HeldOutMeasurement):
    """Teacher-forced cross-entropy on held-out rows of one source.

    Text: `loss` (nats a token), `perplexity`, `bits_per_byte`; generated rows: `loss`, `accuracy` (next
    symbol), and `loss_over_floor` where the floor is exact; `closer_accuracy` is over the targets among
    `closers`, the source's ids of closing brackets. Text losses are over the text's ids only. Where positions
    are frames, `loss` and `accuracy` are of their cells, `frame_loss` and `exact_match` of whole frames.
    """

    kind: Literal["loss"] = "loss"
    closers: tuple[int, ...] = later(())
