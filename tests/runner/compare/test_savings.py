"""Crossings worked out by hand."""

import math

import pytest

from runner.compare.results import Point, TrialResult
from runner.compare.savings import Crossing, crossing, reach, saving, stays, value_at

METRIC = "val/loss"


def trial(
    *values: float, name: str = "arm", every: int = 100, procedural: int = 0, ended: bool = True
) -> TrialResult:
    """A curve measured every so many text tokens, after some procedural ones."""
    points = tuple(Point("text", i, i * every, procedural, value) for i, value in enumerate(values))
    finals = {METRIC: values[-1]} if ended else {}
    return TrialResult(name, 0, points[-1].text, procedural, curves={METRIC: points}, finals=finals)


BASELINE = trial(5.0, 4.0, 3.0, 2.5, 2.0, name="base")  # ends at 2.0 after 400 tokens


def test_between_two_points_the_curve_is_straight() -> None:
    found = crossing(trial(5.0, 3.0, 1.0, 0.9, 0.8, procedural=50), BASELINE, METRIC, lower=True)
    assert found is not None
    assert (found.state, found.text, found.total) == ("crossed", 150.0, 200.0)
    assert (found.text_share, found.total_share) == (150 / 400, 200 / 400)
    assert found.rate == (400 - 150) / 50


def test_a_curve_that_crosses_twice_counts_from_the_last_time() -> None:
    found = crossing(trial(5.0, 1.0, 3.0, 1.0, 1.0), BASELINE, METRIC, lower=True)
    assert found is not None
    assert found.text == 250.0


def test_a_curve_that_ends_above_never_crossed_and_is_kept_as_censored() -> None:
    found = crossing(trial(5.0, 1.0, 1.0, 2.2), BASELINE, METRIC, lower=True)
    assert found is not None
    assert (found.state, found.text, found.text_share, found.rate) == ("never", 300, 0.75, None)
    whole = saving([found, *[_crossed(text) for text in (100.0, 200.0)]])
    assert (whole.reached, whole.finished) == (2, 3)
    assert whole.text_share is None
    assert whole.median_text_share == 200.0 / 400


def test_medians_are_missing_where_censoring_leaves_them_open() -> None:
    never = crossing(trial(5.0, 4.0, 3.0), BASELINE, METRIC, lower=True)
    assert never is not None
    assert saving([never, never, _crossed(100.0)]).median_text_share is None


def test_a_curve_that_starts_below_has_only_an_upper_bound() -> None:
    found = crossing(trial(1.9, 1.8, 1.7), BASELINE, METRIC, lower=True)
    assert found is not None
    assert (found.state, found.text) == ("from the start", 0)


def test_equal_to_the_target_is_good_enough_so_the_baseline_saves_nothing() -> None:
    found = crossing(BASELINE, BASELINE, METRIC, lower=True)
    assert found is not None
    assert (found.text_share, found.rate) == (1.0, None)


def test_higher_can_be_better() -> None:
    base = trial(0.0, 0.4, 0.8, name="base")
    found = crossing(trial(0.0, 0.6, 1.0), base, METRIC, lower=False)
    assert found is not None
    assert found.text == pytest.approx(150.0)


def test_an_unfinished_seed_cannot_be_said_to_stay_below() -> None:
    found = crossing(trial(5.0, 1.0, ended=False), BASELINE, METRIC, lower=True)
    assert found is not None
    assert (found.state, found.text) == ("unfinished", None)
    assert crossing(BASELINE, trial(5.0, 2.0, ended=False), METRIC, lower=True) is None
    assert saving([found]).finished == 0


def test_what_is_no_number_is_worse_than_any_target() -> None:
    assert stays(trial(1.0, math.nan, 1.0).curves[METRIC], 2.0, lower=True) == (1, 1.0)
    assert stays(trial(1.0, math.inf).curves[METRIC], 2.0, lower=True) is None
    assert stays((), 2.0, lower=True) is None


def test_without_text_only_total_tokens_are_shared() -> None:
    points = tuple(Point("warm", i, 0, 100 * i, 2.0 - i) for i in range(3))
    only = TrialResult("arm", 0, 0, 200, curves={METRIC: points}, finals={METRIC: 0.0})
    found = crossing(only, only, METRIC, lower=True)
    assert found is not None
    assert (found.text_share, found.total_share, found.rate) == (None, 1.0, None)
    assert saving([found]).text_share is None


def test_values_and_tokens_are_read_off_the_same_lines() -> None:
    points = BASELINE.curves[METRIC]
    assert value_at(points, 150) == 3.5
    assert value_at(points, 400) == 2.0
    assert value_at(points, 401) is None
    assert reach(BASELINE, METRIC, 2.25, lower=True) == (350.0, 350.0)
    assert reach(BASELINE, METRIC, 1.0, lower=True) is None


def _crossed(text: float) -> Crossing:
    steps = [5.0, 2.0 if text == 100 else 3.0, 2.0, 2.0, 1.9]
    found = crossing(trial(*steps), BASELINE, METRIC, lower=True)
    assert found is not None
    assert found.text == text
    return found
