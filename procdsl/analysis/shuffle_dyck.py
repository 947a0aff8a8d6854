"""k-shuffle-Dyck: counts, or the published walk over partitions of the depth (which types stand how high)."""

from __future__ import annotations

import math
from typing import Any

from procdsl.analysis.rows import exactly
from procdsl.grammars._brackets import shuffle_count
from procdsl.interleaving import log_product
from procdsl.programs.base import Interval
from procdsl.programs.shuffle_dyck import ShuffleDyckProgram
from procdsl.tables import depths

# Partitions of numbers up to 24: 7,337. Beyond, how many types are open is known only within bounds.
_DEEPEST = 24


def entropy(program: ShuffleDyckProgram, length: int) -> Interval | None:
    """Nats a word; an interval for a walk of unbounded depth, nothing for one that is to be deep."""
    if program.measure == "uniform":
        return exactly(_log_count(program, length))
    if program.beyond is not None:
        return None
    if program.depth is not None and program.depth <= _DEEPEST:
        return exactly(_lumped(program, program.depth, length))
    return _bracketed(program, length)


def chance(program: ShuffleDyckProgram) -> float:
    """That of one of 2 k symbols."""
    return 1 / program.symbols


def _log_count(program: ShuffleDyckProgram, length: int) -> float:
    if program.beyond is not None or (program.depth is not None and program.depth < length // 2):
        return math.log(shuffle_count(program.k, length, program.depth, program.beyond))
    return _log_free(program.k, length // 2)


def _log_free(k: int, pairs: int) -> float:
    """ln of (2 m)! times the coefficient of x**m in (sum of x**i / i! (i + 1)!)**k, by squaring."""
    import numpy as np

    logs = np.array([math.lgamma(i + 1) for i in range(pairs + 2)])
    base = -logs[:-1] - logs[1:]
    power, done = base, None
    for bit in bin(k)[:1:-1]:
        if bit == "1":
            done = power if done is None else log_product(done, power)
        power = log_product(power, power)
    assert done is not None
    return float(done[pairs]) + math.lgamma(2 * pairs + 1)


def _decision(p: float) -> float:
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


def _lumped(program: ShuffleDyckProgram, depth: int, length: int) -> float:
    """Forward over the states of `tables.depths`: a type opens among k, one closes among those open."""
    import numpy as np

    moves, p = depths(program.k, depth), program.p_open / 2**64
    states = len(moves.offsets) - 1
    sources = np.repeat(np.arange(states), np.diff(moves.offsets))
    rises, ways, targets = (np.array(part) for part in (moves.rises, moves.ways, moves.targets))
    opens_in = np.bincount(sources[rises == 1], ways[rises == 1], states)
    closes_in = np.bincount(sources[rises == 0], ways[rises == 0], states)
    height = _heights(moves.offsets, sources, targets, rises)
    at: Any = np.zeros(states)
    nats = 0.0
    at[0] = 1
    for left in range(length, 0, -1):
        free = (height > 0) & (height < depth) & ~(program.closed & (height == left))
        opens = np.where(height == 0, 1.0, np.where(free, p, 0.0))
        nats += _decision(p) * at[free].sum() + math.log(program.k) * float(at @ opens)
        nats += float(at @ ((1 - opens) * np.log(np.maximum(closes_in, 1))))
        chance = np.where(rises == 1, opens[sources] / np.maximum(opens_in, 1)[sources], 0.0)
        chance += np.where(rises == 0, (1 - opens[sources]) / np.maximum(closes_in, 1)[sources], 0.0)
        at = np.bincount(targets, at[sources] * chance * ways, states)
    return float(nats)


def _heights(offsets: list[int], sources: Any, targets: Any, rises: Any) -> Any:
    """How many brackets are open in each state: one more than where a move up came from."""
    import numpy as np

    height = np.zeros(len(offsets) - 1, np.int64)
    for source, target, rise in zip(sources, targets, rises, strict=True):
        if rise:
            height[target] = height[source] + 1
    return height


def _bracketed(program: ShuffleDyckProgram, length: int) -> Interval:
    """Between one type open at a time and as many as there can be, by the law of the total depth alone."""
    import numpy as np

    p, top = program.p_open / 2**64, min(program.depth or length, length)
    heights: Any = np.arange(top + 1)
    at: Any = np.zeros(top + 1)
    least = most = 0.0
    at[0] = 1
    kinds = np.log(np.maximum(np.minimum(heights, program.k), 1))
    for left in range(length, 0, -1):
        free = (
            (heights > 0) & (heights < (program.depth or length + 1)) & ~(program.closed & (heights >= left))
        )
        opens = at * np.where(heights == 0, 1.0, np.where(free, p, 0.0))
        closes = at - opens
        least += _decision(p) * float(at[free].sum()) + math.log(program.k) * float(opens.sum())
        most += float(closes @ kinds)
        at = np.concatenate(([0.0], opens[:-1])) + np.concatenate((closes[1:], [0.0]))
    return Interval(low=least, high=least + most)
