"""Steps to a threshold: the first evaluation at which a seed is as good as a value that somebody named.

Evaluations are taken as they were made, nothing is interpolated: the true step lies after the one before. A
seed that never gets there is censored: counted in `n`, and in no median.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.compare.results import TrialResult
from runner.compare.statistics import median


@dataclass(frozen=True, slots=True)
class Reached:
    """Where one seed first got there, in steps and positions fed of the last measured phase; None: never.

    `stayed`: no later evaluation was worse than the threshold.
    """

    seed: int
    step: int | None = None
    tokens: int | None = None
    stayed: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """Of the seeds that got there."""

    median: float
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """A curriculum's seeds: `reached` of the `n` that have finished got there, `stayed` of them for good."""

    seeds: tuple[Reached, ...]
    reached: int
    stayed: int
    n: int
    steps: Range | None
    tokens: Range | None


def threshold(trials: Sequence[TrialResult], metric: str, value: float, *, lower: bool) -> Threshold:
    """How soon a curriculum's finished seeds reach the value."""
    seeds = tuple(_first(trial, metric, value, lower) for trial in trials if metric in trial.finals)
    reached = [seed for seed in seeds if seed.step is not None]
    return Threshold(
        seeds=seeds,
        reached=len(reached),
        stayed=sum(seed.stayed for seed in reached),
        n=len(seeds),
        steps=_range([seed.step for seed in reached if seed.step is not None]),
        tokens=_range([seed.tokens for seed in reached if seed.tokens is not None]),
    )


def _first(trial: TrialResult, metric: str, value: float, lower: bool) -> Reached:
    points = trial.curves[metric]
    points = tuple(point for point in points if point.phase == points[-1].phase)
    good = [point.value <= value if lower else point.value >= value for point in points]
    if not any(good):
        return Reached(trial.seed)
    first = good.index(True)
    return Reached(trial.seed, points[first].step, points[first].fed, all(good[first:]))


def _range(values: Sequence[int]) -> Range | None:
    return Range(median([float(value) for value in values]), min(values), max(values)) if values else None
