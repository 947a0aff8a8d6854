"""Values that wait for each other: which feed of a group is read at each step, once it is known.

What was mastered after which step is in `Counters.mastered`, and so in every checkpoint; all else follows
from it. Each value's rows count from its own first one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from procdsl.plan import Mastery, TrainOperation
from runner.record import Counters


def begin(operation: TrainOperation, counters: Counters) -> None:
    """Make room in the counters for the groups of an operation, where there is none yet."""
    if not counters.mastered:
        counters.mastering = [0 for _ in operation.mastery]
        counters.mastered = [[] for _ in operation.mastery]


def laid(
    planned: NDArray[np.int64], groups: Sequence[Mastery], mastered: Sequence[Sequence[int]]
) -> NDArray[np.int64]:
    """Rows of each feed before each step: those planned for a group's first feed, shared out in time."""
    counts = planned.copy()
    for group, steps in zip(groups, mastered, strict=True):
        total = planned[:, group.feeds[0]]
        begins = [0, *steps]
        ends = [*steps, len(total) - 1]
        for feed, first, last in zip(group.feeds, begins, ends, strict=False):
            counts[:, feed] = np.clip(total, total[first], total[last]) - total[first]
    return counts


def horizon(operation: TrainOperation, counters: Counters) -> int:
    """The step up to which it is settled what is read: the next at which a rule is looked at."""
    looks = [
        (counters.step // rule.every + 1) * rule.every
        for group, steps in zip(operation.mastery, counters.mastered, strict=True)
        for rule in group.rules[len(steps) : len(steps) + 1]
    ]
    return min(looks, default=sys.maxsize)
