"""Rows of probabilities drawn from symmetric Dirichlet distributions, by address."""

from __future__ import annotations

import math

from procdsl.streams import Stream, key

# Shares are multiples of this, so that no library's last bit decides what a program is.
GRAIN = 2**24


def dirichlet(alpha: float, count: int, seed: int, *path: str, row: int) -> tuple[float, ...]:
    """One of the rows at an address: `count` shares that sum to about one; the smallest may be nothing.

    >>> round(sum(dirichlet(0.5, 4, 1, "x", row=0)), 6)
    1.0
    """
    stream = Stream(key(seed, "dirichlet", *path), row)
    logarithms = [_log_gamma_variate(alpha, stream) for _ in range(count)]
    top = max(logarithms)
    sizes = [math.exp(value - top) for value in logarithms]
    whole = math.fsum(sizes)
    return tuple(round(size / whole * GRAIN) / GRAIN for size in sizes)


def _log_gamma_variate(shape: float, stream: Stream) -> float:
    """Marsaglia & Tsang 2000 for shape + 1, times a power of a uniform number: nothing underflows."""
    d = shape + 2.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        radius, angle = math.sqrt(-2.0 * math.log(1.0 - stream.unit())), 2.0 * math.pi * stream.unit()
        x = radius * math.cos(angle)
        v = (1.0 + c * x) ** 3
        if v > 0 and math.log(1.0 - stream.unit()) < 0.5 * x * x + d - d * v + d * math.log(v):
            return math.log(d * v) + math.log(1.0 - stream.unit()) / shape
