"""Drawn automata against the enumeration of all of them: languages, the law of rows, what can be learnt."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import Any

import pytest
from scipy.stats import chi2

from procdsl import analysis
from procdsl.grammars._automata import Ways, least
from procdsl.grammars.random_automaton import RandomAutomaton
from tests.grammars.examples import drawn, operation, unsplit, words_of


def grammar(**fields: Any) -> Any:
    return RandomAutomaton.model_validate(
        {"states": 2, "symbols": 2, "degree": {"uniform": (1, 2)}, "length": 3, "shots": 2} | fields
    )


def automata(states: int, symbols: int) -> Iterator[tuple[tuple[Ways, ...], float]]:
    """All automata of one or two ways out of a state, and their probabilities; all symbols are used."""
    of_a_state = list[tuple[Ways, float]]()
    for degree in (1, 2):
        chosen = list(combinations(range(symbols), degree))
        for known, targets in product(chosen, product(range(states), repeat=degree)):
            ways = tuple(zip(known, targets, strict=True))
            of_a_state.append((ways, 0.5 / len(chosen) / states**degree))
    for found in product(of_a_state, repeat=states):
        yield tuple(ways for ways, _ in found), math.prod(chance for _, chance in found)


def chance(automaton: Sequence[Ways], word: Sequence[int]) -> float:
    state, found = 0, 1.0
    for symbol in word:
        ways = dict(automaton[state])
        if symbol not in ways:
            return 0.0
        found, state = found / len(ways), ways[symbol]
    return found


def rows_law(shots: int) -> dict[tuple[int, ...], float]:
    """The probability of every row of so many words of three symbols."""
    every = list(automata(2, 2))
    return {
        row: sum(p * math.prod(chance(a, row[i : i + 3]) for i in range(0, len(row), 3)) for a, p in every)
        for row in product(range(2), repeat=3 * shots)
    }


def test_automata_of_one_language_have_one_least_form() -> None:
    words = [word for n in range(1, 5) for word in product(range(2), repeat=n)]
    by_words, by_form = dict[Any, set[Any]](), dict[Any, set[Any]]()
    for automaton, _ in automata(2, 2):
        language = frozenset(word for word in words if chance(automaton, word))
        form = tuple(least(automaton))
        by_words.setdefault(language, set()).add(form)
        by_form.setdefault(form, set()).add(language)
    assert all(len(forms) == 1 for forms in by_words.values())
    assert all(len(languages) == 1 for languages in by_form.values())


def test_rows_follow_the_law() -> None:
    free, count = unsplit(grammar()), 60_000
    law = rows_law(2)
    assert sum(law.values()) == pytest.approx(1)
    ids, _ = drawn(operation(free), "train", 0, count)
    seen = Counter(tuple(int(id) for id in row if id < 2) for row in ids)
    distance = sum((seen[row] - count * p) ** 2 / (count * p) for row, p in law.items() if p)
    assert chi2.sf(distance, sum(p > 0 for p in law.values()) - 1) > 1e-4


def test_the_floor_of_few_automata_is_that_of_who_weighs_them_all() -> None:
    free = unsplit(grammar())
    exact = -sum(p * math.log(p) for p in rows_law(2).values() if p) / 8
    found = analysis.floor(free.program(), length=8, context=8)
    assert found is not None
    assert found.measured
    assert found.low <= exact <= found.high
    assert found.high - found.low < 0.1


def test_the_floor_of_many_lies_between_who_knows_and_who_must_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("procdsl.analysis.random_automaton.FEW", 0)
    free = unsplit(grammar())
    known = sum(
        p * chance(a, word) * -math.log(chance(a, word))
        for a, p in automata(2, 2)
        for word in product(range(2), repeat=3)
        if chance(a, word)
    )
    found = analysis.floor(free.program(), length=8, context=8)
    assert found is not None
    assert found.low < 2 * known / 8 < found.high
    exact = -sum(p * math.log(p) for p in rows_law(2).values() if p) / 8
    assert found.low < exact < found.high


def test_one_way_out_of_each_state_is_known_to_who_knows_the_automaton() -> None:
    found = analysis.floor(grammar(states=9, symbols=12, degree=1).program(), length=8, context=8)
    assert found is not None
    assert (found.low, found.measured) == (0.0, False)
    assert found.high <= math.log(12) * 6 / 8 + 1e-9


@pytest.mark.slow
def test_a_held_out_language_is_never_trained_on() -> None:
    """Of one way out of each of four states the language is one endless word: eight symbols tell it."""
    cycles = grammar(states=4, symbols=3, degree=1, length=8, shots=2, held_out={"test": 0.3})
    made, parts = operation(cycles), dict[str, set[Any]]()
    for split in ("train", "validation", "test"):
        ids, _ = drawn(made, split, 0, 3_000)
        parts[split] = {tuple(row[1:9]) for row in ids.tolist()}
    assert not parts["train"] & parts["test"]
    assert not parts["train"] & parts["validation"]
    assert len(parts["train"]) > 50


def test_a_row_obeys_one_automaton() -> None:
    made = grammar(states=5, symbols=6, degree=2, length=4, shots=3, pool=9)
    assert made.accepts(["<bos>", "s0", "s1", "s2", "s3", "<end>", "s0", "s1", "s2", "s4", "<end>"])
    two = ["s0", "s1", "s2", "s3", "<end>", "s4", "s1", "s2", "s3", "<end>"]
    assert made.legal_next(two) == {"<end>", "s0", "s4"}
    assert made.reason(["s0", "s1", "s2", "s3", "<end>", "s1", "s1", "s1", "s1", "<end>", "s2"]) == (
        "'s2' at 11: no state has over 2 ways out: s0 or s1 can follow"
    )
    assert made.reason(["s0", "s1", "<end>"]) == "'<end>' at 3: no word has 2 symbols"
    assert made.reason(["s0", "s1", "s2"]) == "it ends too early, after 3 tokens"
    assert made.reason(["s0", "s1", "s2", "s3", "<end>", "s0", "s4", "s5", "s6"]) == (
        "'s6' at 9: no automaton has over 6 symbols"
    )


def test_a_word_of_the_context_fills_the_row() -> None:
    made = unsplit(grammar(length=24))
    ids, scored = drawn(operation(made, 24), "train", 0, 8)
    assert (ids[:, 1:] < 2).all()
    assert scored[:, 1:].all()
    assert made.accepts(words_of(made, ids[0])[0])


def test_too_few_automata_say_so() -> None:
    found = [problem.code for problem in grammar().problems(8)]
    assert found == ["P353"]
    assert not [*unsplit(grammar()).problems(8)]
    assert [problem.code for problem in grammar().problems(2)] == ["P352"]


def test_sizes_have_bounds() -> None:
    for wrong in ({"states": 65}, {"symbols": 9, "pool": 8}, {"symbols": 300}):
        with pytest.raises(ValueError, match="automat"):
            grammar(**wrong)
