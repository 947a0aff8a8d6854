"""What samplers look up, as whole numbers: the same for the reference and for the kernels.

A threshold t stands for the probability t / 2**64. Counts are exact integers; where only doubles will do,
one order of + - * / is written here, for plain Python and for numba alike.
"""

from __future__ import annotations

from collections.abc import Sequence


def closing_thresholds(length: int, depth: int) -> list[list[int]]:
    """table[left][height]: with what probability a uniform Dyck word of bounded depth closes there.

    The ballot numbers of a strip: how many walks of `left` steps lead from `height` to 0 within 0 .. depth.
    Where it must close (height = left or depth) the entry is 0 and not read.
    """
    table, walks = [[0] * (depth + 1)], [1] + [0] * (depth + 1)
    for left in range(1, length + 1):
        before = walks
        walks = [before[1], *(before[h - 1] + before[h + 1] for h in range(1, depth + 1)), 0]
        walks[depth] = before[depth - 1]
        table.append([0] * (depth + 1))
        for height in range(1, min(depth, left)):
            if walks[height]:
                table[left][height] = (before[height - 1] << 64) // walks[height]
    return table


def alias(weights: Sequence[float]) -> list[tuple[int, int]]:
    """Walker's table: place i stays with probability threshold / 2**64, else gives way to the other place.

    Vose's order of small and large places, on doubles. A place that never gives way is its own other.

    >>> alias((1.0, 1.0)), alias((3.0, 1.0))
    ([(0, 0), (0, 1)], [(0, 0), (9223372036854775808, 0)])
    """
    total = 0.0
    for weight in weights:
        total += weight
    scaled = [weight / total * len(weights) for weight in weights]
    table = [(0, place) for place in range(len(weights))]
    small = [place for place, share in enumerate(scaled) if share < 1]
    large = [place for place, share in enumerate(scaled) if share >= 1]
    while small and large:
        low, high = small.pop(), large.pop()
        table[low] = (int(scaled[low] * 2**64), high)
        scaled[high] -= 1 - scaled[low]
        (small if scaled[high] < 1 else large).append(high)
    return table
