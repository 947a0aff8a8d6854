"""Independent symbols: one word of the stream each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.programs.iid import IidProgram
from runner.generators.compiling import kernel
from runner.generators.philox import LOW, S32, redrawn, slots
from runner.generators.rows import Prepared, sampler

# A guide of 4,096 places, by a word's upper bits, makes the search for a symbol a step or two.
GUIDED = np.uint64(20)


class IidTables(NamedTuple):
    """`guide[w >> GUIDED]` is where to look for w in `thresholds`; empty ones mean all symbols alike."""

    symbols: int
    thresholds: Any
    guide: Any


def prepare(program: IidProgram) -> Prepared:
    """A guide to the thresholds."""
    return Prepared(IidTables(program.count, *guided(program.thresholds)), slots=program.lengths.values[-1])


def guided(thresholds: Sequence[int]) -> tuple[Any, Any]:
    """Thresholds over 2**32, the last symbol's too, and their guide."""
    edges = np.array([*thresholds, 2**32] if thresholds else [], np.uint64)
    return edges, np.searchsorted(edges, np.arange(4096, dtype=np.uint64) << GUIDED, side="right")


@sampler(IidTables)
@kernel
def _word(tables, draws, scratch, out):
    slots(draws, out.size)
    first, thresholds, guide = draws.buffer, tables.thresholds, tables.guide
    count = uint64(tables.symbols)
    for t in range(out.size):
        if thresholds.size:
            symbol = guide[first[t] >> GUIDED]
            while uint64(first[t]) >= thresholds[symbol]:
                symbol += 1
            out[t] = symbol
        else:
            product = uint64(first[t]) * count
            if (product & LOW) < count:
                product = redrawn(draws, count, product)
            out[t] = int64(product >> S32)
