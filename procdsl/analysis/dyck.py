"""k-Dyck: counted where every word is alike, and walked over heights where words come from a walk."""

from __future__ import annotations

import math

from procdsl.analysis.rows import exactly
from procdsl.grammars._brackets import strip_count
from procdsl.programs import DyckProgram, Interval


def entropy(program: DyckProgram, length: int) -> Interval:
    """Nats a word: the logarithm of a count, or a sum over the walk's free decisions and opened types."""
    if program.measure == "process":
        return exactly(_walk_entropy(program, length))
    half = length // 2
    if program.depth is None or program.depth >= half:
        shapes = math.comb(length, half) // (half + 1)
    else:
        shapes = strip_count(length, program.depth)
    return exactly(math.log(shapes) + half * math.log(program.k))


def chance(program: DyckProgram) -> float:
    """Half the symbols open, of any type alike, and so half of them close."""
    return 1 / program.symbols


def _walk_entropy(program: DyckProgram, length: int) -> float:
    """Forward over the height: what is open is all that the walk's decisions depend on."""
    import numpy as np

    p, top = program.p_open / 2**64, min(program.depth or length, length // 2)
    decision = -p * math.log(p) - (1 - p) * math.log(1 - p)
    heights = np.arange(top + 1)
    at, nats = np.zeros(top + 1), 0.0
    at[0] = 1
    for left in range(length, 0, -1):
        free = (heights > 0) & (heights < left) & (heights < (program.depth or length))
        opens = at * np.where(heights == 0, 1.0, np.where(free, p, 0.0))
        nats += decision * float(at[free].sum()) + math.log(program.k) * float(opens.sum())
        closes = at - opens
        at = np.concatenate(([0.0], opens[:-1])) + np.concatenate((closes[1:], [0.0]))
    return nats
