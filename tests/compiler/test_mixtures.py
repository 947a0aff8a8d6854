"""Mixtures are laid out in whole steps, their shares sum to one, and they follow what was declared."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdsl.compiler.mixtures import PLATEAUS, apportion, share_at, stages
from procdsl.language.curricula import AnyShare, Constant, Piecewise, Ramp

numbers = st.floats(0.01, 1000, allow_nan=False)
percents = st.lists(st.integers(0, 100), min_size=2, max_size=2, unique=True).map(sorted)
ramps = st.builds(
    lambda start, to, over, shape: Ramp.model_validate(
        {"from": start, "to": to, "over": f"{over[0]}%..{over[1]}%", "shape": shape}
    ),
    st.floats(0, 1000),
    st.floats(0, 1000),
    percents,
    st.sampled_from(["linear", "cosine"]),
)
constants = st.builds(lambda value: Constant(value=value), numbers)
pieces = st.builds(
    lambda first, at, then: Piecewise(steps={"0%": first, f"{at}%": then}),
    numbers,
    st.integers(1, 99),
    numbers,
)
mixtures = st.lists(st.one_of(constants, ramps, pieces), min_size=0, max_size=3)


@given(shares=st.lists(st.fractions(0, 100), min_size=1, max_size=6), slots=st.integers(0, 10**6))
def test_whole_numbers_sum_and_stand_as_the_shares_do(shares: list[Fraction], slots: int) -> None:
    if sum(shares) == 0:
        return
    whole = apportion(shares, slots)
    assert sum(whole) == slots
    assert all(abs(part - share * slots / sum(shares)) < 1 for part, share in zip(whole, shares, strict=True))


@given(first=constants, more=mixtures, steps=st.integers(1, 5000))
def test_stages_cover_the_phase_and_sum_to_one(first: AnyShare, more: list[AnyShare], steps: int) -> None:
    shares = {str(i): share for i, share in enumerate([first, *more])}
    found = stages(shares, steps)
    assert sum(stage.steps for stage in found) == steps
    for stage in found:
        assert sum(Fraction(str(share)) for share in stage.shares) == 1
        assert all(share >= 0 for share in stage.shares)
    ramped = sum(isinstance(share, Ramp) for share in shares.values())
    jumps = sum(2 if isinstance(share, Ramp) else 1 for share in shares.values())
    assert len(found) <= (PLATEAUS if ramped else 0) + jumps + 1


@given(share=ramps, steps=st.integers(1, 5000))
def test_a_ramp_is_followed_to_within_a_plateau(share: Ramp, steps: int) -> None:
    at = 0
    other = Constant(value=500)
    span = abs(share.start - share.to)
    for stage in stages({"moving": share, "still": other}, steps):
        for step in (at, at + stage.steps - 1):
            exact = share_at(share, Fraction(2 * step + 1, 2 * steps))
            exact = exact / (exact + 500)
            # a cosine is at its steepest pi / 2 times as fast as a line
            assert abs(stage.shares[0] - exact) <= span / 500 * (1.6 / PLATEAUS + 1.6 / steps + 1e-6) + 1e-8
        at += stage.steps


def test_constant_shares_are_one_stage() -> None:
    (stage,) = stages({"a": Constant(value=9), "b": Constant(value=1)}, 100)
    assert (stage.steps, stage.shares) == (100, (0.9, 0.1))


@pytest.mark.parametrize("shape", ["linear", "cosine"])
def test_a_ramp_begins_and_ends_where_it_says(shape: str) -> None:
    ramp = Ramp.model_validate({"from": 0.1, "to": 0, "over": "20%..60%", "shape": shape})
    assert share_at(ramp, Fraction(1, 10)) == Fraction(1, 10)
    assert share_at(ramp, Fraction(2, 5)) == pytest.approx(0.05)
    assert share_at(ramp, Fraction(3, 4)) == 0
