"""Hidden Markov models: what is drawn, by address, and what a predictor can know."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest

from procdsl import analysis, walks
from procdsl.grammars.regular.dirichlet import dirichlet
from tests.grammars.examples import read


def hmm(length: int = 6, **fields: str) -> Any:
    given = {
        "transition": "[[0.9, 0.1], [0.3, 0.7]]",
        "emission": "[[0.8, 0.2, 0.0], [0.1, 0.3, 0.6]]",
        "tokens": "{ w = 3 }",
        **fields,
    }
    lines = "\n".join(f"{name} = {value}" for name, value in given.items())
    return read(f'kind = "hmm"\nstates = 2\nlength = {length}\n{lines}')


def entropy(grammar: Any, length: int) -> float:
    """Of all words, by the forward algorithm."""
    initial, transition, emission = map(np.array, (grammar._initial, grammar._transition, grammar._emission))
    nats = 0.0
    for word in product(range(emission.shape[1]), repeat=length):
        forward = initial * emission[:, word[0]]
        for symbol in word[1:]:
            forward = forward @ transition * emission[:, symbol]
        if forward.sum() > 0:
            nats -= forward.sum() * math.log(forward.sum())
    return nats


def test_the_bounds_hold_what_enumeration_finds() -> None:
    grammar = hmm(8)
    for length in (1, 2, 8):
        known, found = entropy(grammar, length), analysis.entropy(hmm(length).program(), length)
        assert found.low - 1e-9 <= known <= found.high + 1e-9
        assert found.high - found.low < 0.001 * length


def test_longer_words_have_wider_bounds_that_still_are_close() -> None:
    found = analysis.floor(hmm(512).program(), length=512, context=512)
    assert 0 < found.high - found.low < 1e-4


@pytest.mark.parametrize("alpha", [0.01, 0.3, 5.0])
def test_dirichlet_rows_have_their_moments(alpha: float) -> None:
    rows = np.array([dirichlet(alpha, 4, 0, "x", row=row) for row in range(4_000)])
    assert rows.sum(1) == pytest.approx(1, abs=1e-6)
    assert rows.mean(0) == pytest.approx(0.25, abs=0.03)
    assert rows.var(0) == pytest.approx(0.25 * 0.75 / (4 * alpha + 1), rel=0.1)


def test_rows_are_drawn_by_seed_and_place() -> None:
    drawn = "{ dirichlet = 0.3, seed = 1 }"
    one, other = hmm(transition=drawn), hmm(transition="{ dirichlet = 0.3, seed = 2 }")
    assert one.program() == hmm(transition=drawn).program() != other.program()


def test_a_free_chain_has_one_row_of_thresholds() -> None:
    """Every state may end and none loses weight: how many symbols are to come says nothing."""
    assert walks.rows(hmm(4_096).program()) == 1


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"transition": "[[0.9, 0.1]]"}, ("transition",)),
        ({"emission": "[[0.8, 0.2], [0.1, 0.3, 0.6]]"}, ("emission", 0)),
        ({"transition": "[[0.0, 0.0], [0.3, 0.7]]"}, ("transition", 0)),
        ({"initial": "[1.0]"}, ("initial",)),
    ],
)
def test_matrices_of_the_wrong_shape_are_told(fields: dict[str, str], path: tuple[Any, ...]) -> None:
    problem = next(iter(hmm(**fields).problems(6)))
    assert (problem.code, problem.path, problem.severity) == ("P397", path, "error")
