"""Words of several programs between each other: what the sampler of their shuffle looks up.

A word of n symbols is made of words of n₁ + … + n_m = n, one of each part, and of an order in which the parts
take turns: n! / (n₁! … n_m!) of them. So, divided by n!, weights of lengths multiply as power series do, and
the numbers n₁, n₂, … are drawn one after another by what each and all that follow it weigh together. Weights
fall like 1 / n!; each has a power of two of its own. `mixed` is + - * / on doubles in one order, run by plain
Python and by numba.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from procdsl.programs.tree import TreeProgram, TreeShape
from procdsl.trees import tilt, tilts
from procdsl.walks import FAR

HALVES = [math.ldexp(1.0, -power) for power in range(FAR)]


class Joined(NamedTuple):
    """Programs as one, with a start for each: all shapes, by head, and the tilt of every shape."""

    shapes: list[TreeShape]
    starts: list[int]
    tilts: list[float]


def joined(programs: Sequence[TreeProgram]) -> Joined:
    """Programs side by side, their nonterminals numbered on; each keeps the tilt of its own."""
    made, count = Joined([], [], []), 0
    for program in programs:
        own = sorted(program.shapes, key=lambda shape: shape.head)
        made.starts.append(count)
        made.tilts.extend(tilts(tilt(program), [len(shape.members[0]) for shape in own]))
        made.shapes.extend(_moved(shape, count) for shape in own)
        count += 1 + max(max((shape.head, *shape.children)) for shape in own)
    return made


def _moved(shape: TreeShape, by: int) -> TreeShape:
    children = tuple(child + by for child in shape.children)
    return shape.model_copy(update={"head": shape.head + by, "children": children})


def divided(weights: Sequence[float], step: float) -> tuple[list[float], list[int]]:
    """Each weights[n] / (step ** n · n!), as a number from 1/2 up to 1, or 0, and a power of two.

    >>> divided([1.0, 1.0, 1.0], 0.5)
    ([0.5, 0.5, 0.5], [1, 2, 2])
    """
    values, powers = list[float](), list[int]()
    share, power = 1.0, 0
    for n, weight in enumerate(weights):
        if n:
            share /= n * step
            share, more = math.frexp(share)
            power += more
        value, more = math.frexp(weight * share)
        values.append(value)
        powers.append(power + more)
    return values, powers


def log_product(one: Any, other: Any) -> Any:
    """ln of the product of two power series, cut where they are, given ln of their coefficients."""
    import numpy as np

    return np.array([np.logaddexp.reduce(one[: m + 1] + other[m::-1]) for m in range(len(one))])


def mixed(
    values: Any, powers: Any, others: Any, other_powers: Any, length: int, halves: Any, row: Any
) -> tuple[float, int]:
    """Thresholds over 2**62 for how much of a length the first of two takes; what both weigh together.

    `halves` are the powers of 1/2. (0, 0) where no word has this length.
    """
    top, alive = 0, False
    for k in range(length + 1):
        if values[k] > 0.0 and others[length - k] > 0.0:
            power = powers[k] + other_powers[length - k]
            if not alive or power > top:
                top, alive = power, True
    total = 0.0
    for k in range(length + 1):
        below = top - powers[k] - other_powers[length - k]
        if values[k] > 0.0 and others[length - k] > 0.0 and below < len(halves):
            total += values[k] * others[length - k] * halves[below]
    reached = 0.0
    for k in range(length + 1):
        below = top - powers[k] - other_powers[length - k]
        if values[k] > 0.0 and others[length - k] > 0.0 and below < len(halves):
            reached += values[k] * others[length - k] * halves[below]
        row[k] = int(reached / total * 4611686018427387904.0) if alive else 0
    while total >= 1.0:
        total *= 0.5
        top += 1
    while 0.0 < total < 0.5:
        total *= 2.0
        top -= 1
    return total, top
