"""Means, intervals and paired tests over seeds, no stronger than the number of seeds allows.

Everything here is Student's t on per-seed numbers. There is no bootstrap: under ten seeds its intervals are
too short, and above ten t is good enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEVEL = 0.95
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` seeds with its t interval at `LEVEL`; one seed has neither spread nor interval."""

    n: int
    mean: float
    sd: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Paired:
    """Differences from the baseline, seed by seed, and a two-sided paired t test of their mean being zero.

    `effect` is Cohen's d_z, the mean over the standard deviation of the differences (biased away from zero at
    few seeds). `least_p` is 2/2**n, the smallest p that n pairs can give without assuming that differences
    are normal (all signs alike). `p_holm` is `p` adjusted over the curricula that were tested together.
    """

    by_seed: dict[int, float]
    difference: Estimate
    df: int
    t: float | None = None
    p: float | None = None
    p_holm: float | None = None
    effect: float | None = None
    least_p: float = 1.0


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of the values and its interval.

    >>> estimate([1.0, 2.0, 3.0])
    Estimate(n=3, mean=2.0, sd=1.0, low=-0.4841377118000003, high=4.4841377118)
    >>> estimate([4.0])
    Estimate(n=1, mean=4.0, sd=None, low=None, high=None)
    """
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return Estimate(n, mean)
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = _quantile(n - 1, (1 + LEVEL) / 2) * sd / math.sqrt(n)
    return Estimate(n, mean, sd, mean - half, mean + half)


def paired(values: Mapping[int, float], baseline: Mapping[int, float]) -> Paired | None:
    """The differences of the seeds that both have; nothing where no seed pairs."""
    by_seed = {seed: value - baseline[seed] for seed, value in sorted(values.items()) if seed in baseline}
    if not by_seed:
        return None
    difference = estimate(list(by_seed.values()))
    df = difference.n - 1
    # Equal differences leave no spread to test against, only that of rounding: t would be 0/0 or anything.
    rounding = _ROUNDING * max(max(abs(values[seed]), abs(baseline[seed])) for seed in by_seed)
    if difference.sd is None or difference.sd <= rounding:
        return Paired(by_seed, difference, df, least_p=2.0**-df)
    effect = difference.mean / difference.sd
    t = effect * math.sqrt(difference.n)
    return Paired(by_seed, difference, df, t, _two_sided(df, t), effect=effect, least_p=2.0**-df)


def holm(raw: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down adjustment: the family-wise error of all the tests together stays at the level.

    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'c': 0.06, 'b': 0.06}
    """
    adjusted: dict[str, float] = {}
    least = 0.0
    for rank, name in enumerate(sorted(raw, key=lambda name: raw[name])):
        least = max(least, min(1.0, (len(raw) - rank) * raw[name]))
        adjusted[name] = least
    return adjusted


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle; infinite where those are.

    >>> median([3.0, math.inf, 1.0])
    3.0
    """
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _quantile(df: int, probability: float) -> float:
    # scipy.special, which scipy.stats.t itself calls, is loaded in a third of the time.
    from scipy.special import stdtrit

    return float(stdtrit(df, probability))


def _two_sided(df: int, t: float) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(df, -abs(t)))
