"""Attention: where every head looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from procdsl import recognisers
from procdsl.language.evaluations.base import Evaluation
from procdsl.language.sources.base import Procedural
from procdsl.programs.measurements.attention import AttentionMeasurement


class Attention(Evaluation):
    """Entropy of attention, and how much of it previous-token, induction and bracket-matching heads have.

    Of every head, as in `entropy/l0h3` (layer 0, head 3). `entropy`, in nats, is a mean over positions.
    `previous` is the mass on the position before. `induction` is measured on symbols drawn evenly and then
    repeated: the mass that a symbol puts, the second time, on what followed it the first time (Olsson et al.
    2022). `bracket`, on grammars of brackets, is the mass that a closing bracket puts on the one it closes.
    Without a head, `entropy` is the mean over heads, and each of the others that of the head with most of it.

    ```toml
    kind = "attention"
    on   = "dyck"
    rows = 64
    ```
    """

    kind: Literal["attention"]
    rows: int = 64

    def measurement(self, source: str, on: Procedural | None) -> AttentionMeasurement:
        return AttentionMeasurement(source=source, split=self.split, rows=self.rows)

    def metrics(self, on: Procedural | None) -> Mapping[str, bool]:
        nests = on is not None and recognisers.nests(on.program())
        names = {
            "entropy": True,
            "induction": False,
            "previous": False,
            **({"bracket": False} if nests else {}),
        }
        return names | {f"{name}/l*h*": lower for name, lower in names.items()}
