"""Context-free languages shuffled: against sets of words, counts of Dyck shuffles, and another sampler's."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product
from typing import Any

import pytest
from scipy.stats import chi2

from procdsl import analysis, generate
from procdsl.analysis.classes import exactness, language_class
from procdsl.errors import RunError, Severity
from procdsl.grammars.base import END
from procdsl.recognisers import recogniser
from runner.generators.interleaved import prepare
from tests.grammars.examples import drawn, operation, read, unsplit, words_of

PARTS = """
[grammars.round]
kind = "cfg"
rules = 'S -> "(" S ")" S [0.3] | ε [0.7]'
length = 2
[grammars.square]
kind = "cfg"
rules = 'S -> "[" S "]" S [0.4] | ε [0.6]'
length = 2
[grammars.sums]
kind = "cfg"
rules = 'E -> E "+" T [0.4] | T [0.6]  T -> "n" [0.7] | "{" E "}" [0.3]'
length = 9
"""
TWO, THREE = "shuffle(round, square)", "shuffle(round, square, sums & avoid('n + n'))"
FIXED = "shuffle(round, 'x y', square)"
# OEIS A005568: the product of two consecutive Catalan numbers.
DYCK_SHUFFLES = (2, 10, 70, 588, 5544, 56628, 613470)


def expr(text: str, length: Any = 8, measure: str = "uniform") -> Any:
    return read(f"kind = 'expr'\nexpr = '''{text}'''\nlength = {length}\nmeasure = '{measure}'\n{PARTS}")


def nested(pair: str, longest: int) -> list[str]:
    """All well-nested words of one pair of brackets."""
    found = [""]
    for n in range(1, longest + 1):
        for word in map("".join, product(pair, repeat=n)):
            heights = [word[:cut].count(pair[0]) - word[:cut].count(pair[1]) for cut in range(n + 1)]
            found += [word] * (min(heights) >= 0 == heights[-1])
    return found


def turns(one: str, other: str) -> list[str]:
    """All ways to put the symbols of two words between each other."""
    if not one or not other:
        return [one + other]
    first = [one[0] + rest for rest in turns(one[1:], other)]
    return first + [other[0] + rest for rest in turns(one, other[1:])]


def shuffled(length: int, third: str = "") -> set[str]:
    """All words of round and square brackets, and perhaps of one word more, between each other."""
    size = length - len(third)
    pieces = product(nested("()", size), nested("[]", size))
    pairs = {word for one, other in pieces if len(one + other) == size for word in turns(one, other)}
    return {word for pair in pairs for word in turns(pair, third)}


def test_counts_are_those_of_dyck_shuffles() -> None:
    grammar = expr(TWO)
    assert tuple(grammar.count(2 * n) for n in range(1, 8)) == DYCK_SHUFFLES
    assert grammar.count(7) == 0
    assert grammar.possible(9) == 0b101010100


def test_words_are_all_ways_to_take_turns() -> None:
    grammar, length = expr(TWO), 6
    wanted = shuffled(length)
    found = {word for word in map("".join, product("()[]", repeat=length)) if grammar.accepts(tuple(word))}
    assert found == wanted == {"".join(word) for word in grammar.words(length)}
    assert len(wanted) == grammar.count(length)


@pytest.mark.parametrize(("text", "third"), [(TWO, ""), (FIXED, "xy")])
def test_legal_next_symbols_are_those_of_all_words(text: str, third: str) -> None:
    grammar, length = expr(text), 6
    language = [tuple(word) for word in shuffled(length, third)]
    assert len(language) == grammar.count(length)
    for cut in range(length + 1):
        follows: dict[tuple[str, ...], set[str]] = {}
        for word in language:
            follows.setdefault(word[:cut], set()).add(word[cut] if cut < length else END)
        for prefix in product(grammar.alphabet(), repeat=min(cut, 3)):
            if len(prefix) == cut:
                assert grammar.legal_next(prefix, length) == follows.get(prefix, set()), prefix
        for prefix, legal in list(follows.items())[:200]:
            assert grammar.legal_next(prefix, length) == legal, prefix
            assert grammar.legal_next(prefix) >= legal, prefix


@pytest.mark.parametrize("text", [TWO, THREE, FIXED])
def test_what_is_drawn_is_read(text: str) -> None:
    grammar = expr(text, "{ uniform = [3, 12] }")
    for row in drawn(operation(grammar), "train", 0, 16)[0]:
        for word in words_of(grammar, row):
            reader = recogniser(grammar.program())
            for place, symbol in enumerate(word):
                legal = {grammar.alphabet()[id] for id in reader.legal()}
                assert legal | ({END} if reader.ends() else set()) == grammar.legal_next(word[:place])
                assert reader.read(grammar.alphabet().index(symbol))
            assert reader.ends()
            assert grammar.reason(word) is None


def test_shuffles_of_shuffles_are_shuffles_of_all_parts() -> None:
    of_both = expr("shuffle(both, 'x y')", 6).bound({"both": expr(TWO)})
    assert of_both.program() == expr("shuffle(round, square, 'x y')", 6).program()
    assert expr("both", 6).bound({"both": expr(TWO)}).program() == expr(TWO, 6).program()


def test_what_is_no_word_is_told() -> None:
    grammar = expr(TWO)
    assert grammar.reason(tuple("([)]")) is None
    assert grammar.reason(tuple("([)")) == "it ends too early: '(' or '[' or ']' can follow"
    assert grammar.reason(tuple("(])")) == "']' at 2 cannot follow here: '(' or ')' or '[' can"
    assert grammar.reason(("x",)) == "'x' at 1 is no symbol of the language"
    assert grammar.reason(()) == "the empty word is left out"


@pytest.mark.parametrize(
    ("measure", "round", "square"), [("uniform", 1, 1), ("weighted", 0.3 * 0.7, 0.4 * 0.6)]
)
def test_words_are_as_likely_as_their_parts_together(measure: str, round: float, square: float) -> None:
    """A pair of brackets has the weight of its rule and of the ε that its word has more."""
    grammar, count = unsplit(expr(TWO, 6, measure)), 60_000
    law = {"".join(w): round ** w.count("(") * square ** w.count("[") for w in grammar.words(6)}
    rows, whole = drawn(operation(grammar, 6), "train", 0, count)[0], sum(law.values())
    seen = Counter("".join(words_of(grammar, row)[0]) for row in rows)
    assert set(seen) <= set(law)
    expected = {word: count * share / whole for word, share in law.items()}
    distance = sum((seen[word] - wanted) ** 2 / wanted for word, wanted in expected.items())
    assert chi2.sf(distance, len(law) - 1) > 1e-4
    nats = -sum(share / whole * math.log(share / whole) for share in law.values())
    found = analysis.entropy(grammar.program(), 6)
    assert found is not None
    assert found.exact
    assert found.low == pytest.approx(nats, rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("text", "measure"), [(TWO, "uniform"), (THREE, "weighted"), (FIXED, "uniform")])
def test_the_reference_and_the_kernel_agree_bit_for_bit(text: str, measure: str) -> None:
    for length, context in (("{ uniform = [3, 40] }", 82), (119 + (text != THREE), 120)):
        made = operation(expr(text, length, measure), context)
        for split, start in (("train", 0), ("test", 2**33)):
            ids, scored = drawn(made, split, start, 3, seed=7)
            by_reference = generate.rows(made, seed=7, split=split, start=start, count=3)  # type: ignore[arg-type]
            assert (ids.tolist(), scored.tolist()) == by_reference
        assert type(made).model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize("length", [40, 512])
def test_the_floor_is_that_of_shuffled_brackets(length: int) -> None:
    """Two ways to one number: sums over the parts' lengths here, squared binomials there."""
    program = expr(TWO, length).program()
    brackets = read(f'kind = "shuffle_dyck"\nk = 2\nlength = {length}').program()
    found, wanted = analysis.entropy(program, length), analysis.entropy(brackets, length)
    assert found is not None
    assert wanted is not None
    assert found.exact
    assert found.low == pytest.approx(wanted.low, rel=1e-11)
    assert exactness(program) == "exact"
    said = language_class(program)
    assert said is not None
    assert said.name == "context-sensitive"


def test_a_part_of_one_short_word_stays_within_the_tables() -> None:
    """Doubles end long before 2,046 symbols of the others weigh as much as it does."""
    grammar = unsplit(expr(FIXED, 2_048, "weighted"))
    for row in drawn(operation(grammar, 2_048), "train", 0, 4)[0]:
        word = words_of(grammar, row)[0]
        assert [symbol for symbol in word if symbol in "xy"] == ["x", "y"]
        assert grammar.accepts(word)


def test_ambiguous_parts_make_an_interval() -> None:
    twice = "shuffle(sums & avoid('+'), concat(round, round))"
    assert [p.code for p in expr(twice, 7).problems(64) if p.severity is Severity.ERROR] == ["P381"]
    program = expr(twice, 7, "weighted").program()
    assert "derivations" in exactness(program)
    found = analysis.entropy(program, 7)
    assert found is not None
    assert 0 < found.low < found.high


def test_a_held_out_length_has_a_program_of_its_own() -> None:
    grammar = expr(TWO, "{ uniform = [4, 12] }\nheld_out = { length = { over = 8 } }")
    assert grammar.program().lengths.values == (4, 6, 8)
    assert grammar.tested().program().lengths.values == (10, 12)
    assert grammar.holds_out() == {"length", "rank"}


def test_too_many_lengths_to_share_out_are_refused() -> None:
    found = expr(TWO, "{ uniform = [2, 16000] }").problems(16_001)
    assert [problem.code for problem in found if problem.severity is Severity.ERROR] == ["P383"]


def test_words_that_tables_cannot_hold_are_refused() -> None:
    program = expr(TWO, 4, "weighted").program()
    faint, other = program.parts
    shapes = tuple(shape.model_copy(update={"weights": (5e-324,)}) for shape in faint.shapes)
    parts = (faint.model_copy(update={"shapes": shapes}), other)
    with pytest.raises(RunError, match="too unlikely"):
        prepare(program.model_copy(update={"parts": parts}))


def test_every_order_is_alike() -> None:
    grammar, count = unsplit(expr("shuffle(round & '( )', square & '[ ]')", 4)), 12_000
    rows = drawn(operation(grammar, 4), "train", 0, count)[0]
    seen = Counter("".join(words_of(grammar, row)[0]) for row in rows)
    assert set(seen) == set(turns("()", "[]"))
    assert chi2.sf(sum((n - count / 6) ** 2 * 6 / count for n in seen.values()), 5) > 1e-4
