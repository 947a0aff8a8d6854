"""Expressions over tokens against another library's, and their faults at their characters."""

from __future__ import annotations

import re
from itertools import product
from math import comb
from random import Random
from typing import Any

import pytest
from pyformlang.regular_expression import Regex as Oracle

from tests.grammars.examples import read


def regex(pattern: str, length: int = 12, extra: str = "") -> Any:
    return read(f"kind = \"regex\"\npattern = '''{pattern}'''\nlength = {length}\n{extra}")


def drawn(random: Random, depth: int) -> tuple[str, str]:
    """An expression in our spelling, and in pyformlang's."""
    if depth == 0:
        token = random.choice(["a", "b", "long"])
        return token, token
    ours, theirs = drawn(random, depth - 1)
    other, their_other = drawn(random, depth - 1)
    match random.randrange(6):
        case 0:
            return f"({ours} | {other})", f"({theirs}|{their_other})"
        case 1:
            return f"({ours})*", f"({theirs})*"
        case 2:
            return f"({ours})?", f"({theirs}|epsilon)"
        case 3:
            return f"({ours})+", f"(({theirs}) ({theirs})*)"
        case 4:
            twice = f"({theirs}) ({theirs})"
            return f"({ours}){{2,3}}", f"({twice} (({theirs})|epsilon))"
        case _:
            return f"({ours} {other})", f"(({theirs}) ({their_other}))"


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_another_library(seed: int) -> None:
    ours, theirs = drawn(Random(seed), 4)
    grammar, oracle = regex(ours, extra='tokens = ["a", "b", "long"]'), Oracle(theirs)
    for length in range(1, 6):
        words = [word for word in product(("a", "b", "long"), repeat=length) if oracle.accepts(list(word))]
        assert [w for w in product(("a", "b", "long"), repeat=length) if grammar.accepts(w)] == words, ours
        assert grammar.count(length) == len(words)


def test_classes_pools_and_any() -> None:
    grammar = regex(
        "[^noun x] . [noun x]{2} 'noun[1]'", extra='tokens = { noun = 2, mark = ["x", "y", "z"] }'
    )
    assert grammar.alphabet() == ("noun[0]", "noun[1]", "x", "y", "z")
    assert grammar.count(5) == 2 * 5 * 9
    assert grammar.accepts(["y", "y", "x", "noun[0]", "noun[1]"])


@pytest.mark.parametrize(
    ("pattern", "at", "message"),
    [
        ("a (b c", "(", "no ')' that closes"),
        ("a ) b", ")", "no '(' that this closes"),
        ("* a", "*", "nothing before '*'"),
        ("a b{4,2}", "{4,2}", "no number of times"),
        ("a 'b", "'", "no meaning"),
        ("[^a b", "[", "no ']' that closes"),
        ("(. b)* (a (. | b)* b .{15})", "(a (. | b)* b .{15})", "more than 10,000 states"),
        ("a (b{900}){900} c", "(b{900}){900}", "written out"),
    ],
)
def test_faults_are_placed(pattern: str, at: str, message: str) -> None:
    (problem,) = regex(pattern).problems(12)
    assert message in problem.message
    begin, width = problem.span
    assert pattern[begin : begin + width] == at


def test_an_unknown_token_is_told_with_the_nearest() -> None:
    (problem,) = regex("noum verb", extra='tokens = ["noun", "verb"]').problems(12)
    assert (problem.code, problem.span, problem.help) == ("P390", (0, 4), "did you mean noun?")


def test_long_words_cost_no_more_than_their_length() -> None:
    grammar = regex("(a b | b a a)* [a b]{3,9} a", 2048)
    assert not [problem for problem in grammar.problems(2048) if problem.severity == "error"]
    assert grammar.count(2048).bit_length() > 500


# Tomita 1982, as he describes them.
TOMITA = {
    1: lambda word: "0" not in word,
    2: lambda word: word == "10" * (len(word) // 2),
    3: lambda word: (
        not any(len(ones) % 2 and len(zeros) % 2 for ones, zeros in re.findall(r"(1+)(0+)(?=1|$)", word))
    ),
    4: lambda word: "000" not in word,
    5: lambda word: word.count("0") % 2 == word.count("1") % 2 == 0,
    6: lambda word: (word.count("0") - word.count("1")) % 3 == 0,
    7: lambda word: re.fullmatch("0*1*0*1*", word) is not None,
}


@pytest.mark.parametrize("n", TOMITA)
def test_tomita_languages_are_as_he_describes_them(n: int) -> None:
    grammar = read(f'kind = "tomita"\nn = {n}\nlength = 8')
    for length in range(1, 11):
        for word in map("".join, product("01", repeat=length)):
            assert grammar.accepts(word) == TOMITA[n](word), word


def test_parity_counts_are_sums_of_binomials() -> None:
    grammar = read('kind = "parity"\nmodulus = 5\nremainder = 3\nlength = 8')
    assert grammar.count(64) == sum(comb(64, ones) for ones in range(3, 65, 5))
