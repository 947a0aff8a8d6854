"""Loss on held-out rows of any source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from procdsl.language.evaluations.base import Evaluation
from procdsl.language.sources.base import Procedural
from procdsl.programs import LossMeasurement


class Loss(Evaluation):
    """Teacher-forced cross-entropy; perplexity and bits per byte on text, accuracy on procedural rows.

    ```toml
    kind  = "loss"
    on    = "c4"
    every = "500 steps"
    ```
    """

    kind: Literal["loss"]

    def measurement(self, source: str) -> LossMeasurement:
        return LossMeasurement(source=source, split=self.split, rows=self.rows)

    def metrics(self, on: Procedural | None) -> Mapping[str, bool]:
        if on is None:
            return {"loss": True, "perplexity": True, "bits_per_byte": True}
        return {"loss": True, "accuracy": False, "loss_over_floor": True}
