"""Equal-loss savings *by crossing*: how many tokens a curriculum needs to be as good as the baseline's end.

Read off curves whose learning rate was planned for their own full budget, not off runs annealed anew at the
crossing; both are published under one name, so these always carry the label "by crossing". Between two
evaluation points the curve is taken to be a straight line in tokens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runner.compare.results import Point, TrialResult
from runner.compare.statistics import Estimate, estimate, median

State = Literal["crossed", "from the start", "never", "unfinished"]


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where one seed's curve reached `target` for good, in tokens since the model was fresh.

    "never" is censored: more than `text` and `total` (here the ends of the curve) would be needed. "from the
    start": the first evaluation is good enough already, so the true number is at most this. Shares are of the
    baseline's whole budget; `rate` is text tokens saved for each procedural token spent.
    """

    seed: int
    target: float
    state: State
    text: float | None = None
    total: float | None = None
    text_share: float | None = None
    total_share: float | None = None
    rate: float | None = None

    @property
    def reached(self) -> bool:
        return self.state in ("crossed", "from the start")


@dataclass(frozen=True, slots=True)
class Saving:
    """The crossings of a curriculum's seeds. Means exist only if every finished seed crossed: a mean over
    those that did would leave out just the seeds on which the curriculum did worst. Medians count a seed that
    never crossed as more than any number, and are missing where that makes them unbounded.
    """

    crossings: tuple[Crossing, ...]
    reached: int
    finished: int
    text_share: Estimate | None = None
    total_share: Estimate | None = None
    rate: Estimate | None = None
    median_text_share: float | None = None
    median_total_share: float | None = None


def stays(points: Sequence[Point], target: float, *, lower: bool) -> tuple[int, float] | None:
    """The segment and the fraction of it from which on the curve is never worse than the target.

    (i, f) means: a fraction f of the way from point i to point i + 1; (0, 0.0) from the first point on.
    """
    sign = 1 if lower else -1
    gaps = [sign * (point.value - target) for point in points]
    worse = [i for i, gap in enumerate(gaps) if not gap <= 0]
    if not gaps or (worse and worse[-1] == len(gaps) - 1):
        return None
    if not worse:
        return 0, 0.0
    last = worse[-1]
    before, after = gaps[last], gaps[last + 1]
    return last, before / (before - after) if math.isfinite(before) else 1.0


def crossing(trial: TrialResult, baseline: TrialResult, metric: str, *, lower: bool) -> Crossing | None:
    """One seed's crossing of its own baseline's final value; nothing if that baseline has not ended."""
    target = baseline.finals.get(metric)
    if target is None:
        return None
    if metric not in trial.finals:
        return Crossing(trial.seed, target, "unfinished")
    points = trial.curves[metric]
    found = stays(points, target, lower=lower)
    if found is None:
        return _account(trial, baseline, target, "never", points[-1].text, points[-1].total)
    state: State = "from the start" if found == (0, 0.0) else "crossed"
    return _account(trial, baseline, target, state, *_tokens(points, *found))


def reach(trial: TrialResult, metric: str, target: float, *, lower: bool) -> tuple[float, float] | None:
    """Text and total tokens after which the trial is never worse than the target again."""
    points = trial.curves.get(metric, ())
    found = stays(points, target, lower=lower)
    return None if found is None else _tokens(points, *found)


def _tokens(points: Sequence[Point], i: int, fraction: float) -> tuple[float, float]:
    """Text and total tokens at a fraction of the way from point i to the next."""
    here, there = points[i], points[min(i + 1, len(points) - 1)]
    return here.text + fraction * (there.text - here.text), here.total + fraction * (there.total - here.total)


def value_at(points: Sequence[Point], text: float) -> float | None:
    """The curve's value after so many text tokens, by a straight line between the points around it."""
    after = next((i for i, point in enumerate(points) if point.text >= text), None)
    if after is None or (after == 0 and points[0].text != text):
        return None
    there = points[after]
    if there.text == text:
        return there.value
    here = points[after - 1]
    return here.value + (text - here.text) / (there.text - here.text) * (there.value - here.value)


def saving(crossings: Sequence[Crossing]) -> Saving:
    """A curriculum's saving, from the crossings of its seeds."""
    finished = [one for one in crossings if one.state != "unfinished"]
    reached = [one for one in finished if one.reached]
    whole = reached if len(reached) == len(finished) else []
    return Saving(
        crossings=tuple(crossings),
        reached=len(reached),
        finished=len(finished),
        text_share=_mean(whole, "text_share"),
        total_share=_mean(whole, "total_share"),
        rate=_mean(whole, "rate"),
        median_text_share=_median(finished, "text_share"),
        median_total_share=_median(finished, "total_share"),
    )


def _account(
    trial: TrialResult, baseline: TrialResult, target: float, state: State, text: float, total: float
) -> Crossing:
    spent, whole = total - text, baseline.text_tokens
    return Crossing(
        seed=trial.seed,
        target=target,
        state=state,
        text=text,
        total=total,
        text_share=text / whole if whole else None,
        total_share=total / (baseline.text_tokens + baseline.procedural_tokens),
        rate=(whole - text) / spent if spent and whole and state != "never" else None,
    )


def _mean(
    crossings: Sequence[Crossing], name: Literal["text_share", "total_share", "rate"]
) -> Estimate | None:
    values = [value for one in crossings if (value := getattr(one, name)) is not None]
    return estimate(values) if values else None


def _median(crossings: Sequence[Crossing], name: Literal["text_share", "total_share"]) -> float | None:
    values = [(getattr(one, name) if one.reached else math.inf) for one in crossings]
    if not values or None in values:
        return None
    middle = median(values)
    return middle if math.isfinite(middle) else None
