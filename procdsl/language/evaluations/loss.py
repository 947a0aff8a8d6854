"""Loss on held-out rows of any source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from procdsl.analysis.brackets import brackets
from procdsl.language.evaluations.base import Evaluation
from procdsl.language.sources.base import Procedural
from procdsl.programs.measurements.loss import LossMeasurement


class Loss(Evaluation):
    """Teacher-forced cross-entropy; perplexity and bits per byte on text, accuracy on procedural rows.

    Where positions are frames, `loss` and `accuracy` are of cells, `frame_loss` and `exact_match` of frames.
    Where a grammar has brackets, known by their spelling, `closer_accuracy` is the accuracy over those that
    close: with Dyck words it goes to one, as far as a close is likelier than each opener.

    ```toml
    kind  = "loss"
    on    = "c4"
    every = "500 steps"
    ```
    """

    of_frames: ClassVar[bool] = True
    kind: Literal["loss"]

    def measurement(self, source: str, on: Procedural | None) -> LossMeasurement:
        return LossMeasurement(source=source, split=self.split, rows=self.rows, closers=_closers(on))

    def metrics(self, on: Procedural | None) -> Mapping[str, bool]:
        if on is None:
            return {"loss": True, "perplexity": True, "bits_per_byte": True}
        over = {"closer_accuracy": False} if _closers(on) else {}
        if on.cells():
            over |= {"frame_loss": True, "exact_match": False}
        return {"loss": True, "accuracy": False, "loss_over_floor": True, **over}


def _closers(on: Procedural | None) -> tuple[int, ...]:
    """The ids of the closing brackets among a source's symbols."""
    if on is None:
        return ()
    alphabet = on.alphabet()
    known = brackets(alphabet)
    return tuple(id for id, token in enumerate(alphabet) if token in known and not known[token][1])
