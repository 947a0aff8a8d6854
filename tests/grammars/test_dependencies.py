"""What the laws cannot say about paired symbols: counts, laws of types and distances, entropies."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import comb, log
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from procdsl import analysis
from procdsl.grammars.crossing import Crossing
from procdsl.grammars.flat import Flat
from procdsl.grammars.nesting import Nesting
from tests.grammars.examples import drawn, operation, unsplit


def rows(grammar: Any, length: int, count: int) -> Any:
    return drawn(operation(unsplit(grammar), length), "train", 0, count)[0][:, 1:]


def test_counts() -> None:
    """Catalan numbers by types; closed walks on trees of degree 3 (A089022); even words; ballots."""
    assert [Nesting(types=2, length=2).count(n) for n in (2, 4, 6)] == [2, 8, 40]
    assert [Nesting(types=3, paired=False, length=2).count(n) for n in (2, 4, 6)] == [3, 15, 87]
    distance = 1
    even = Flat(types=2, paired=False, length=2, distance=distance)
    assert [even.count(n) for n in (2, 4, 6, 8)] == [2, 8, 32, 128]
    cut = Flat(types=1, faithful=True, length=2, distance=distance)
    assert [cut.count(n) for n in range(1, 8)] == [comb(n, n // 2) for n in range(1, 8)]


def test_types_follow_their_law() -> None:
    found = Counter(rows(Nesting(types=4, weights="zipf(1.0, 2.7)", length=64), 64, 2000).ravel().tolist())
    weights = [1 / (rank + 2.7) for rank in range(1, 5)]
    for kind in range(4):
        assert found[kind] == found[4 + kind]
        assert found[kind] / 64_000 == pytest.approx(weights[kind] / sum(weights), abs=0.01)


def test_distances_follow_their_law_where_there_is_room() -> None:
    ids = rows(Flat(types=64, paired=True, length=200, distance=7), 200, 50)
    for row in ids:
        # Of each type, first come is first served: all wait alike.
        places = {kind: (np.flatnonzero(row == kind), np.flatnonzero(row == kind + 64)) for kind in range(64)}
        gaps = np.concatenate([closes - opens for opens, closes in places.values()])
        assert (gaps > 0).all()
        assert (gaps == 7).mean() > 0.9


def test_pairs_of_the_crossing_language_cross_by_their_share() -> None:
    """With no share to speak of words nest; with one of a half they do not."""
    few = Crossing(types=64, share=1e-9, distance=5, length=40)
    assert all(
        Nesting(types=64, length=40).accepts([few.alphabet()[id] for id in row]) for row in rows(few, 40, 50)
    )
    many = few.model_copy(update={"share": 0.5})
    assert not any(
        Nesting(types=64, length=40).accepts([many.alphabet()[id] for id in row])
        for row in rows(many, 40, 50)
    )


def test_faithful_words_are_cut_and_miss_partners() -> None:
    nested = rows(Nesting(types=8, faithful=True, p_open=0.49, length=101), 101, 500)
    assert 0.4 < (nested < 8).mean() < 0.6
    assert ((nested < 8).sum(1) > (nested >= 8).sum(1)).all()
    booked = rows(Flat(types=8, faithful=True, distance=9, length=100), 100, 500)
    assert ((booked < 8).sum(1) > (booked >= 8).sum(1)).mean() > 0.9


def _nats(grammar: Any, length: int) -> Any:
    found = analysis.entropy(grammar.program(), length)
    assert found is not None
    return found


@pytest.mark.parametrize("faithful", [False, True])
@pytest.mark.parametrize("paired", [False, True])
def test_entropy_of_nesting_by_enumeration(paired: bool, faithful: bool) -> None:
    """From 200,000 words of length 4: the plug-in estimate, which is short by about (words - 1) / 2 n."""
    grammar = Nesting(types=3, weights="zipf(1.0)", p_open=0.3, paired=paired, faithful=faithful, length=4)
    _, seen = np.unique(rows(grammar, 4, 200_000), axis=0, return_counts=True)
    shares = seen / seen.sum()
    estimate = -(shares * np.log(shares)).sum() + (len(seen) - 1) / 400_000
    found = _nats(grammar, 4)
    assert found.low - 0.01 < estimate < found.high + 0.01
    assert (found.low == found.high) == paired


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("faithful", [False, True])
def test_entropies_of_crossed_words_lie_in_their_bounds(paired: bool, faithful: bool) -> None:
    for grammar in (
        Flat(types=3, paired=paired, faithful=faithful, distance=2, length=6),
        Crossing(types=3, share=0.4, paired=paired, faithful=faithful, distance=2, length=6),
    ):
        _, seen = np.unique(rows(grammar, 6, 50_000), axis=0, return_counts=True)
        shares = seen / seen.sum()
        found = _nats(grammar, 6)
        assert found.low - 0.02 < -(shares * np.log(shares)).sum() < found.high


def test_long_nesting_comes_to_what_a_walk_without_end_has() -> None:
    """Heights have a stationary law where p is below a half: by balance, 0 for (1 - 2 p) / (2 - 2 p)."""
    p, types = 0.3, 50
    grammar = Nesting(types=types, p_open=p, faithful=True, length=4000)
    at_zero = (1 - 2 * p) / (2 * (1 - p))
    coin = -p * log(p) - (1 - p) * log(1 - p)
    rate = at_zero * log(types) + (1 - at_zero) * (coin + p * log(types))
    assert _nats(grammar, 4000).high / 4000 == pytest.approx(rate, rel=1e-3)


def test_laws_of_weights_are_read() -> None:
    with pytest.raises(ValidationError, match="no law of weights"):
        Nesting(types=2, weights="zipf", length=2)
    program = Nesting(types=3, weights="zipf(1.0)", length=2).program()
    edges = (0, *program.thresholds, 2**32)
    assert [high - low for low, high in pairwise(edges)] == pytest.approx(
        [2**32 * 6 / 11, 2**32 * 3 / 11, 2**32 * 2 / 11]
    )
