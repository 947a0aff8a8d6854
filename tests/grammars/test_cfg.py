"""Context-free rules: what is legal, against other parsers; what is wrong, at its place."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from nltk import CFG
from nltk.parse import ChartParser

from procdsl.compiler import compile
from procdsl.errors import Severity, SpecError
from procdsl.grammars.base import END
from tests.grammars.examples import READ, drawn, operation, read, unsplit, words_of

GOOD = Path(__file__).parents[1] / "compiler" / "good.toml"
ARITHMETIC = read(
    """kind = 'cfg'
    rules = '''
    E -> E "+" T [0.4]   | T [0.6]
    T -> T "*" F [0.3]   | F [0.7]
    F -> "(" E ")" [0.3] | digit [0.7]
    '''
    tokens = { digit = ["0", "1", "2"] }
    length = { choice = { 1 = 0.2, 7 = 0.3, 31 = 0.5 } }"""
)
JSON = read(
    """kind = 'cfg'
    rules = '''
    Value -> "{" (Pair ("," Pair)*@0.5)? "}" [0.25]
           | "[" (Value ("," Value)*@0.5)? "]" [0.20]
           | num [0.35] | str [0.20]
    Pair  -> str ":" Value
    '''
    tokens = { num = ["0", "1"], str = ['"a"', '"b"'] }
    length = { uniform = [1, 40] }"""
)
ENGLISH = """kind = 'cfg'
    index = { n = ["sg", "pl"], m = ["sg", "pl"] }
    rules = '''
    S     -> NP[n] VP[n]                                     <subj_verb>
    NP[n] -> det noun[n] [0.7] | det noun[n] RC[n] [0.3]
    RC[n] -> "that" VP[n] [0.5] | "that" NP[m] vt[m] [0.5]
    VP[n] -> vi[n] [0.5] | vt[n] NP[m] [0.5]                 <verb_obj>
    '''
    tokens = { det = 2, noun = { features = ["n"], count = 200, weights = "zipf(1.0)" }, vi = { features = ["n"], count = 50 }, vt = { features = ["n"], count = 50 } }
    switch = { subj_verb = 0, verb_obj = 0 }
    length = { uniform = [4, 64] }"""  # noqa: E501


def sampled(grammar: Any, rows: int = 40) -> list[tuple[str, ...]]:
    made = unsplit(grammar)
    return [word for row in drawn(operation(made), "train", 0, rows)[0] for word in words_of(made, row)]


def edited(word: tuple[str, ...], alphabet: tuple[str, ...], random: Random) -> tuple[str, ...]:
    """A word with one symbol replaced, left out or put in."""
    place = random.randrange(len(word))
    middle = [(), (random.choice(alphabet),), (word[place], random.choice(alphabet))][random.randrange(3)]
    return (*word[:place], *middle, *word[place + 1 :])


def is_json(word: tuple[str, ...]) -> bool:
    try:
        json.loads(" ".join(word))
    except ValueError:
        return False
    return True


def is_arithmetic(word: tuple[str, ...]) -> bool:
    text = " ".join(word)
    try:
        compile_expression(text)
    except SyntaxError:
        return False
    # Python has calls, tuples and signs, which the rules do not.
    return bool(word) and not any(
        (later == "(" and earlier in "012)") or (later in "+)" and earlier in "(+*")
        for earlier, later in zip(("(", *word), word, strict=False)
    )


def compile_expression(text: str) -> Any:
    import ast

    return ast.parse(text, mode="eval")


@pytest.mark.parametrize(("grammar", "oracle"), [(JSON, is_json), (ARITHMETIC, is_arithmetic)])
def test_what_is_accepted_is_what_a_real_parser_reads(grammar: Any, oracle: Any) -> None:
    random, words = Random(1), sampled(grammar)
    assert all(map(oracle, words))
    for word in words:
        other = edited(word, grammar.alphabet(), random)
        assert grammar.accepts(other) == (bool(other) and oracle(other)), other


def test_membership_agrees_with_a_chart_parser_on_all_short_strings() -> None:
    rules = 'S -> A B | "a" S "b" S | B\nA -> "a" A | B\nB -> "b" B | \'c\' | C\nC -> S "a" | "a"'
    own = read(f"kind = 'cfg'\nrules = '''{rules}'''\nlength = 4")
    parser = ChartParser(CFG.fromstring(rules))
    for length in range(1, 5):
        for word in product("abc", repeat=length):
            assert own.accepts(word) == (next(iter(parser.parse(word)), None) is not None), word


def test_reasons_say_what_was_expected() -> None:
    assert ARITHMETIC.reason(("1", "+", ")")) == "')' at 3 cannot follow '+' here; expected (, 0, 1, 2"
    assert ARITHMETIC.reason(("(", "1")) == "it ends too early, after 2 symbols; expected ), *, +"
    assert ARITHMETIC.reason(("x",)) == "'x' at 1 is no symbol of the grammar"
    assert ARITHMETIC.legal_next(("(", "1", ")"), 3) == {END}
    assert ARITHMETIC.legal_next(("1",), 3) == {"+", "*"}


def test_features_agree_and_switches_turn_the_order() -> None:
    english = read(ENGLISH)
    assert len(english.alphabet()) == 2 + 2 * 200 + 1 + 2 * 50 + 2 * 50
    assert english.accepts(["det[0]", "noun[sg,3]", "vi[sg,1]"])
    assert not english.accepts(["det[0]", "noun[sg,3]", "vi[pl,1]"])
    turned = read(ENGLISH.replace("subj_verb = 0", "subj_verb = 1"))
    assert turned.accepts(["vi[sg,1]", "det[0]", "noun[sg,3]"])


def test_natural_lengths_are_the_rules_own() -> None:
    made = read("kind = 'cfg'\nrules = 'S -> \"a\" S [p] | \"b\" [1-p]'\np = 0.5\nlength = 'natural'")
    law = made.lengths()
    assert law.values == tuple(range(1, 65))[: len(law.values)]
    assert law.weights[:3] == (2**30, 2**29, 2**28)
    assert READ.validate_json(READ.dump_json(made)) == made


def problems(toml: str, context: int = 64) -> dict[str, Severity]:
    return {one.code: one.severity for one in read(f"kind = 'cfg'\n{toml}").problems(context)}


def test_what_a_language_cannot_be() -> None:
    assert problems("rules = 'S -> S S | \"a\" | \"b\"'\nmeasure = 'uniform'\nlength = 9")["P381"] == "error"
    assert problems('rules = \'S -> S S | "a" | "b"\'\nlength = 9')["P382"] == "note"
    assert problems("rules = 'S -> S S | \"a\" | ε'\nmeasure = 'uniform'\nlength = 9")["P379"] == "error"
    assert problems("rules = 'S -> S S [0.6] | \"a\" [0.4]'\nlength = 'natural'")["P380"] == "error"
    assert problems("rules = 'S -> a S | a'\ntokens = { a = 20 }\nlength = 100")["P352"] == "error"
    assert problems("rules = 'S -> a a'\ntokens = { a = 400, b = 2 }\nlength = 2", 2) == {
        "P384": "note",
        "P386": "warning",
    }


FAULTS = {
    "an undefined nonterminal": (
        """rules = '''\n S -> "a" Tem S | ε\n Term -> "b"\n'''\nlength = 8""", "P371", 5, 11,
    ),
    "a parameter without a value": ("""rules = 'S -> "a" S [p] | ε'\nlength = 8""", "P371", 4, 22),
    "an odd length": ("""rules = 'S -> "a" S "b" | "a" "b"'\nlength = 7""", "P350", 5, 10),
    "no word": ("""rules = '''\nS -> "a" T\nT -> "b" S\n'''\nlength = 7""", "P377", 5, 1),
    "an alternative that is not closed": ("""rules = 'S -> "a" (S | ε'\nlength = 7""", "P370", 4, 25),
    "weights of nothing": ("""rules = 'S -> "a" S [0] | "b" [0]'\nlength = 7""", "P373", 4, 10),
    "two tokens of one spelling": (
        """rules = 'S -> t S | t'\ntokens = { t = ["x", "y", "x"] }\nlength = 32""", "P387", 5, 27,
    ),
    "a key that no rule uses": ("""rules = 'S -> "a" S | "b"'\nq = 0.2\nlength = 7""", "P105", 5, 1),
    "an undeclared switch": ("""rules = 'S -> "a" S <turn> | "b"'\nlength = 7""", "P376", 4, 21),
    "a word that never ends": (
        """rules = 'S -> S S [0.6] | "a" [0.4]'\nlength = "natural" """, "P380", 5, 10,
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_placed_in_the_file(fault: str, tmp_path: Path) -> None:
    body, code, line, column = FAULTS[fault]
    spec = tmp_path / "bad.toml"
    (tmp_path / "good.toml").write_text(GOOD.read_text())
    table = '[curricula.alone]\nphases = [{ name = "learn", data = "g", tokens = 8_192 }]\n'
    spec.write_text(f'extends = "good.toml"\n[grammars.g]\nkind = "cfg"\n{body}\n{table}')
    with pytest.raises(SpecError) as raised:
        compile(spec)
    (found,) = (one for one in raised.value.diagnostics if one.severity is Severity.ERROR)
    assert found.place
    assert (found.code, found.place.line, found.place.column) == (code, line, column)


@pytest.mark.parametrize(
    ("rules", "line", "column"),
    [
        ('|\n      S -> "a" Tem | ε\n      T -> "b" Tem', 5, 16),
        ('>-\n      S -> "a" Tem | ε', 5, 16),
        ("'S -> \"a\" Tem | ε'", 4, 22),
        ('"S -> a Tem | ε"', 4, 18),
    ],
)
def test_a_fault_is_placed_in_yaml(rules: str, line: int, column: int, tmp_path: Path) -> None:
    spec = tmp_path / "bad.yaml"
    (tmp_path / "good.toml").write_text(GOOD.read_text())
    spec.write_text(
        f"extends: good.toml\ngrammars:\n  g:\n    rules: {rules}\n    kind: cfg\n    length: 8\n"
    )
    with pytest.raises(SpecError) as raised:
        compile(spec)
    first = next(one for one in raised.value.diagnostics if one.code == "P371")
    assert first.place
    assert (first.place.line, first.place.column) == (line, column)
