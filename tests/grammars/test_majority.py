"""Strings with a majority: half of all of an odd length, and short of half by the ties of an even one."""

from __future__ import annotations

from math import comb, log

import pytest

from procdsl import analysis
from procdsl.grammars.majority import Majority
from tests.grammars.examples import drawn, operation


def test_counts_of_two_symbols() -> None:
    grammar = Majority(length=9)
    assert [grammar.count(n) for n in range(1, 8, 2)] == [1, 4, 16, 64]
    assert [grammar.count(n) for n in range(2, 9, 2)] == [
        (2**n - comb(n, n // 2)) // 2 for n in range(2, 9, 2)
    ]


def test_long_words_and_their_floor() -> None:
    grammar = Majority(symbols=3, length=301)
    ids, _ = drawn(operation(grammar, 301), "train", 0, 100)
    leads = (ids[:, 1:] == 0).sum(1)
    assert leads.min() == 151
    assert leads.mean() < 153
    found = analysis.floor(grammar.program(), length=301, context=301)
    assert found is not None
    assert found.low == pytest.approx(log(grammar.count(301)) / 301)
