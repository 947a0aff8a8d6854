"""Grammars to and from other tools: each text is read by the tool itself, and means the same language."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import nltk
import pytest
from lark import Lark
from lark.exceptions import LarkError
from typer.testing import CliRunner

from procdsl.cli import app
from procdsl.errors import UsageError
from procdsl.interchange import of, read, table, write
from tests.grammars.examples import read as grammar_of

ARITH = """kind = "cfg"
length = { uniform = [1, 9] }
rules = '''
E -> E "+" T [0.4] | T [0.6]
T -> T "*" F [0.3] | F [0.7]
F -> "(" E ")" [0.3] | digit [0.7]
'''
tokens = { digit = 2 }"""
AGREEMENT = """kind = "cfg"
length = { uniform = [1, 9] }
index = { n = ["sg", "pl"] }
rules = '''
S -> NP[n] verb[n]
NP[n] -> "the" noun[n] ("near" NP[n])?
'''
tokens = { noun = { features = ["n"], count = 1 }, verb = { features = ["n"], count = 1 } }"""
DYCK = "kind = 'dyck'\nk = 2\nlength = 4"
EXAMPLES = {"arith": ARITH, "agreement": AGREEMENT, "dyck": DYCK}


def language(grammar: object, most: int) -> set[tuple[str, ...]]:
    return {
        word
        for n in range(1, most + 1)
        for word in product(grammar.alphabet(), repeat=n)  # type: ignore[attr-defined]
        if grammar.accepts(word)  # type: ignore[attr-defined]
    }


def back(text: str) -> object:
    return grammar_of(text.partition("\n")[2])


@pytest.mark.parametrize("name", EXAMPLES)
def test_lark_reads_what_is_exported_and_accepts_the_same_words(name: str) -> None:
    grammar = grammar_of(EXAMPLES[name])
    parser = Lark(write(of(grammar), "lark"), parser="earley", lexer="basic")
    for n in range(1, 5):
        for word in product(grammar.alphabet(), repeat=n):
            try:
                parser.parse(" ".join(word))
                accepted = True
            except LarkError:
                accepted = False
            assert accepted == grammar.accepts(word), word


@pytest.mark.parametrize("name", EXAMPLES)
def test_nltk_reads_what_is_exported_and_accepts_the_same_words(name: str) -> None:
    grammar = grammar_of(EXAMPLES[name])
    text = write(of(grammar), "nltk")
    weighted = "PCFG" in text
    rules = (nltk.PCFG if weighted else nltk.CFG).fromstring(text)
    parser = nltk.EarleyChartParser(nltk.CFG(rules.start(), rules.productions()))
    assert weighted == (name != "dyck")
    for n in range(1, 5):
        for word in product(grammar.alphabet(), repeat=n):
            assert (next(parser.parse(word), None) is not None) == grammar.accepts(word), word


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("format", ["nltk", "lark", "gbnf"])
def test_there_and_back_is_the_same_language(name: str, format: str) -> None:
    grammar = grammar_of(EXAMPLES[name])
    again = back(table(read(write(of(grammar), format), format), "x"))
    assert language(again, 4) == language(grammar, 4)


def test_weights_come_back_from_nltk() -> None:
    grammar = grammar_of(ARITH)
    again = read(write(of(grammar), "nltk"), "nltk")
    assert sorted(rule.weight or 0 for rule in again.rules) == sorted(
        rule.weight or 0 for rule in of(grammar).rules
    )


def test_repeats_and_classes_of_gbnf() -> None:
    text = 'root ::= item ("," item){1,2} # a list\nitem ::= [a-b]+ | "x"?\n'
    words = language(back(table(read(text, "gbnf"), "x")), 4)
    assert {tuple("a,b"), tuple(",,"), tuple("x,x"), tuple("ab,a")} <= words
    assert tuple("ab") not in words
    assert tuple(",,,") not in words


def test_lark_texts_with_repeats_and_terminals() -> None:
    text = '?start: atom ("+" atom)*\natom: NUMBER | "(" start ")" | [ "-" ] NAME\n'
    text += 'NUMBER: /[0-9]+/\nNAME: "x"\n%ignore " "\n'
    found = back(table(read(text, "lark"), "x"))
    assert found.accepts(["NUMBER", "+", "(", "-", "x", ")"])  # type: ignore[attr-defined]
    assert not found.accepts(["NUMBER", "NUMBER"])  # type: ignore[attr-defined]


def test_layered_json() -> None:
    layered = {"3": [["2", "1"], ["1", "2"]], "2": [["1", "1"]], "1": [["a", "b"], ["c"]]}
    found = back(table(read(json.dumps(layered), "json"), "x"))
    assert found.accepts(["c", "a", "b", "c"])  # type: ignore[attr-defined]
    assert found.count(3) == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("format", "text", "said"),
    [
        ("nltk", "S[n] -> 'a'", "line 1 is no rule"),
        ("nltk", "S -> 'a", "cannot read"),
        ("lark", "start: undefined", "lark cannot read"),
        ("gbnf", 'a ::= "x"', "no rule `root`"),
        ("gbnf", "root ::= b", "b has no rule"),
        ("gbnf", "root ::= [^a]", "Unicode"),
        ("gbnf", 'root ::= ("a"', "not closed"),
        ("json", '{"a": [["b"]], "c": [["d"]]}', "where do words start"),
        ("json", "[]", "rules are an object"),
        ("yacc", "", "is no format"),
    ],
)
def test_what_cannot_be_read_is_told(format: str, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(text, format)


def test_commands(tmp_path: Path) -> None:
    path = tmp_path / "ab.lark"
    path.write_text('start: "a" start "b" | "a" "b"')
    made = CliRunner().invoke(app, ["import", str(path), "--name", "ab"])
    assert made.stdout.startswith('[grammars.ab]\nkind   = "cfg"')
    spec = str(Path(__file__).parent / "compiler" / "good.toml")
    shown = CliRunner().invoke(app, ["export", spec, "dyck", "--format", "gbnf"])
    assert shown.stdout.startswith("root ::= S\nS ::= ")


def test_names_for_lark_are_small_letters() -> None:
    found = write(read("S -> NP VP\nNP -> 'I'\nVP -> 'am'", "nltk"), "lark")
    assert "\ns: np vp\nnp:" in found
