"""Against scipy's own tests and numbers that are in print."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from runner.compare.statistics import estimate, holm, median, paired

# Student 1908, "The probable error of a mean": hours of sleep gained with either of two drugs.
FIRST = dict(enumerate([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]))
SECOND = dict(enumerate([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]))
numbers = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12)


def test_students_sleep_data_gives_the_numbers_in_print() -> None:
    found = paired(SECOND, FIRST)
    assert found is not None
    assert found.df == 9
    assert found.difference.mean == pytest.approx(1.58)
    assert found.t == pytest.approx(4.0621, abs=1e-4)
    assert found.p == pytest.approx(0.002833, abs=1e-6)
    assert (found.difference.low, found.difference.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
    assert found.effect == pytest.approx(1.28456, abs=1e-5)


@given(numbers, numbers)
def test_a_paired_test_is_scipys(one: list[float], other: list[float]) -> None:
    n = min(len(one), len(other))
    differences = [a - b for a, b in zip(one[:n], other[:n], strict=True)]
    found = paired(dict(enumerate(one[:n])), dict(enumerate(other[:n])))
    assert found is not None
    spread = max(differences) - min(differences)
    largest = max(map(abs, (*one[:n], *other[:n])), default=0)
    if spread < 1e-6 * max(map(abs, differences), default=0) or spread < 1e-9 + 1e-11 * largest:
        return
    theirs = stats.ttest_rel(one[:n], other[:n])
    interval = theirs.confidence_interval(0.95)
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)
    assert (found.difference.low, found.difference.high) == pytest.approx(tuple(interval), rel=1e-6, abs=1e-6)


def test_one_seed_has_a_mean_and_nothing_else() -> None:
    found = paired({0: 2.0}, {0: 2.5, 1: 3.0})
    assert found is not None
    assert found.difference == estimate([-0.5])
    assert (found.p, found.t, found.effect, found.difference.low, found.least_p) == (
        None,
        None,
        None,
        None,
        1.0,
    )


def test_only_seeds_that_both_have_are_paired() -> None:
    found = paired({0: 1.0, 1: 2.0, 7: 9.0}, {1: 1.0, 0: 0.5, 3: 0.0})
    assert found is not None
    assert found.by_seed == {0: 0.5, 1: 1.0}
    assert paired({1: 1.0}, {2: 1.0}) is None


def test_equal_differences_have_no_test() -> None:
    found = paired({0: 1.0, 1: 2.0, 2: 3.0}, {0: 0.0, 1: 1.0, 2: 2.0})
    assert found is not None
    assert (found.difference.mean, found.difference.sd, found.p, found.t) == (1.0, 0.0, None, None)


@pytest.mark.parametrize(("n", "least"), [(1, 1.0), (2, 0.5), (3, 0.25), (5, 0.0625), (6, 0.03125)])
def test_signs_alone_cannot_give_less_than_all_alike(n: int, least: float) -> None:
    values = {seed: 1.0 + seed for seed in range(n)}
    found = paired(values, dict.fromkeys(values, 0.0))
    assert found is not None
    assert found.least_p == least
    assert stats.binomtest(n, n).pvalue == pytest.approx(least)


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=6))
def test_holm_orders_as_the_raw_values_and_never_lowers_them(raw: dict[str, float]) -> None:
    adjusted = holm(raw)
    assert adjusted.keys() == raw.keys()
    assert all(raw[name] <= p <= 1 for name, p in adjusted.items())
    ordered = sorted(raw, key=lambda name: raw[name])
    assert [adjusted[name] for name in ordered] == sorted(adjusted.values())
    if raw:
        assert adjusted[ordered[0]] == min(1.0, len(raw) * raw[ordered[0]])


def test_a_censored_value_is_more_than_any_number() -> None:
    assert median([0.5, math.inf, 0.7]) == 0.7
    assert median([0.5, math.inf]) == math.inf
