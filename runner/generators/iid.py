"""Independent symbols: one word of the stream each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.programs.iid import IidProgram
from runner.generators.compiling import kernel
from runner.generators.philox import LOW, S32, redrawn, slots
from runner.generators.rows import Prepared, sampler


class IidTables(NamedTuple):
    """`guide[w >> 20]` is where to look for w in `thresholds`; empty thresholds mean all symbols alike."""

    symbols: int
    thresholds: Any
    guide: Any


def prepare(program: IidProgram) -> Prepared:
    """A guide of 4,096 places makes the search for a symbol a step or two."""
    thresholds = np.array([*program.thresholds, 2**32] if program.thresholds else [], np.uint64)
    guide = np.searchsorted(thresholds, np.arange(4096, dtype=np.uint64) << np.uint64(20), side="right")
    return Prepared(IidTables(program.count, thresholds, guide), slots=program.lengths.values[-1])


@sampler(IidTables)
@kernel
def _word(tables, draws, scratch, out):
    slots(draws, out.size)
    first, thresholds, guide = draws.buffer, tables.thresholds, tables.guide
    count = uint64(tables.symbols)
    for t in range(out.size):
        if thresholds.size:
            symbol = guide[first[t] >> 20]
            while uint64(first[t]) >= thresholds[symbol]:
                symbol += 1
            out[t] = symbol
        else:
            product = uint64(first[t]) * count
            if (product & LOW) < count:
                product = redrawn(draws, count, product)
            out[t] = int64(product >> S32)
