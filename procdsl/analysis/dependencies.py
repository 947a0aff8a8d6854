"""Paired symbols: exact where pairs nest and partners differ; bounds where words hide their pairs."""

from __future__ import annotations

import math
from typing import Any

from procdsl.analysis.iid import probabilities
from procdsl.analysis.rows import exactly
from procdsl.programs.base import Interval
from procdsl.programs.dependencies import DependencyProgram


def entropy(program: DependencyProgram, length: int) -> Interval:
    """Nats a word: between what the types alone have and what all decisions have."""
    kinds = _nats(probabilities(program))
    if program.crossing == 0:
        return _nested(program, length, kinds)
    if not program.closed:
        # Booked or not, at most as many positions are decided as there are, each by all that is drawn.
        most = length * (_coins(program) + kinds + math.log(len(program.distances.values)))
    else:
        most = length * _coins(program) + length / 2 * (
            kinds + math.log(max(len(program.distances.values), 1))
        )
    return Interval(low=length / 2 * kinds, high=min(most, length * math.log(program.symbols)))


def chance(program: DependencyProgram) -> float | None:
    """That of the likeliest type: half the symbols open it, half close it. Unknown where some stay open."""
    if program.paired and not program.closed:
        return None
    return max(probabilities(program)) / (1 + program.paired)


def _nats(shares: list[float]) -> float:
    return -math.fsum(p * math.log(p) for p in shares if p > 0)


def _coins(program: DependencyProgram) -> float:
    """Nats of the decisions at a position: whether it crosses, whether it opens."""
    cross, opens = program.crossing / 2**64, program.p_open / 2**64
    return _nats([cross, 1 - cross]) + (1 - cross) * _nats([opens, 1 - opens])


def _nested(program: DependencyProgram, length: int, kinds: float) -> Interval:
    """By the law of the height, which no type has a part in. The types that are open are as drawn.

    Where an opening symbol may look like the closing one, both decisions are one of its symbol: at least the
    entropy that this has to who knows what is open.
    """
    import numpy as np

    p, types = program.p_open / 2**64, probabilities(program)
    coin = _nats([p, 1 - p])
    mixed = math.fsum(q * _mixed(types, place, p, kinds) for place, q in enumerate(types))
    heights: Any = np.arange(length + 2)
    at: Any = np.zeros(length + 2)
    at[0], low, high = 1.0, 0.0, 0.0
    for left in range(length, 0, -1):
        must = (heights == left) & program.closed & (heights > 0)
        free = (heights > 0) & ~must
        forced = kinds * float(at[0])
        high += forced + (coin + p * kinds) * float(at[free].sum())
        low += forced + mixed * float(at[free].sum())
        opens = at * np.where(heights == 0, 1.0, np.where(free, p, 0.0))
        closes = at - opens
        at = np.concatenate(([0.0], opens[:-1])) + np.concatenate((closes[1:], [0.0]))
    return exactly(high) if program.paired else Interval(low=low, high=high)


def _mixed(types: list[float], top: int, p: float, kinds: float) -> float:
    """The entropy of the next symbol with a type on top: opened among all, or this one closed."""
    one, q = p * types[top] + 1 - p, types[top]
    rest = p * kinds + (p * q * math.log(q) if p * q > 0 else 0.0)
    # -Σ p q' ln (p q') over the other types, by that over all.
    others = rest - (p * (1 - q) * math.log(p) if p > 0 else 0.0)
    return others - (one * math.log(one) if one > 0 else 0.0)
