"""What is known of these languages from elsewhere: sequences, published statistics, published floors."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from procdsl import analysis
from procdsl.grammars.base import Grammar
from tests.grammars.examples import drawn, operation, read, unsplit, words_of

# OEIS A000108; bounded to depths 2 and 3 it becomes A000079 and A001519.
CATALAN = [1, 2, 5, 14, 42, 132, 429, 1430, 4862, 16796]
# OEIS A005568: words of two kinds of brackets, shuffled (products of neighbouring Catalan numbers).
SHUFFLE_2 = [2, 10, 70, 588, 5544, 56628]
# OEIS A064037: walks in three dimensions that stay in the octant and return, 3-shuffle-Dyck.
SHUFFLE_3 = [3, 24, 285, 4242, 73206]


def grammar(kind: str, **fields: Any) -> Any:
    lines = [f'kind = "{kind}"'] + [f"{name} = {value}" for name, value in fields.items()]
    return read("\n".join(lines))


def test_counts_are_known_sequences() -> None:
    assert [grammar("dyck", k=1, length=2).count(2 * n) for n in range(1, 11)] == CATALAN
    assert [grammar("dyck", k=3, length=2).count(2 * n) for n in range(1, 4)] == [3, 18, 135]
    assert [grammar("dyck", k=1, depth=2, length=2).count(2 * n) for n in range(1, 7)] == [
        1,
        2,
        4,
        8,
        16,
        32,
    ]
    assert [grammar("dyck", k=1, depth=3, length=2).count(2 * n) for n in range(1, 7)] == [
        1,
        2,
        5,
        13,
        34,
        89,
    ]
    assert [grammar("shuffle_dyck", k=2, length=2).count(2 * n) for n in range(1, 7)] == SHUFFLE_2
    assert [grammar("shuffle_dyck", k=3, length=2).count(2 * n) for n in range(1, 6)] == SHUFFLE_3


@pytest.mark.parametrize(
    ("fields", "floor"),
    [
        ({"kind": "dyck", "k": 64}, 2.7672),
        ({"kind": "dyck", "k": 64, "depth": 16}, 2.7548),
        ({"kind": "dyck", "k": 64, "measure": '"process"', "p_open": 0.49}, 2.7450),
        ({"kind": "dyck", "k": 8, "measure": '"process"', "p_open": 0.49}, 1.7053),
        ({"kind": "shuffle_dyck", "k": 64}, 4.6814),
        ({"kind": "shuffle_dyck", "k": 64, "depth": 8}, 3.5597),
        (
            {
                "kind": "shuffle_dyck",
                "k": 64,
                "depth": 8,
                "measure": '"process"',
                "p_open": 0.51,
                "balanced": "false",
            },
            3.3515,
        ),
        (
            {"kind": "shuffle_dyck", "k": 64, "depth": 16, "measure": '"process"', "balanced": "false"},
            3.6281,
        ),
    ],
)
def test_published_floors(fields: dict[str, Any], floor: float) -> None:
    fields = {**fields, "length": 2048}
    found = analysis.floor(grammar(**fields).program(), length=2048, context=2048)
    assert found is not None
    assert round(found.low, 4) == round(found.high, 4) == floor


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "dyck", "measure": '"process"', "p_open": 0.4},
        {"kind": "dyck", "depth": 2, "measure": '"process"', "p_open": 0.7},
        {"kind": "shuffle_dyck", "depth": 3, "measure": '"process"', "p_open": 0.6},
        {"kind": "shuffle_dyck", "depth": 3, "measure": '"process"', "balanced": "false"},
    ],
)
def test_walks_are_drawn_as_they_are_told(fields: dict[str, Any]) -> None:
    """Probabilities multiplied along the walk agree with draws, and their entropy with the analysis."""
    walk = unsplit(grammar(**{**fields, "k": 2, "length": 8}))
    chances = {word: p for word in product(range(4), repeat=8) if (p := _walk_chance(walk, word))}
    assert sum(chances.values()) == pytest.approx(1)
    entropy = analysis.entropy(walk.program(), 8)
    assert entropy is not None
    assert entropy.low == pytest.approx(-sum(p * np.log(p) for p in chances.values()))
    ids, _ = drawn(operation(walk, 8), "train", 0, 100_000)
    words, counts = np.unique(ids[:, 1:], axis=0, return_counts=True)
    seen = {tuple(word): count for word, count in zip(words.tolist(), counts.tolist(), strict=True)}
    assert set(seen) <= set(chances)
    likely = [word for word, p in chances.items() if p * 100_000 >= 5]
    rest = 1 - sum(chances[word] for word in likely)
    square = sum((seen.get(word, 0) - chances[word] * 1e5) ** 2 / (chances[word] * 1e5) for word in likely)
    others = 100_000 - sum(seen.get(word, 0) for word in likely)
    square += (others - rest * 1e5) ** 2 / (rest * 1e5) if rest > 1e-9 else 0
    assert chi2.sf(square, len(likely) - (rest <= 1e-9)) > 1e-4


def _walk_chance(walk: Any, word: tuple[int, ...]) -> float:
    """The probability of a word of the walk, from its definition."""
    chance, stack = 1.0, list[int]()
    for t, symbol in enumerate(word):
        closed = walk.kind == "dyck" or walk.balanced
        must = len(stack) == walk.depth or (closed and len(stack) == len(word) - t)
        p_open = 1.0 if not stack else 0.0 if must else walk.p_open
        if symbol < 2:
            chance *= p_open / 2
            stack.append(symbol)
            continue
        kinds = {stack[-1]} if stack and walk.kind == "dyck" else set(stack)
        if symbol - 2 not in kinds:
            return 0.0
        chance *= (1 - p_open) / len(kinds)
        stack.reverse()
        stack.remove(symbol - 2)
        stack.reverse()
    return chance


def test_iid_symbols_follow_their_weights() -> None:
    zipf = unsplit(grammar("iid", symbols=5, weights='"zipf(1.0)"', length=1_000))
    ids, _ = drawn(operation(zipf, 1_000), "train", 0, 100)
    counts = np.bincount(ids[:, 1:].ravel(), minlength=5)
    expected = 1e5 / np.arange(1, 6) / sum(1 / r for r in range(1, 6))
    assert chi2.sf(((counts - expected) ** 2 / expected).sum(), 4) > 1e-4


def test_packed_rows_are_full_and_their_floor_is_met() -> None:
    """Nats per token by the chain rule over lengths and words, against a count of everything drawn."""
    packed = unsplit(grammar("iid", symbols=2, length="{ uniform = [1, 3] }"))
    made = operation(packed, 6)
    ids, scored = drawn(made, "train", 0, 200_000)
    assert scored[:, 1:].all()
    _, counts = np.unique(ids, axis=0, return_counts=True)
    shares = counts / counts.sum()
    floor = analysis.floor(made.program, length=3, context=6)
    assert floor is not None
    assert floor.low == pytest.approx(-(shares * np.log(shares)).sum() / 6, rel=2e-3)


def test_words_of_a_row_are_balanced_whatever_their_number() -> None:
    packed = grammar("dyck", k=8, length="{ choice = { 16 = 0.7, 64 = 0.3 } }")
    found: list[Any] = [
        word for row in drawn(operation(packed, 300), "train", 0, 50)[0] for word in words_of(packed, row)
    ]
    assert {len(word) for word in found} == {16, 64}
    assert all(map(packed.accepts, found))


def test_grammars_are_abstract() -> None:
    with pytest.raises(TypeError):
        Grammar()
