"""Automata: their algebra against another library's, their weights against enumeration, their faults."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest
from automata.fa.dfa import DFA
from automata.fa.nfa import NFA
from scipy.stats import chi2

from procdsl import analysis
from procdsl.grammars.regular import nondeterministic
from procdsl.grammars.regular.counting import Completions
from procdsl.grammars.regular.deterministic import Dfa, both, complement, determinise, without
from procdsl.grammars.regular.nondeterministic import Arrow, Nfa
from tests.grammars.examples import drawn, operation, read, unsplit, words_of

WEATHER = """
dry -sun-> dry [0.8] ; dry -rain-> wet [0.2]   # two kinds of day
wet -rain-> wet [0.6] ; wet -sun->  dry [0.4]
"""


def automaton(edges: str, start: str, accept: str = '"*"', measure: str = "uniform", length: Any = 8) -> Any:
    return read(
        f"kind = \"automaton\"\nedges = '''{edges}'''\nstart = \"{start}\"\naccept = {accept}\n"
        f'measure = "{measure}"\nlength = {length}'
    )


def random_nfa(seed: int, states: int = 5) -> Nfa:
    random = Random(seed)
    arrows = tuple(
        Arrow(random.randrange(states), symbols, random.randrange(states))
        for symbols in [frozenset({0}), frozenset({1}), frozenset({0, 2}), None, frozenset({2})] * 2
    )
    return Nfa(states, arrows, frozenset(random.sample(range(states), 2)))


def oracle(nfa: Nfa) -> NFA:
    moves: dict[int, dict[str, set[int]]] = {q: {} for q in range(nfa.states)}
    for arrow in nfa.arrows:
        for symbol in [""] if arrow.symbols is None else map(str, arrow.symbols):
            moves[arrow.source].setdefault(symbol, set()).add(arrow.target)
    return NFA(
        states=set(moves),
        input_symbols=set("012"),
        transitions=moves,
        initial_state=0,
        final_states=nfa.accepts,
    )


def language(found: Dfa, longest: int = 6) -> set[str]:
    words = ("".join(map(str, w)) for n in range(longest + 1) for w in product(range(3), repeat=n))
    return {word for word in words if (q := found.follow(map(int, word))) is not None and q in found.accepts}


def words(nfa: NFA, longest: int = 6) -> set[str]:
    found = DFA.from_nfa(nfa)
    every = ("".join(w) for n in range(longest + 1) for w in product("012", repeat=n))
    return {word for word in every if found.accepts_input(word)}


@pytest.mark.parametrize("seed", range(15))
def test_the_algebra_agrees_with_another_library(seed: int) -> None:
    one, other = random_nfa(seed), random_nfa(seed + 1000)
    left, right = determinise(one, 3), determinise(other, 3)
    known, also = words(oracle(one)), words(oracle(other))
    everything = language(determinise(Nfa(1, (Arrow(0, frozenset({0, 1, 2}), 0),), frozenset({0})), 3))
    assert language(left) == known
    assert language(both(left, right)) == known & also
    assert language(complement(both(complement(left), complement(right)))) == known | also
    assert language(without(left, right)) == known - also
    assert language(complement(left)) == everything - known
    assert language(determinise(nondeterministic.reverse(one), 3)) == {word[::-1] for word in known}
    assert complement(complement(left)) == left
    assert determinise(left.nfa(), 3) == left
    joined = determinise(nondeterministic.concat([one, other]), 3)
    assert language(joined, 4) == {a + b for a in known for b in also if len(a + b) <= 4}


@pytest.mark.parametrize("seed", range(15))
def test_automata_are_least_and_counted(seed: int) -> None:
    found = determinise(random_nfa(seed), 3)
    least = DFA.from_nfa(oracle(random_nfa(seed))).minify()
    assert len(found.moves) == len(least.states)
    completions, sizes = Completions(found, 50), Counter(map(len, language(found, 7)))
    for length in range(8):
        assert completions.count(length) == sizes[length]
        assert completions.few(length) == min(50, sizes[length])
        assert bool(completions.alive(length) & 1) == (sizes[length] > 0)


def weights(grammar: Any, length: int) -> dict[tuple[str, ...], float]:
    """The weight of every word, over all its walks, by following arrows as they are written."""
    ways: dict[tuple[tuple[str, ...], str], float] = {((), grammar.start): 1.0}
    arrows = grammar._read[0]
    for _ in range(length):
        longer = defaultdict[tuple[tuple[str, ...], str], float](float)
        for (word, state), weight in ways.items():
            for one in arrows:
                if one.source == state:
                    longer[(*word, one.symbol), one.target] += weight * (one.weight or 1.0)
        ways = longer
    found = defaultdict[tuple[str, ...], float](float)
    for (word, state), weight in ways.items():
        if grammar.accept == "*" or state in grammar.accept:
            found[word] += weight
    whole = sum(found.values())
    return {word: weight / whole for word, weight in found.items()}


HIDDEN = "p -a b-> p [0.5] ; p -a-> q [0.7] ; q -b c-> p [0.2] ; q -a-> q ; q -c-> r [3]; r -a-> q [0.1]"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edges", "start", "accept"),
    [
        (WEATHER, "dry", '"*"'),
        (WEATHER, "dry", '["wet"]'),
        (HIDDEN, "p", '["p"]'),
        (HIDDEN, "p", '["q", "r"]'),
    ],
)
def test_words_are_drawn_by_their_weights(edges: str, start: str, accept: str) -> None:
    grammar = unsplit(automaton(edges, start, accept, "weighted", 5))
    expected, rows = weights(grammar, 5), 200_000
    seen = Counter(words_of(grammar, row)[0] for row in drawn(operation(grammar, 5), "train", 0, rows)[0])
    assert seen.keys() <= expected.keys()
    likely = [word for word, share in expected.items() if share * rows > 10]
    statistic = sum((seen[w] - rows * expected[w]) ** 2 / (rows * expected[w]) for w in likely)
    assert chi2.sf(statistic, len(likely) - 1) > 1e-4
    nats = -sum(p * math.log(p) for p in expected.values())
    found = analysis.entropy(grammar.program(), 5)
    assert found.low <= nats * (1 + 1e-9)
    assert found.high >= nats * (1 - 1e-9)
    if edges == WEATHER:
        assert found.high == found.low
    frequent = Counter[str]()
    for word, share in expected.items():
        for symbol in word:
            frequent[symbol] += share / 5
    assert analysis.chance(grammar.program(), length=5, context=5) == pytest.approx(max(frequent.values()))


def test_a_free_walk_has_the_entropy_of_its_chain() -> None:
    """The entropy rate of a Markov chain: the mean of its rows' entropies under the stationary law."""
    grammar = automaton(WEATHER, "dry", '"*"', "natural", 2048)
    row = lambda p: -p * math.log(p) - (1 - p) * math.log(1 - p)  # noqa: E731
    rate = 2 / 3 * row(0.8) + 1 / 3 * row(0.6)
    found = analysis.floor(grammar.program(), length=2048, context=2048)
    assert found.low == found.high == pytest.approx(rate, abs=1e-3)


def test_growth_far_apart_loses_no_word() -> None:
    """The long branch outgrows the other by 10**1400 at lengths no word of it has."""
    edges = "s -a-> t ; t -a-> t ; t -b-> f ; s -b-> w ; w -a b c d e f g h i j-> w ; w -b-> x ; x -z-> x"
    grammar = unsplit(automaton(edges, "s", '["f"]', length=1500))
    row = drawn(operation(grammar, 1500), "train", 0, 1)[0][0]
    assert grammar.accepts(words_of(grammar, row)[0])
    assert analysis.entropy(grammar.program(), 1500).high == pytest.approx(0, abs=1e-9)


def test_wide_states_agree_with_the_reference() -> None:
    """Above so many arrows the kernel halves intervals."""
    from procdsl import generate

    edges = ";".join(f"q{i} -s{j}-> q{(i * j) % 70} [{1 + j % 5}]" for i in range(70) for j in range(70))
    grammar = automaton(edges, "q1", '["q0", "q3"]', "weighted", 30)
    made = operation(grammar)
    ids, scored = drawn(made, "train", 0, 8)
    assert (ids.tolist(), scored.tolist()) == generate.rows(made, seed=0, split="train", start=0, count=8)


@pytest.mark.parametrize(
    ("edges", "accept", "code", "where"),
    [
        ("p -a-> q ; q a-> p", '"*"', "P390", "q a-> p"),
        ("p -a-> q [0] ; q -a-> p", '"*"', "P390", "0"),
        ("p -a-> q ; q --> p", '"*"', "P390", "q --> p"),
        ("p -a-> q ; q -b-> p", '["qq"]', "P393", None),
        ("p -a-> q", '["p"]', "P392", None),
        ("", '"*"', "P390", None),
    ],
)
def test_faults_are_placed(edges: str, accept: str, code: str, where: str | None) -> None:
    errors = [p for p in automaton(edges, "p", accept).problems(8) if p.severity == "error"]
    assert [problem.code for problem in errors] == [code]
    if where is not None:
        begin, width = errors[0].span
        assert edges[begin : begin + width] == where


def test_states_that_no_word_passes_are_told() -> None:
    edges = "p -a-> p ; p -b-> q ; q -a-> q ; r -a-> p [0.5]"
    found = {p.code: p for p in automaton(edges, "p", '["p"]', length=8).problems(8)}
    assert found["P394"].severity == "warning"
    assert found["P395"].severity == "warning"


def test_hidden_walks_are_told() -> None:
    found = [p.code for p in automaton(HIDDEN, "p", '"*"', "weighted", 64).problems(64)]
    assert found == ["P396"]


def test_reasons_say_what_could_follow() -> None:
    grammar = automaton("p -a-> q ; q -b c-> p", "p", '["p"]')
    assert grammar.reason(["a", "a"]) == "'a' at 2 cannot follow here: 'b' or 'c' can"
    assert grammar.reason(["a", "b", "a"]) == "it ends too early: 'b' or 'c' can"
    assert grammar.reason(["x"]) == "'x' at 1 is no symbol of the language"
    assert np.array_equal(sorted(grammar.legal_next(["a"], 2)), ["b", "c"])
