"""The rule language: what it says of rules that cannot be, and what is known of ambiguity."""

from __future__ import annotations

from typing import Any

import pytest

from procdsl.grammars.rules.ambiguity import Verdict
from tests.grammars.examples import read

FEATURED = 'tokens = { a = { features = ["n"], count = 2 } }'


def cfg(rules: str, rest: str = "") -> Any:
    return read(f"kind = 'cfg'\nrules = '''{rules}'''\nlength = 9\n{rest}")


@pytest.mark.parametrize(
    ("rules", "rest", "code", "message"),
    [
        ('S -> "a" [0-1] | "b"', "", "P373", "a weight is at least 0, not -1"),
        ('S -> ("a" [0-1] | "b")', "", "P373", "a weight is at least 0, not -1"),
        ('S -> "a" [1e99 * 1e9] | "b"', "", "P373", "a weight is at most 1e+100, not 1e+108"),
        ('S -> "a" [1/0] | "b"', "", "P373", "a weight divides by 0"),
        ("S -> " + "(" * 99 + '"a"' + ")" * 99, "", "P370", "more than 32 brackets deep"),
        ("S[n] -> a[n]", "tokens = { a = 2 }", "P372", "the first rule is the start and takes no index: S"),
        ("S -> a[i] b[i]", "tokens = { a = 2, b = 3 }", "P372", "index 'i' has no range: b has 3, a has 2"),
        ("S -> a[n]", FEATURED, "P372", "the feature n of a has no values"),
        ("S -> a", "tokens = { a = 300_000 }", "P375", "the rules come to more than 200,000 productions"),
        ('S -> "a b"', "", "P387", 'the token "a b" holds a blank'),
    ],
)  # fmt: skip
def test_what_rules_cannot_say(rules: str, rest: str, code: str, message: str) -> None:
    found = next(cfg(rules, rest).problems(32))
    assert (found.code, found.message) == (code, message)


def test_repeats_and_groups_are_rules_of_their_own() -> None:
    made = cfg('S -> "a"{2,3} ("b" | "c")? "d"+')
    assert made.accepts("aad")
    assert made.accepts("aaacddd")
    assert not made.accepts("ad")
    assert not made.accepts("aabcd")


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        ('S -> "(" S ")" S | ε', Verdict(certain=True)),
        ('S -> S S | "a" | "b"', Verdict(witness=(0, 0, 0), derivations=2, searched=3)),
        ('S -> S S | "a" | ε', Verdict(witness=(), searched=0)),
        ('S -> "a" S "a" | "b" S "b" | ε', Verdict(searched=12)),
        ('S -> A | B  A -> "a" A "b" | ε  B -> "b" B "a" | ε', Verdict(searched=12)),
    ],
)
def test_ambiguity_is_proved_or_shown_or_left_open(rules: str, verdict: Verdict) -> None:
    assert cfg(rules).verdict() == verdict


def test_endless_derivations_are_not_counted() -> None:
    made = cfg('S -> A | "a" S  A -> S | "b"')
    assert made.count(5) is None
    assert made.possible(3) == 0b1110
    assert not [problem for problem in made.problems(9) if problem.severity == "error"]


def test_a_proof_does_not_hang_on_how_many_brackets_there_are() -> None:
    assert cfg("S -> a[i] S b[i] S | ε", "tokens = { a = 2000, b = 2000 }").verdict().certain


def test_what_would_take_long_to_prove_is_left_open() -> None:
    chain = "\n".join(f'N{i} -> N{i + 1} N{i + 1} | "{i}"' for i in range(300))
    found = cfg(f'{chain}\nN300 -> "x"').verdict()
    assert (found.certain, found.witness) == (False, None)
