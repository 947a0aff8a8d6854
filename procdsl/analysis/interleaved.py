"""Words between each other: the entropies of how lengths are shared out, of the parts' words, of the turns.

As no symbol is in two parts, a word tells all of these, and they make the word: their entropies add up.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from procdsl.analysis import tree
from procdsl.interleaving import log_product
from procdsl.programs.base import Interval
from procdsl.programs.interleaved import InterleavedProgram


def entropy(program: InterleavedProgram, length: int) -> Interval:
    """Nats a word: exact where it is proved that every part's words have one derivation each."""
    low, high = _entropies(program)
    return Interval(low=low[length], high=high[length])


def chance(program: InterleavedProgram) -> float | None:
    """How often the likeliest symbol occurs is not computed."""
    return None


@lru_cache(maxsize=8)
def _entropies(program: InterleavedProgram) -> tuple[Any, Any]:
    """The bounds for each length, from the last part to the first: each with all that follow it."""
    import numpy as np

    *parts, last = program.parts
    turns = np.array([math.lgamma(n + 1) for n in range(program.lengths.values[-1] + 1)])
    weights, bounds = tree.log_weights(last) - turns, tree.entropies(last)
    for part in reversed(parts):
        own, of_own = tree.log_weights(part) - turns, tree.entropies(part)
        low, high = (_shared(own, weights, turns, *pair) for pair in zip(of_own, bounds, strict=True))
        weights, bounds = log_product(own, weights), (low, high)
    return bounds


def _shared(own: Any, others: Any, turns: Any, nats: Any, other_nats: Any) -> Any:
    """The entropy of a part's words between the others', for each length: how long it is, both, the turns.

    `own` and `others` are ln of weights over n!, `turns` is ln n!.
    """
    import numpy as np

    known, other_known = np.nan_to_num(nats), np.nan_to_num(other_nats)
    found = np.zeros(len(own))
    for n in range(len(own)):
        logs = own[: n + 1] + others[n::-1]
        alive = logs > -np.inf
        if alive.any():
            logs -= np.logaddexp.reduce(logs)
            each = turns[n] - turns[: n + 1] - turns[n::-1] + known[: n + 1] + other_known[n::-1] - logs
            found[n] = np.exp(logs[alive]) @ each[alive]
    return found
