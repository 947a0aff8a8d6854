"""Means by a whole number that values have beside them: one by one up to some, then by doubling."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def bucket(number: int, each: int) -> str:
    """The name of a number's bucket: itself up to `each`, a power of two; beyond it, those it stands between.

    >>> [bucket(n, 4) for n in (0, 4, 5, 8, 9)]
    ['0', '4', '5_8', '5_8', '9_16']
    """
    if number <= each:
        return str(number)
    high = 1 << (number - 1).bit_length()
    return f"{high // 2 + 1}_{high}"


def means(name: str, numbers: NDArray[np.int64], values: ArrayLike, *, each: int) -> dict[str, float]:
    """The mean of the values of every bucket there is, as ``<name>_<bucket>``."""
    found, inverse = np.unique(numbers, return_inverse=True)
    sums = np.bincount(inverse, np.asarray(values, np.float64), len(found))
    counts = np.bincount(inverse, minlength=len(found))
    total: dict[str, list[float]] = {}
    for number, value, count in zip(found.tolist(), sums.tolist(), counts.tolist(), strict=True):
        pair = total.setdefault(bucket(number, each), [0.0, 0.0])
        pair[0] += value
        pair[1] += count
    return {f"{name}_{bucket}": value / count for bucket, (value, count) in total.items()}
