"""What the laws cannot say about copies and reversals: rows against slices, floors, prefixes."""

from __future__ import annotations

import math
from typing import Any

import pytest

from procdsl import analysis
from procdsl.grammars._lengths import UniformLength
from procdsl.grammars.base import END
from procdsl.grammars.copy import Copy
from procdsl.grammars.counter import Counter
from procdsl.grammars.reversal import Reversal
from tests.grammars.examples import drawn, operation, words_of


def rows(grammar: Any) -> list[list[str]]:
    return [list(words_of(grammar, row)[0]) for row in drawn(operation(grammar, 30), "train", 0, 200)[0]]


def test_copies_are_copies() -> None:
    assert all(word[:15] == word[15:] for word in rows(Copy(symbols=64, length=30)))
    for word in rows(Copy(symbols=64, times=3, mark=True, length=29)):
        assert word[9] == word[19] == "#"
        assert word[:9] == word[10:19] == word[20:]


def test_reversals_are_palindromes() -> None:
    assert all(word == word[::-1] for word in rows(Reversal(symbols=64, length=30)))
    marked = rows(Reversal(symbols=64, mark=True, length=29))
    assert all(word == word[::-1] and word.index("#") == 14 for word in marked)


@pytest.mark.parametrize("kind", [Copy, Reversal])
def test_half_the_symbols_are_free(kind: Any) -> None:
    program = kind(symbols=64, length=512).program()
    found = analysis.floor(program, length=512, context=512)
    assert found is not None
    assert found.low == found.high == pytest.approx(math.log(64) / 2)
    assert analysis.chance(program, length=512, context=512) == 1 / 64


def test_a_prefix_may_be_of_any_longer_word() -> None:
    plain, marked = Copy(symbols=3, length=8), Copy(symbols=3, mark=True, length=9)
    assert plain.legal_next(["s1", "s2", "s1", "s2"]) == {"s0", "s1", "s2", END}
    assert marked.legal_next(["s1", "s2"]) == {"s0", "s1", "s2", "#"}
    assert marked.legal_next(["s1", "s2", "#"]) == {"s1"}
    assert marked.legal_next(["s1", "s2"], 5) == {"#"}
    assert not marked.legal_next(["s1", "s2"], 6)
    assert plain.reason(["s1", "s2", "s2", "s2"]) == "'s2' at 3 should be 's1'"
    assert plain.reason(["s1"]) == "no word has 1 symbols"
    assert plain.reason(["s1", "x"]) == "'x' at 2 should be 's1'"
    assert plain.reason(["x", "x"]) == "'x' at 1 cannot stand in the first part"


def test_counters_count() -> None:
    grammar = Counter(letters=4, length=UniformLength(uniform=(1, 40)))
    assert grammar.lengths().values == tuple(range(4, 41, 4))
    assert grammar.accepts("aabbccdd")
    assert grammar.reason("aabbccd") == "no word has 7 symbols"
    assert grammar.reason("aabbcccd") == "'c' at 7 should be 'd'"
    assert grammar.legal_next("aab") == {"b"}
    assert grammar.legal_next("aa") == {"a", "b"}
    found = analysis.entropy(grammar.program(), 8)
    assert found is not None
    assert found.high == 0
