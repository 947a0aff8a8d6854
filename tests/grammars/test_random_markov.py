"""Drawn Markov chains against the law of Dirichlet-multinomial words, word by word."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product
from math import log
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from procdsl import analysis
from procdsl.grammars.random_markov import RandomMarkov
from tests.grammars.examples import drawn, operation, unsplit


def law(grammar: Any, length: int) -> dict[tuple[int, ...], Fraction]:
    """The probability of every word."""
    k, prior, found = grammar.symbols, Fraction(grammar.concentration), dict[tuple[int, ...], Fraction]()
    for word in product(range(k), repeat=length):
        chance, seen = Fraction(1, k ** min(grammar.order, length)), Counter[tuple[int, ...]]()
        for t in range(grammar.order, length):
            context = word[t - grammar.order : t]
            total = sum(seen[*context, symbol] for symbol in range(k))
            chance *= (seen[*context, word[t]] + prior) / (total + k * prior)
            seen[*context, word[t]] += 1
        found[word] = chance
    return found


@pytest.mark.parametrize(("order", "symbols", "concentration"), [(0, 3, 0.5), (1, 2, 0.25), (2, 2, 3.0)])
def test_words_follow_the_law(order: int, symbols: int, concentration: float) -> None:
    grammar = RandomMarkov(order=order, symbols=symbols, concentration=concentration, length=6)
    expected, count = law(grammar, 6), 50_000
    assert sum(expected.values()) == 1
    ids, _ = drawn(operation(unsplit(grammar), 6), "train", 0, count)
    words, times = np.unique(ids[:, 1:], axis=0, return_counts=True)
    seen = {tuple(word): int(n) for word, n in zip(words.tolist(), times, strict=True)}
    distance = sum((seen.get(word, 0) - count * p) ** 2 / (count * p) for word, p in expected.items())
    assert chi2.sf(float(distance), len(expected) - 1) > 1e-4


@pytest.mark.parametrize(("order", "symbols", "concentration"), [(0, 3, 0.5), (1, 2, 0.25), (2, 2, 3.0)])
def test_entropies_against_enumeration(order: int, symbols: int, concentration: float) -> None:
    grammar = RandomMarkov(order=order, symbols=symbols, concentration=concentration, length=8)
    exact = -sum(float(p) * log(p) for p in law(grammar, 8).values())
    found = analysis.entropy(grammar.program(), 8)
    assert found is not None
    if order == 0:
        assert found.low == found.high == pytest.approx(exact)
    assert found.low - 1e-9 <= exact <= found.high + 1e-9
    assert found.high - found.low < 0.2 * exact


def test_too_many_contexts_say_so() -> None:
    found = [problem.code for problem in RandomMarkov(order=9, symbols=16, length=40).problems(40)]
    assert found == ["P365"]
