"""Quantities are exact, say their unit, and refuse what is none."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from procdsl.language.quantities import Cadence, Layers, PhaseSpan, Seeds, StepBudget, TokenBudget

budget = TypeAdapter(TokenBudget)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("655M", 655_000_000),
        ("2.05B tokens", 2_050_000_000),
        ("81.9K", 81_900),
        ("60k", 60_000),
        ("1 token", 1),
        (1000, 1000),
        ("65_536", 65_536),
    ],
)
def test_tokens_are_read(text: object, amount: int) -> None:
    assert budget.validate_python(text).amount == amount


def test_a_share_of_a_phase_is_exact() -> None:
    found = budget.validate_python("0.3% of c4_only.text")
    assert (found.share, found.anchor) == (Fraction(3, 1000), "c4_only.text")


WRONG = ["", "655 M B", "-1", -1, "1.5", 1.5, True, "5 steps", "10% of", "10% of a.b.c", "1e3", "１", [], {}]


@pytest.mark.parametrize("wrong", [*WRONG, 1e30, "9" * 300, "1000001T", "NaN", "0x10"])
def test_what_is_no_budget_is_refused_with_an_example(wrong: object) -> None:
    with pytest.raises(ValidationError, match="write 655M"):
        budget.validate_python(wrong)


@given(amount=st.integers(0, 10**18))
def test_what_is_shown_is_read_again(amount: int) -> None:
    found = budget.validate_python(amount)
    assert budget.validate_python(str(found).replace(",", "")) == found


@given(whole=st.integers(0, 999), digits=st.integers(0, 999), scale=st.sampled_from("kMBT"))
def test_scales_multiply_without_rounding(whole: int, digits: int, scale: str) -> None:
    factor = {"k": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}[scale]
    found = budget.validate_python(f"{whole}.{digits:03}{scale}")
    assert found.amount == Decimal(f"{whole}.{digits:03}") * factor


def test_units_stand_only_where_they_mean_something() -> None:
    assert str(TypeAdapter(StepBudget).validate_python(500)) == "500 steps"
    assert str(TypeAdapter(Cadence).validate_python("10M tokens")) == "10,000,000 tokens"
    with pytest.raises(ValidationError):
        TypeAdapter(StepBudget).validate_python("10M tokens")


def test_ranges_are_whole_numbers_in_order() -> None:
    assert TypeAdapter(Seeds).validate_python("0..3") == (0, 1, 2, 3)
    assert TypeAdapter(Layers).validate_python("2..5") == (2, 5)
    assert TypeAdapter(Layers).validate_python(3) == (3, 3)
    for wrong in ("3..0", "0..999999999", "a..b", "0-3"):
        with pytest.raises(ValidationError):
            TypeAdapter(Seeds).validate_python(wrong)


def test_spans_run_forward_inside_the_phase() -> None:
    assert TypeAdapter(PhaseSpan).validate_python("0%..12.5%").end == Fraction(1, 8)
    for wrong in ("20%..0%", "0%..101%", "5%..5%", "0..20", 3):
        with pytest.raises(ValidationError):
            TypeAdapter(PhaseSpan).validate_python(wrong)
