"""Independent symbols, as `procdsl.generate.iid` says."""

from __future__ import annotations

import torch

from procdsl.programs.iid import IidProgram
from runner.device_rows.philox import Streams
from runner.device_rows.rows import Rows, filled, of_words

attempts = filled


def rows(program: IidProgram, streams: Streams, context: int) -> Rows:
    """What one attempt gives."""
    words_BN = streams.words(context)
    if not program.thresholds:
        return of_words(program, streams.below(program.count, words_BN))
    thresholds = torch.tensor(program.thresholds, device=words_BN.device)
    return of_words(program, torch.searchsorted(thresholds, words_BN, right=True))
