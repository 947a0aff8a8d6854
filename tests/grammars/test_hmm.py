"""Hidden Markov models: what is drawn, by address, and what a predictor can know."""

from __future__ import annotations

import math
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest

from procdsl import analysis, walks
from procdsl.analysis import automaton
from procdsl.grammars._lengths import UniformLength
from procdsl.grammars.regular.deterministic import determinise, hidden
from procdsl.grammars.regular.dirichlet import dirichlet
from procdsl.grammars.regular.nondeterministic import Arrow, Nfa
from procdsl.programs.base import Interval, Lengths
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


def test_bounds_of_all_lengths_are_those_of_each() -> None:
    automaton._blocks.cache_clear()
    several = hmm().model_copy(update={"length": UniformLength(uniform=(2, 9))}).program()
    for length in range(2, 10):
        one, other = analysis.entropy(several, length), analysis.entropy(hmm(length).program(), length)
        assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=1e-12)
    # One for all of several lengths, one for each of the others.
    assert automaton._blocks.cache_info().misses == 9


def test_longer_words_have_wider_bounds_that_still_are_close() -> None:
    found = analysis.floor(hmm(512).program(), length=512, context=512)
    assert 0 < found.high - found.low < 1e-4


def word_entropy(program: Any, length: int) -> float:
    """Of all words, each as likely as all its walks to an end together."""
    arrows = list(zip(program.sources, program.targets, program.writes, program.weights, strict=True))
    stops = dict(zip(program.accepts, program.stops or [1.0] * len(program.accepts), strict=True))
    found = []
    for word in product(range(program.count), repeat=length):
        at = {0: 1.0}
        for symbol in word:
            after: dict[int, float] = {}
            for source, target, place, weight in arrows:
                letters = program.letters[place]
                if source in at and symbol in letters.symbols:
                    weights = letters.weights or (1.0,) * len(letters.symbols)
                    share = weights[letters.symbols.index(symbol)] / sum(weights)
                    after[target] = after.get(target, 0.0) + at[source] * weight * share
            at = after
        found.append(sum(mass * stops.get(state, 0.0) for state, mass in at.items()))
    return -sum(one / sum(found) * math.log(one / sum(found)) for one in found if one)


@pytest.mark.parametrize("stop", ["0.0001", "[0.3, 0.05]"])
@pytest.mark.parametrize("emission", ["[[0.8, 0.2, 0.0], [0.1, 0.3, 0.6]]", "[[0.6, 0.4], [0.3, 0.7]]"])
def test_what_is_measured_on_words_is_what_enumeration_finds(stop: str, emission: str) -> None:
    tokens = f"{{ w = {3 if '0.0]' in emission else 2} }}"
    program = hmm(7, emission=emission, tokens=tokens, stop=stop).program()
    measured = automaton._followed(program, 7)
    assert measured is not None
    mean, error = measured
    assert 0 < error < 0.02 * mean
    assert abs(mean - word_entropy(program, 7)) < 5 * error


def test_wide_bounds_are_measured_between() -> None:
    """Two states that are hardly told apart, and stay: what was long ago still tells which it is."""
    fields = {"transition": "[[0.999, 0.001], [0.001, 0.999]]", "emission": "[[0.6, 0.4], [0.4, 0.6]]"}
    program = hmm(10, **fields, tokens="{ w = 2 }").program()
    proved = automaton._bounds(program, 10)
    assert proved is not None
    beside = Interval(low=proved.low - 1, high=proved.high + 1)
    narrowed = automaton._between(beside, automaton._followed(program, 10), 10.0)
    assert narrowed is not None
    assert narrowed.measured
    assert narrowed.low <= word_entropy(program, 10) <= narrowed.high
    assert narrowed.high - narrowed.low < 0.2


def test_models_of_many_states_have_programs_and_floors() -> None:
    """Too many for the bounds, and for an automaton made arrow by arrow and symbol by symbol."""
    drawn = "{ dirichlet = 0.3, seed = 1 }"
    grammar = read(
        f'kind = "hmm"\nstates = 160\ntransition = {drawn}\nemission = {drawn}\n'
        "tokens = { w = 90 }\nlength = { uniform = [8, 64] }"
    )
    assert not [problem for problem in grammar.problems(130) if problem.severity == "error"]
    program = grammar.program()
    found = analysis.floor(program, length=64, context=64)
    assert found is not None
    assert found.measured
    assert 0.9 * math.log(90) < found.low < found.high < math.log(90) + 0.2
    assert found.high - found.low < 0.01
    assert analysis.entropy(program.model_copy(update={"lengths": Lengths(values=(9_000,))}), 9_000) is None


@pytest.mark.parametrize("seed", range(6))
def test_what_models_can_write_is_what_walks_can(seed: int) -> None:
    """The least automaton, made of sets of states here, of arrows there."""
    random, states, symbols = Random(seed), 4, 3
    rows = [[random.random() < 0.5 for _ in range(states)] for _ in range(states + 1)]
    emits = [[random.random() < 0.5 for _ in range(symbols)] for _ in range(states)]
    follows = [sum(1 << to for to, there in enumerate(row, 1) if there) for row in rows]
    writers = [sum(1 << q for q, row in enumerate(emits, 1) if row[s]) for s in range(symbols)]
    arrows = tuple(
        Arrow(source, frozenset(s for s in range(symbols) if emits[to][s]), to + 1)
        for source, row in enumerate(rows)
        for to, there in enumerate(row)
        if there and any(emits[to])
    )
    wanted = determinise(Nfa(states + 1, arrows, frozenset({2, 3})), symbols)
    assert hidden(follows, writers, 0b1100) == wanted


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
