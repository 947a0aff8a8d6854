"""Operators over grammars against sets of words, products against brute force; faults in their place."""

from __future__ import annotations

import math
from itertools import product
from random import Random
from typing import Any

import pytest

from procdsl import analysis
from tests.grammars.examples import drawn, operation, read, unsplit, words_of

PARTS = """
[grammars.pairs]
kind = "dyck"
k = 1
length = 8
[grammars.two]
kind = "dyck"
k = 2
length = 8
[grammars.sums]
kind = "cfg"
rules = 'E -> E "+" T [0.4] | T [0.6]  T -> "n" [0.7] | "(" E ")" [0.3]'
length = 9
[grammars.even]
kind = "automaton"
start = "p"
accept = ["p"]
edges = "p -a-> q ; q -a-> p ; p -b-> p ; q -b-> q"
length = 8
[grammars.ends]
kind = "regex"
pattern = "(a | b)* a b? "
length = 8
"""
Words = set[tuple[str, ...]]


def expr(text: str, length: int = 8, **fields: str) -> Any:
    lines = "".join(f"{name} = {value}\n" for name, value in fields.items())
    return read(f"kind = 'expr'\nexpr = '''{text}'''\nlength = {length}\n{lines}{PARTS}")


def words(grammar: Any, longest: int) -> Words:
    """All words, by membership."""
    alphabet = grammar.alphabet()
    every = (word for n in range(1, longest + 1) for word in product(alphabet, repeat=n))
    return {word for word in every if grammar.accepts(word)}


def errors(grammar: Any) -> list[Any]:
    return [problem for problem in grammar.problems(64) if problem.severity == "error"]


def strings(alphabet: str, longest: int) -> Words:
    return {word for n in range(longest + 1) for word in product(alphabet, repeat=n)}


EVEN = {word for word in strings("ab", 6) if word.count("a") % 2 == 0}
ENDS = {word for word in strings("ab", 6) if word[-1:] == ("a",) or word[-2:] == ("a", "b")}

TWICE = {u + v for u in ENDS for v in ENDS}


def factor(word: tuple[str, ...], part: str) -> bool:
    return part in "".join(word)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("even & ends", EVEN & ENDS),
        ("even | ends", EVEN | ENDS),
        ("~even & ~ends", strings("ab", 6) - EVEN - ENDS),
        ("minus(even, ends)", EVEN - ENDS),
        ("reverse(ends)", {word[::-1] for word in ENDS}),
        ("even & avoid('a b a')", {word for word in EVEN if not factor(word, "aba")}),
        ("ends & factor('b b')", {word for word in ENDS if factor(word, "bb")}),
        ("concat(ends, 'b', even)", {(*u, "b", *v) for u in ENDS for v in EVEN}),
        ("repeat(ends, 2..3)", TWICE | {u + v for u in TWICE for v in ENDS if len(u + v) < 7}),
        ("regex('(a b)+ | b{2,3}')", {("a", "b") * n for n in (1, 2, 3)} | {("b",) * n for n in (2, 3)}),
    ],
)  # fmt: skip
def test_regular_operators_are_what_sets_say(text: str, wanted: Words) -> None:
    grammar = expr(text, 6)
    short = {word for word in wanted if 0 < len(word) <= 6}
    assert words(grammar, 6) == short
    assert [grammar.count(n) for n in range(1, 7)] == [sum(len(w) == n for w in short) for n in range(1, 7)]


def test_relabel_and_shuffle() -> None:
    assert expr("relabel(even, 'b' = 'c')").alphabet() == ("a", "c")
    mixed = words(expr("shuffle('a a', 'b c')", 4), 4)
    assert mixed == {
        w for w in product("abc", repeat=4) if sorted(w) == list("aabc") and w.index("b") < w.index("c")
    }


DYCK = {
    word
    for word in strings("()", 10)
    if all(word[:i].count("(") >= word[:i].count(")") for i in range(11))
    and word.count("(") == word.count(")")
}


def spelt(word: tuple[str, ...]) -> str:
    return "".join(symbol.strip("0") for symbol in word)


def deep(word: tuple[str, ...]) -> int:
    return max(word[:i].count("(") - word[:i].count(")") for i in range(len(word) + 1))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("pairs", DYCK),
        ("depth(pairs, max = 2)", {word for word in DYCK if deep(word) <= 2}),
        ("pairs & avoid('0) 0) 0)')", {word for word in DYCK if not factor(word, ")))")}),
        ("pairs & regex('(. . . .)*')", {word for word in DYCK if len(word) % 4 == 0}),
        ("minus(pairs, factor('0) (0'))", {word for word in DYCK if not factor(word, ")(")}),
        ('reverse(pairs & regex(\'"(0" "(0" .*\'))', {word[::-1] for word in DYCK if word[:2] == ("(", "(")}),
        ("pairs | '0) (0'", DYCK | {(")", "(")}),
        ("pairs | regex('\"(0\"*') | '(0 0)'", DYCK | {("(",) * n for n in range(11)}),
        ("concat(pairs, pairs)", DYCK),
    ],
)
def test_rules_meet_automata(text: str, wanted: Words) -> None:
    grammar = expr(text, 10, measure='"weighted"')
    assert {spelt(word) for word in words(grammar, 10)} == {"".join(word) for word in wanted if word}
    if "concat" not in text:
        counts = [sum(len(word) == n for word in wanted) for n in range(1, 11)]
        assert [grammar.count(n) for n in range(1, 11)] == counts


def test_weights_of_rules_stay() -> None:
    grammar = unsplit(expr("sums & avoid('( n )')", 7, measure='"weighted"'))
    rows = drawn(operation(grammar, 7), "train", 0, 20_000)[0]
    seen = [words_of(grammar, row)[0] for row in rows]
    assert not any(factor(word, "(n)") for word in seen)
    nested = sum("(" in word for word in seen) / len(seen)
    # n+n+n+n weighs 0.4**3 0.6 0.7**4; one pair of brackets around n+n, beside +n: three places.
    flat = 0.4**3 * 0.6 * 0.7**4
    once = [word for word in set(seen) if word.count("(") == 1]
    twice = [word for word in set(seen) if word.count("(") == 2]
    weight = sum(_weight(word) for word in once + twice)
    assert nested == pytest.approx(weight / (weight + flat), abs=0.01)


def _weight(word: tuple[str, ...]) -> float:
    """Each + by its rule, each n and bracket by theirs, each sum's first term by 0.6."""
    sums = 1 + word.count("(")
    return float(0.4 ** word.count("+") * 0.6**sums * 0.7 ** word.count("n") * 0.3 ** word.count("("))


def test_the_floor_of_a_product_counts_its_words() -> None:
    grammar = expr("two & avoid('(0 0)')", 40)
    found = analysis.entropy(grammar.program(), 40)
    assert found.low == found.high == pytest.approx(math.log(grammar.count(40)), rel=1e-9)


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("pairs & avoid('(0 0)')", "pairs & avoid('(0 0)')", "no word in common"),
        ("pairs & sums", "pairs & sums", "two context-free languages"),
        ("pairs & nobody", "nobody", "no grammar is called"),
        ("~pairs", "pairs", "regular languages"),
        ("pairs & avoid()", "avoid()", "avoid wants tokens"),
        ("pairs & regex('(0 (')", "(", "no ')' that closes"),
        ("pairs & avod('x')", "avod", "no operator"),
        ("pairs & (even", "(", "not closed"),
        ("even &", " ", "missing"),
        ("repeat(pairs, 2..)", "2..", "only so many"),
        ("minus(even, even)", "minus(even, even)", "nothing is left"),
        ("concat(even, regex('.* a .{14}'))", "(.* a .{14})", "more than 10,000 states"),
    ],
)
def test_faults_are_placed(text: str, at: str, message: str) -> None:
    grammar = expr(text)
    (problem,) = errors(grammar)
    assert message in problem.message
    begin, width = problem.span
    assert (text + " ")[begin : begin + width] in (at, at.strip("()"))
    assert grammar.alphabet() == ()


def test_ambiguous_unions_are_not_uniform() -> None:
    found = errors(expr("concat(pairs, pairs)", 8))
    assert [problem.code for problem in found] == ["P381"]


def test_names_are_bound_by_the_study() -> None:
    grammar = read('kind = "expr"\nexpr = "one & ~two"\nlength = 5')
    assert grammar.references() == ("one", "two")
    parts = {
        name: read(f'kind = "regex"\npattern = "{pattern}"\nlength = 5')
        for name, pattern in (("one", "(a | b)*"), ("two", "a* b*"))
    }
    assert grammar.bound(parts).count(5) == 2**5 - 6


@pytest.mark.parametrize(("k", "depth", "length"), [(2, 3, 40), (64, 16, 512)])
def test_a_bound_of_depth_is_the_strip_of_bounded_dyck(k: int, depth: int, length: int) -> None:
    """Two ways to one number: rules meet a counter here, ballot numbers of a strip there."""
    pairs = f'kind = "dyck"\nk = {k}\nlength = {length}\n'
    product = read(
        f'kind = "expr"\nexpr = "depth(p, max = {depth})"\nlength = {length}\n[grammars.p]\n{pairs}'
    )
    strip = read(f"{pairs}depth = {depth}")
    found = analysis.entropy(product.program(), length)
    assert found.low == found.high == pytest.approx(analysis.entropy(strip.program(), length).low, rel=1e-9)
    if length < 100:
        assert product.count(length) == strip.count(length)


@pytest.mark.parametrize("seed", range(8))
def test_expressions_of_expressions(seed: int) -> None:
    random = Random(seed)
    inner = random.choice(["even & ends", "even | 'b a'", "reverse(ends)"])
    outer = random.choice(["~inner", "concat(inner, inner)", "inner & avoid('a a a')"])
    grammar = expr(outer, 6)
    nested = grammar.bound({"inner": expr(inner)})
    flat = expr(outer.replace("inner", f"({inner})"), 6)
    assert nested.count(6) == flat.count(6)
    assert words(nested, 5) == words(flat, 5)
