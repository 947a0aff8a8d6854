"""Multiple context-free rules: what they derive, and yields that do not fit."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from procdsl.grammars.base import END
from tests.grammars.examples import drawn, operation, read, unsplit


def mcfg(rules: str, rest: str = "length = 12") -> Any:
    return read(f"kind = 'mcfg'\nrules = '''\n{rules}\n'''\n{rest}")


THREE = mcfg('S -> T { $1.1 $1.2 $1.3 }\nT -> T { "a" $1.1 , "b" $1.2 , "c" $1.3 } | { "a" , "b" , "c" }')
CROSSING = mcfg(
    """S -> P { $1.1 $1.2 } | P S { $1.1 $2.1 $1.2 } | S S
    P -> P { n[i] $1.1 , v[i] $1.2 } [0.3] | P { $1.1 , $1.2 } [0.2] | { n[i] , v[i] } [0.5]""",
    "tokens = { n = 1, v = 1 }\nlength = { uniform = [2, 8] }",
)


def test_three_counts_are_equal() -> None:
    assert [THREE.count(n) for n in range(1, 10)] == [0, 0, 1, 0, 0, 1, 0, 0, 1]
    assert THREE.accepts("aaabbbccc")
    assert THREE.reason("aabbbccc") == "no word has length 8"
    assert THREE.reason("aabbbcccc") == "'b' at 3 cannot follow 'a' in a word of 9 symbols"
    assert THREE.legal_next("aab") == {"b"}
    assert THREE.legal_next("aabbc", 6) == {"c"}
    assert THREE.legal_next("aabbcc") == {END}
    assert not THREE.legal_next("aac")


@pytest.mark.parametrize("length", [2, 4, 6])
def test_what_is_drawn_is_what_is_accepted_where_derivations_are_many(length: int) -> None:
    made = unsplit(CROSSING, length=length)
    language = {word for word in product(made.alphabet(), repeat=length) if made.accepts(word)}
    ids, _ = drawn(operation(made, length), "train", 0, 2_000)
    assert {tuple(made.alphabet()[id] for id in row[1:]) for row in ids} == language
    for prefix in {word[:cut] for word in language for cut in range(length)}:
        follows = {word[len(prefix)] for word in language if word[: len(prefix)] == prefix}
        assert made.legal_next(prefix, length) == follows
        assert made.legal_next(prefix) >= follows


def test_a_context_free_grammar_is_one_of_one_component() -> None:
    rules = 'S -> "(" S ")" S | ε'
    plain, other = read(f"kind = 'cfg'\nrules = '{rules}'\nlength = 8"), mcfg(rules, "length = 8")
    assert plain.program() == other.program()
    for word in product("()", repeat=6):
        assert plain.accepts(word) == other.accepts(word)


@pytest.mark.parametrize(
    ("rules", "message", "at"),
    [
        ('S -> W { $1.1 $1.1 $1.2 }\nW -> { "a" , "b" }', "used twice", (2, 15)),
        ('S -> W { $1.1 }\nW -> { "a" , "b" }', r"drops \$1.2", (2, 6)),
        ('S -> W { $1.1 $1.2 }\nW -> { "a" , "b" } | { "a" }', "yields 1 here and 2", (3, 22)),
        ('S -> W { $1.1 $1.2 $2.1 }\nW -> { "a" , "b" }', r"\$2.1 is nothing", (2, 20)),
        ('S -> W { $1.1 , $1.2 }\nW -> { "a" , "b" }', "the start yields one string", (2, 1)),
        ('S -> W\nW -> { "a" , "b" }', "needs a yield", (2, 6)),
    ],
)
def test_yields_that_do_not_fit(rules: str, message: str, at: tuple[int, int]) -> None:
    made = mcfg(rules)
    (found,) = made.problems(32)
    assert found.code == "P374"
    assert found.span
    before = made.rules[: found.span[0]]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert (line + 1, column) == at
    with pytest.raises(ValueError, match=message):
        made.program()


def test_yields_belong_to_multiple_context_free_rules() -> None:
    (found,) = read("kind = 'cfg'\nrules = 'S -> { \"a\" }'\nlength = 1").problems(32)
    assert (found.code, found.help) == ("P374", 'kind = "mcfg" has')
