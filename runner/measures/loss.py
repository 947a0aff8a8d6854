"""Cross-entropy on held-out rows. A text's is over the text's own ids, so that phases with other tokens
beside them compare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from procdsl.plan import GenerateOperation
from procdsl.programs import Interval
from runner.measures import Setting
from runner.measures.rows import HeldOut, held_out
from runner.model import Transformer


def prepared(setting: Setting) -> Loss:
    source = setting.source
    return Loss(held_out(setting), source.floor if isinstance(source, GenerateOperation) else None)


@dataclass(frozen=True)
class Loss:
    rows: HeldOut
    floor: Interval | None

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
        return {"loss": got.loss, "accuracy": got.accuracy, **over}
