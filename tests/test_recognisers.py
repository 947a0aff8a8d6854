"""Recognisers against brute force: every string there is, judged by a definition of a line."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from procdsl.generate import rows
from procdsl.programs.base import Lengths
from procdsl.programs.iid import IidProgram
from procdsl.recognisers import nests, reads, recogniser
from tests.grammars.examples import EXAMPLES, operation, read

# Prefixes up to this length are asked, words up to that one are listed: each prefix has time to end.
ASKED, LISTED = 3, 8


def dyck(word: tuple[str, ...], depth: int = 99) -> bool:
    """Struck out pair by pair, innermost first."""
    text, open = "".join(word), 0
    for symbol in word:
        open += 1 if symbol in "([" else -1
        if not 0 <= open <= depth:
            return False
    while text != (text := text.replace("()", "").replace("[]", "")):
        pass
    return not text


def shuffled(word: tuple[str, ...]) -> bool:
    return all(dyck(tuple(s for s in word if s in pair)) for pair in ("()", "[]"))


CASES: dict[str, tuple[str, str, Callable[[tuple[str, ...]], bool]]] = {
    "dyck": ("kind = 'dyck'\nk = 2\nlength = 8", "([)]", dyck),
    "dyck of depth 2": ("kind = 'dyck'\nk = 2\ndepth = 2\nlength = 8", "([)]", lambda w: dyck(w, 2)),
    "shuffle": ("kind = 'shuffle_dyck'\nk = 2\nlength = 8", "([)]", shuffled),
    "cut": (
        "kind = 'shuffle_dyck'\nk = 1\nlength = 8\nmeasure = 'process'\nbalanced = false",
        "()",
        lambda w: all(w[:i].count("(") >= w[:i].count(")") for i in range(len(w) + 1)),
    ),
    "rules": (
        "kind = 'cfg'\nrules = 'S -> o[i] S c[i] S | ε'\ntokens = { o = 2, c = 2 }\nlength = 8",
        "()[]",
        dyck,
    ),
    "ambiguous rules": (
        'kind = \'cfg\'\nrules = \'S -> S S | "x" | "x" "y"\'\nlength = 8',
        "xy",
        lambda w: re.fullmatch("(x|xy)+", "".join(w)) is not None,
    ),
    "tomita 4": (
        "kind = 'tomita'\nn = 4\nlength = 8",
        "01",
        lambda w: "000" not in "".join(w),
    ),
    "arrows": (
        "kind = 'automaton'\nstart = 'p'\naccept = ['q']\nedges = 'p -a-> q; q -b-> p; q -a-> r'\nlength = 7",
        "ab",
        lambda w: re.fullmatch("a(ba)*", "".join(w)) is not None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_may_follow_is_what_some_word_goes_on_with(name: str) -> None:
    text, alphabet, belongs = CASES[name]
    program = read(text).program()
    assert reads(program)
    words = {w for n in range(1, LISTED + 1) for w in product(alphabet, repeat=n) if belongs(w)}
    for length in range(ASKED + 1):
        for prefix in product(alphabet, repeat=length):
            going = {word[length] for word in words if word[:length] == prefix and len(word) > length}
            known = recogniser(program)
            read_all = all(known.read(alphabet.index(symbol)) for symbol in prefix)
            assert read_all == (bool(going) or prefix in words or not length)
            if read_all:
                assert {alphabet[id] for id in known.legal()} == going
                assert known.ends() == (prefix in words)


@pytest.mark.parametrize("kind", [kind for kind, made in EXAMPLES.items() if reads(made.program())])
def test_a_recogniser_knows_what_its_grammar_knows(kind: str) -> None:
    """Along a word, and after a false step from it, of which nothing is read."""
    made: Any = EXAMPLES[kind]
    program, alphabet = made.program(), made.alphabet()
    for ids in rows(operation(made), seed=0, split="train", start=0, count=5)[0]:
        word = ids[1 : ids.index(program.symbols + 1)]
        known = recogniser(program)
        for place, symbol in enumerate(word):
            legal = made.legal_next([alphabet[id] for id in word[:place]])
            assert {alphabet[id] for id in known.legal()} == legal - {"<end>"}
            assert known.ends() == ("<end>" in legal)
            wrong = next((id for id in range(len(alphabet)) if alphabet[id] not in legal), None)
            assert wrong is None or not known.read(wrong)
            assert known.read(symbol)
        assert known.ends()


def test_brackets_know_how_deep_they_are_and_where_their_partner_stands() -> None:
    known: Any = recogniser(read("kind = 'dyck'\nk = 2\nlength = 8").program())
    seen = []
    for symbol in (0, 1, 3, 0, 2, 2):
        seen.append((known.depth, known.partner(symbol)))
        assert known.read(symbol)
    assert seen == [(0, None), (1, None), (2, 1), (1, None), (2, 3), (1, 0)]
    assert (known.depth, known.partner(3)) == (0, None)


def test_what_has_no_recogniser_says_so() -> None:
    program = IidProgram(count=3, lengths=Lengths(values=(4,)))
    assert not reads(program)
    assert not nests(program)
    with pytest.raises(TypeError, match="iid"):
        recogniser(program)
