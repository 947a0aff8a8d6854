"""k-Dyck: counted where every word is alike, and walked over heights where words come from a walk."""

from __future__ import annotations

import math
from typing import Any

from procdsl.analysis.rows import exactly
from procdsl.grammars._brackets import dyck_count
from procdsl.programs.base import Interval
from procdsl.programs.dyck import DyckProgram
from procdsl.tables import deep_walk_thresholds


def entropy(program: DyckProgram, length: int) -> Interval:
    """Nats a word: the logarithm of a count, or a sum over the walk's free decisions and opened types."""
    if program.measure == "process":
        return exactly(_walk_entropy(program, length))
    shapes = dyck_count(length, program.depth, program.beyond)
    return exactly(math.log(shapes) + length // 2 * math.log(program.k))


def chance(program: DyckProgram) -> float:
    """Half the symbols open, of any type alike, and so half of them close."""
    return 1 / program.symbols


def _walk_entropy(program: DyckProgram, length: int) -> float:
    """Forward over the height, and whether it was deep: what the walk's decisions depend on."""
    if program.beyond is not None:
        return _deep_walk_entropy(program, program.beyond, length)
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


def _deep_walk_entropy(program: DyckProgram, beyond: int, length: int) -> float:
    """That of the walk which is to be deep: its closings are tabled until it is."""
    import numpy as np

    deep = deep_walk_thresholds(length, beyond, program.p_open / 2**64, closed=True)
    bound, top = program.depth or length, length // 2 + 1
    heights = np.arange(top + 1)
    at, nats = {yet: np.zeros(top + 1) for yet in (True, False)}, 0.0
    at[True][0] = 1
    for left in range(length, 0, -1):
        after = {yet: np.zeros(top + 1) for yet in at}
        for yet, mass in at.items():
            closing = np.where((heights >= left) | (heights >= bound), 1.0, 1 - program.p_open / 2**64)
            if yet:
                closing[: beyond + 1] = np.array(deep[left], float)[: top + 1] / 2**64
            closing[0] = 0.0
            nats += float(mass @ (_coin(closing) + math.log(program.k) * (1 - closing)))
            after[yet][:-1] += (mass * closing)[1:]
            after[yet][1:] += (mass * (1 - closing))[:-1]
        after[False][beyond + 1] += after[True][beyond + 1]
        after[True][beyond + 1] = 0.0
        at = after
    return nats


def _coin(chances: Any) -> Any:
    """Nats of coins."""
    import numpy as np

    sure = (chances <= 0) | (chances >= 1)
    p = np.where(sure, 0.5, chances)
    return np.where(sure, 0.0, -p * np.log(p) - (1 - p) * np.log(1 - p))
