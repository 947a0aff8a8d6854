"""L-systems against what is known of them: Fibonacci's words, Koch's curve, laws by enumeration."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from procdsl import analysis
from procdsl.grammars._rewriting import expected, told_apart
from procdsl.grammars.lsystem import Lsystem
from tests.grammars.examples import drawn, operation, unsplit

NOTHING = {"validation": 0.0, "test": 0.0}


def lsystem(rules: str, axiom: Any = "A", generations: int = 2, **fields: Any) -> Any:
    return Lsystem.model_validate(
        {"rules": rules, "axiom": axiom, "generations": generations, "held_out": NOTHING} | fields
    )


def generations(grammar: Any, count: int = 1) -> list[list[str]]:
    """Of each row, its generations, spelt."""
    ids, _ = drawn(operation(grammar), "train", 0, count)
    tokens = grammar.tokens()
    rows = [
        "".join(tokens[id] if tokens[id] != "<row>" else "/" for id in row if id < len(tokens) - 1)
        for row in ids
    ]
    return [row.split("/")[:-1] for row in rows]


def test_algae_are_fibonacci_words() -> None:
    """Lindenmayer 1968: each is the last and the one before it, and their lengths are Fibonacci's numbers."""
    (found,) = generations(lsystem("A -> A B ; B -> A", generations=9))
    assert found[:5] == ["A", "AB", "ABA", "ABAAB", "ABAABABA"]
    assert all(found[n] == found[n - 1] + found[n - 2] for n in range(2, 10))
    assert [len(word) for word in found] == [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]


def test_kochs_curve_has_constants() -> None:
    """Prusinkiewicz & Lindenmayer 1990, figure 1.6: four segments for each; + and - have no rules."""
    (found,) = generations(lsystem("F -> F - F + + F - F", "F", 3))
    assert [word.count("F") for word in found] == [1, 4, 16, 64]
    assert found[2] == "-".join([found[1], found[1] + "++" + found[1], found[1]])


def test_brackets_of_plants_are_quoted_and_images_may_be_empty() -> None:
    grammar = lsystem('X -> F "[" + X "]" F ; F -> ε', "X", 2)
    assert generations(grammar) == [["X", "F[+X]F", "[+F[+X]F]"]]
    assert grammar.alphabet() == ("X", "F", "[", "+", "]")


def _law(program: Any, symbols: tuple[int, ...]) -> dict[tuple[int, ...], float]:
    """The probability of every next generation."""
    images = dict(zip(program.heads, program.images, strict=True))
    found = Counter[tuple[int, ...]]()
    for chosen in product(*(range(len(images.get(s, [0]))) for s in symbols)):
        chance, word = 1.0, tuple[int, ...]()
        for symbol, which in zip(symbols, chosen, strict=True):
            shares = {0: [0.3, 0.7], 1: [1.0]}.get(symbol, [1.0])
            chance *= shares[which]
            word += images.get(symbol, ((symbol,),))[which]
        found[word] += chance
    return dict(found)


STOCHASTIC = "A -> B A [0.3] | A A [0.7] ; B -> A"


def test_rows_follow_the_law() -> None:
    grammar = lsystem(STOCHASTIC, "A A", 2)
    program, law, count = grammar.program(), dict[Any, float](), 30_000
    for first, chance in _law(program, (0, 0)).items():
        for second, further in _law(program, first).items():
            law[first, second] = law.get((first, second), 0.0) + chance * further
    ids, _ = drawn(operation(grammar), "train", 0, count)
    seen = Counter[Any]()
    for row in ids.tolist():
        parts = " ".join(str(id) for id in row if id < 3).split("2")
        seen[tuple(tuple(map(int, part.split())) for part in parts[1:3])] += 1
    assert set(seen) <= set(law)
    distance = sum((seen[pair] - count * p) ** 2 / (count * p) for pair, p in law.items())
    assert chi2.sf(distance, len(law) - 1) > 1e-4


def test_the_floor_is_the_entropy_of_rows_over_their_length() -> None:
    grammar = lsystem(STOCHASTIC, "A A", 2)
    program, nats, tokens = grammar.program(), 0.0, 0.0
    for first, chance in _law(program, (0, 0)).items():
        for second, further in _law(program, first).items():
            nats -= chance * further * math.log(chance * further)
            tokens += chance * further * (len(first) + len(second) + 2)
    found = analysis.floor(program, length=0, context=64)
    assert found is not None
    assert found.exact
    assert found.low == pytest.approx(nats / tokens, rel=1e-6)


def test_what_a_row_does_not_tell_apart_makes_an_interval() -> None:
    found = analysis.floor(lsystem("A -> A | A A", "A A").program(), length=0, context=64)
    assert found is not None
    assert found.low == 0 < found.high
    known = analysis.floor(lsystem("A -> A B ; B -> A").program(), length=0, context=64)
    assert known is not None
    assert known.low == known.high == 0


@pytest.mark.parametrize(
    "rules",
    [
        "A -> B A | B A A ; B -> B", "A -> A | A A", "A -> A B | A ; B -> B B", "A -> A B | A ; B -> B B | B",
        "A -> ε | A", "A -> C | C D ; B -> D C | C", "A -> C C | C C C", "A -> A ; B -> A | B",
    ],
)  # fmt: skip
def test_images_are_told_apart_where_enumeration_says_so(rules: str) -> None:
    program, alike = lsystem(rules).program(), 0
    images = dict(zip(program.heads, program.images, strict=True))
    for length in range(1, 6):
        for word in product(range(program.symbols), repeat=length):
            chosen = product(*(images.get(symbol, ((symbol,),)) for symbol in word))
            times = Counter(tuple(s for image in images for s in image) for images in chosen)
            alike = max(alike, *times.values())
    assert told_apart(program) == (alike == 1)


def test_a_drawn_axiom_is_scored_where_asked() -> None:
    fields = {"axiom": {"length": 4}, "generations": 1}
    found = analysis.floor(
        lsystem("A -> A B ; B -> A A", **fields, loss="all").program(), length=0, context=64
    )
    assert found is not None
    # Three symbols are asked for of four, eight follow from them, and there are two separators.
    assert found.low == pytest.approx(3 * math.log(2) / (3 + 8 + 2))


def test_mean_lengths_are_those_of_drawn_rows() -> None:
    grammar = lsystem(STOCHASTIC, {"length": {"uniform": (2, 5)}}, 3)
    mean = sum(sum(generation) + 1 for generation in expected(grammar.program()))
    ids, _ = drawn(operation(grammar), "train", 0, 4_000)
    assert (ids < 3).sum(1).mean() == pytest.approx(mean, rel=0.02)


def test_what_may_follow_comes_from_the_generation_before() -> None:
    grammar = lsystem("A -> A | A A | B ; B -> ε", "A A", 2)
    begun = ["A", "A", "<row>", "A", "A"]
    assert grammar.legal_next([]) == {"A"}
    assert grammar.legal_next(["A", "A", "<row>"]) == {"A", "B"}
    assert grammar.legal_next(begun) == {"A", "B", "<row>"}
    assert grammar.legal_next([*begun, "A", "A"]) == {"<row>"}
    assert grammar.legal_next(["A", "A", "<row>", "B", "B", "<row>"]) == {"<row>"}
    assert grammar.legal_next(["A", "A", "<row>", "B", "B", "<row>", "<row>"]) == {"<end>"}
    assert grammar.reason(["A", "A", "<row>", "B", "B", "B"]) == "'B' at 6 should be <row>"
    assert grammar.reason(begun) == "it ends too early, after 5 tokens"


def test_legal_next_is_what_some_row_goes_on_with() -> None:
    grammar = lsystem(STOCHASTIC, "B A", 2)
    tokens = grammar.tokens()
    ids, _ = drawn(operation(grammar), "train", 0, 4_000)
    rows = {tuple(tokens[id] for id in row if tokens[id] != "<pad>") for row in ids}
    follows = dict[tuple[str, ...], set[str]]()
    for row in rows:
        for cut in range(len(row) + 1):
            follows.setdefault(row[:cut], set()).add(row[cut] if cut < len(row) else "<end>")
    assert all(grammar.legal_next(prefix) == legal for prefix, legal in follows.items())


def test_held_out_axioms_are_never_trained_on() -> None:
    grammar = lsystem("A -> A B ; B -> A", {"length": 12}, 1, held_out={"test": 0.2, "validation": 0.0})
    made, parts = operation(grammar), dict[str, set[Any]]()
    for split in ("train", "test"):
        ids, _ = drawn(made, split, 0, 2_000)
        parts[split] = {tuple(row[:12]) for row in ids.tolist()}
    assert not parts["train"] & parts["test"]
    assert len(parts["train"]) + len(parts["test"]) > 2_000


@pytest.mark.parametrize(
    ("fields", "at", "message"),
    [
        ({"rules": "A = B"}, "A", "no rule"),
        ({"rules": "A -> B ; A -> A"}, "A", "has rules already"),
        ({"rules": "A -> B | ; B -> A"}, "A", "alternative is empty"),
        ({"rules": "A -> B [x]"}, "x", "no number above 0"),
        ({"rules": "A -> F [ + A ] F"}, "[", "no meaning"),
        ({"rules": " "}, " ", "no rules"),
        ({"rules": "A -> B", "axiom": "A ; B"}, ";", "no symbol"),
        ({"rules": "A -> B", "axiom": " "}, " ", "empty"),
    ],
)  # fmt: skip
def test_faults_in_texts_are_placed(fields: Any, at: str, message: str) -> None:
    (found,) = lsystem(**{"rules": "", **fields}).problems(64)
    assert (found.code, message in found.message) == ("P390", True), found
    (field,) = found.path
    first, width = found.span
    assert fields[field][first : first + width] == at


@pytest.mark.parametrize(
    ("grammar", "code"),
    [
        (lsystem("A -> A A", generations=60), "P352"),
        (lsystem("A -> ε", generations=2), "P389"),
        (lsystem("A -> A B ; B -> A", held_out={}), "P353"),
    ],
)
def test_what_cannot_be_trained_on_says_so(grammar: Any, code: str) -> None:
    assert [problem.code for problem in grammar.problems(512)] == [code]


def test_rows_are_whole_and_scored_behind_the_axiom() -> None:
    grammar = unsplit(lsystem(STOCHASTIC, {"length": {"uniform": (1, 3)}}, 2))
    ids, scored = drawn(operation(grammar), "train", 0, 64)
    separators = np.cumsum(ids == 2, 1)
    assert (separators[:, -1] == 3).all()
    begun = np.concatenate([np.zeros((64, 1), int), separators[:, :-1]], 1)
    assert (scored == ((begun > 0) & (ids < 3))).all()
