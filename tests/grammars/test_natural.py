"""Walks that stop by themselves, against closed forms and enumeration."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2, geom

from procdsl import analysis
from procdsl.errors import Severity
from tests.grammars.examples import drawn, operation, read, unsplit, words_of

COIN = 'kind = "automaton"\nstart = "p"\naccept = { p = 1 }\nedges = "p -a-> p [6] ; p -b-> p [3]"\n'
NATURAL = 'measure = "natural"\nlength = "natural"\n'


def law_of(grammar: Any) -> dict[int, float]:
    lengths = grammar.lengths()
    return {n: w / sum(lengths.shares) for n, w in zip(lengths.values, lengths.shares, strict=True)}


def test_one_state_stops_geometrically() -> None:
    """A tenth of walks stops at each place; the empty word is left out, and so is one in a thousand."""
    law = law_of(read(COIN + NATURAL))
    longest = max(law)
    whole = geom.cdf(longest, 0.1)
    assert 0.998 < whole < 0.9995
    assert all(law[n] == pytest.approx(geom.pmf(n, 0.1) / whole, abs=1e-8) for n in law)


def test_a_length_of_their_own_may_be_cut() -> None:
    grammar = read(COIN + 'measure = "natural"\nlength = { natural = 5 }\n')
    assert set(law_of(grammar)) == {1, 2, 3, 4, 5}
    (found,) = [problem for problem in grammar.problems(64) if problem.code == "P380"]
    assert found.message == "53.1% of walks have over 5 symbols: they are left out"
    assert found.severity is Severity.WARNING


EDGES = 'edges = "p -a-> p [2] ; p -b-> q [1] ; q -a-> q [1] ; q -b-> p [1]"\n'


def chance(word: str) -> float:
    """Of a walk of `EDGES` that stops at p with weight 1, at q with weight 2."""
    steps = {"pa": ("p", 2 / 4), "pb": ("q", 1 / 4), "qa": ("q", 1 / 4), "qb": ("p", 1 / 4)}
    state, found = "p", 1.0
    for symbol in word:
        state, share = steps[state + symbol]
        found *= share
    return found * {"p": 1 / 4, "q": 2 / 4}[state]


def test_walks_of_two_states_follow_their_law() -> None:
    toml = f'kind = "automaton"\nstart = "p"\naccept = {{ p = 1, q = 2 }}\n{EDGES}{NATURAL}'
    grammar, counted = unsplit(read(toml)), Counter[str]()
    law = law_of(grammar)
    every = {"".join(w): chance("".join(w)) for n in range(1, 11) for w in product("ab", repeat=n)}
    for n in range(1, 6):
        assert law[n] == pytest.approx(
            sum(p for word, p in every.items() if len(word) == n) / (1 - 1 / 4), rel=3e-3
        )
    for row in drawn(operation(grammar, 60), "train", 0, 20_000)[0]:
        counted.update("".join(word) for word in words_of(grammar, row) if len(word) == 4)
    expected = {word: p for word, p in every.items() if len(word) == 4}
    share = sum(counted.values()) / sum(expected.values())
    distance = sum((counted[word] - share * p) ** 2 / (share * p) for word, p in expected.items())
    assert chi2.sf(distance, len(expected) - 1) > 1e-4
    nats = -sum(p * math.log(p) for p in (q / sum(expected.values()) for q in expected.values()))
    found = analysis.entropy(grammar.program(), 4)
    assert found is not None
    assert found.low == found.high == pytest.approx(nats)


def test_stops_weigh_at_a_given_length_too() -> None:
    start = 'kind = "automaton"\nstart = "p"\naccept = { p = 1, q = 5 }\n'
    grammar = unsplit(read(f'{start}{EDGES}measure = "weighted"\nlength = 3\n'))
    weights = dict[str, float]()
    for word in map("".join, product("ab", repeat=3)):
        ends = "pq"[word.count("b") % 2]
        steps, state = {"pa": 2, "pb": 1, "qa": 1, "qb": 1}, "p"
        weights[word] = {"p": 1.0, "q": 5.0}[ends]
        for symbol in word:
            weights[word] *= steps[state + symbol]
            state = "pq"["pq".index(state) ^ (symbol == "b")]
    rows = drawn(operation(grammar, 3), "train", 0, 40_000)[0]
    seen = Counter("".join(words_of(grammar, row)[0]) for row in rows)
    share = 40_000 / sum(weights.values())
    distance = sum((seen[word] - share * w) ** 2 / (share * w) for word, w in weights.items())
    assert chi2.sf(distance, 7) > 1e-4


def test_walks_of_a_regular_expression_take_all_ways_alike() -> None:
    grammar = read(f'kind = "regex"\npattern = "a* b"\n{NATURAL}')
    law = law_of(grammar)
    # At the start a or b, half each; behind b words end.
    assert all(law[n] == pytest.approx(0.5**n, rel=3e-3) for n in range(1, 8))


def test_a_hidden_model_stops_behind_its_states() -> None:
    toml = (
        'kind = "hmm"\nstates = 2\ntransition = [[0, 1], [1, 0]]\nemission = [[1, 0], [0, 1]]\n'
        'initial = [1, 0]\nstop = [0.5, 0.2]\ntokens = ["a", "b"]\n'
    )
    law = law_of(read(toml + 'length = "natural"\n'))
    whole = 1 - 0.4 ** (max(law) // 2)
    assert law[1] == pytest.approx(0.5, rel=3e-3)
    assert law[2] == pytest.approx(0.5 * 0.2, rel=3e-3)
    assert law[3] == pytest.approx(0.5 * 0.8 * 0.5, rel=3e-3)
    assert whole > 0.998
    with pytest.raises(ValueError, match="needs a `stop`"):
        read(toml.replace("stop = [0.5, 0.2]\n", "") + 'length = "natural"\n')
    ends = read(toml.replace("[0.5, 0.2]", "[0, 1]") + 'length = "natural"\n')
    assert law_of(ends) == {2: 1.0}
    assert [p.code for p in read(toml.replace("[0.5, 0.2]", "0") + "length = 4\n").problems(5)] == ["P380"]


def test_a_mixture_is_as_likely_as_its_models_together() -> None:
    toml = (
        'kind = "hmm"\nstates = 2\ntransition = { dirichlet = 0.3, seed = 1 }\nmixture = 3\n'
        "emission = { dirichlet = 0.4, seed = 2 }\ntokens = { w = 3 }\nlength = 4\n"
    )
    grammar = unsplit(read(toml))
    moves, writes = grammar._transition, grammar._emission
    assert [row[:2] for row in moves[:2]] == list(read(toml.replace("mixture = 3\n", ""))._transition)
    law = dict[tuple[int, ...], float]()
    for word in product(range(3), repeat=4):
        for model in range(3):
            at = np.array([0.5, 0.5]) / 3
            steps = np.array([row[2 * model : 2 * model + 2] for row in moves[2 * model : 2 * model + 2]])
            for place, symbol in enumerate(word):
                at = (at @ steps if place else at) * [writes[0][symbol], writes[1][symbol]]
            law[word] = law.get(word, 0.0) + float(at.sum())
    assert sum(law.values()) == pytest.approx(1, abs=1e-6)
    ids, _ = drawn(operation(grammar, 4), "train", 0, 30_000)
    seen = Counter(tuple(row[1:]) for row in ids.tolist())
    expected = {word: 30_000 * p for word, p in law.items() if 30_000 * p > 5}
    distance = sum((seen[word] - wanted) ** 2 / wanted for word, wanted in expected.items())
    assert chi2.sf(distance, len(expected)) > 1e-4


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (COIN + 'length = "natural"\n', "only walks have lengths of their own"),
        ('kind = "parity"\nlength = "natural"\n', "length"),
        ('kind = "regex"\npattern = "a*"\nlength = "natural"\n', "only walks have lengths of their own"),
    ],
)
def test_what_has_no_lengths_of_its_own_says_so(toml: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(toml)


def test_walks_that_never_stop_are_told() -> None:
    edges = 'edges = "p -a-> q ; p -b-> r ; r -a-> r ; q -a-> q [3]"\n'
    grammar = read(f'kind = "automaton"\nstart = "p"\naccept = {{ q = 1 }}\n{edges}{NATURAL}')
    found = {problem.code: problem for problem in grammar.problems(64)}
    assert found["P380"].message == "50.0% of walks come to where no word ends: they are left out"
    assert found["P380"].severity is Severity.WARNING


def test_stops_of_uniform_words_do_nothing_and_say_so() -> None:
    found = [problem.code for problem in read(COIN + "length = 20\n").problems(20)]
    assert "P395" in found


def test_where_a_word_may_end_must_exist() -> None:
    (found,) = [
        p for p in read(COIN.replace("p = 1", "s = 1") + "length = 20\n").problems(20) if p.code == "P393"
    ]
    assert found.path == ("accept", "s")
