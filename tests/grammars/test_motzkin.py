"""Motzkin words are counted by Motzkin numbers (OEIS A001006), with two flats by Catalan's (A000108)."""

from __future__ import annotations

import pytest

from procdsl.grammars.motzkin import Motzkin


def test_counts_are_motzkin_numbers() -> None:
    counts = [Motzkin(length=9).count(n) for n in range(11)]
    assert counts == [1, 1, 2, 4, 9, 21, 51, 127, 323, 835, 2188]


def test_two_kinds_of_flats_are_counted_by_catalan_numbers() -> None:
    """A000108 from the second on: Touchard's identity."""
    assert [Motzkin(flat=2, length=9).count(n) for n in range(8)] == [1, 2, 5, 14, 42, 132, 429, 1430]


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("(0 ·0", "1 brackets are not"),
        ("0)", "closes a"),
        ("x", "no symbol"),
        ("(0 1)", "opened last"),
        ("", "empty"),
    ],
)
def test_what_is_no_word_says_why(word: str, why: str) -> None:
    assert why in (Motzkin(k=2, length=4).reason(word.split()) or "")
