"""`procdsl describe`, `accepts` and `next`: the facts, against numbers known from elsewhere."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from procdsl import describing, recognising
from procdsl.analysis.classes import language_class
from procdsl.analysis.ladder import ladder
from procdsl.analysis.signatures import signature
from procdsl.cli import app
from procdsl.grammars.base import END, WordGrammar
from procdsl.programs.base import Interval, WordProgram
from tests.grammars.examples import EXAMPLES, drawn, operation, read

STUDY = """
procdsl = 1
name = "example"
seeds = [0]
model = { layers = 1, heads = 1, width = 8, context = 64 }
training = { batch_rows = 1, optimiser = { kind = "adamw", lr = 1e-3 }, schedule = { kind = "constant" } }
[grammars.brackets]
kind = "dyck"
k = 8
length = 64
[grammars.arith]
kind = "cfg"
rules = '''
E -> E "+" T [0.4]   | T [0.6]
T -> T "*" F [0.3]   | F [0.7]
F -> "(" E ")" [0.3] | digit [0.7]
'''
tokens = { digit = 10 }
length = 63
[sources.control]
kind = "shuffled"
of = "brackets"
[curricula.a]
baseline = true
phases = [{ name = "only", data = "brackets", steps = 1 }]
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(STUDY, "utf-8")
    return path


def call(*arguments: Any) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def facts(*arguments: Any) -> Any:
    return json.loads(call("describe", *arguments, "--json").stdout)


# ---------------------------------------------------------------- describe


def test_k_dyck_is_what_the_books_say(spec: Path) -> None:
    found = facts(spec, "brackets")
    assert found["language"]["name"] == "deterministic context-free"
    assert found["signature"] == "Catalan numbers (A000108) × 8ⁿ"
    assert found["floor"]["high"] == pytest.approx(math.log(math.comb(64, 32) // 33 * 8**32) / 64, abs=1e-10)
    assert int(found["counts"][0]["words"]) == math.comb(64, 32) // 33 * 8**32
    assert found["exactness"] == "exact"
    assert found["learnable"]["said"].startswith("yes")
    assert found["nesting"]["mean"] > 2


def test_textbook_arithmetic_has_hardly_anything_long_range(spec: Path) -> None:
    """1.4 % with more text (Witten-Bell on 0.3 M tokens): the note must be there."""
    found = facts(spec, "arith", "--length", "511")
    assert "hardly anything long-range" in found["learnable"]["said"]
    assert found["learnable"]["ngrams"][0] == pytest.approx(2.316, abs=0.01)
    assert found["learnable"]["ngrams"][1] == pytest.approx(1.624, abs=0.01)
    assert found["counts"][0]["nats"]["high"] == pytest.approx(1.602, abs=0.001)
    assert found["rules"]["expected_length"] == pytest.approx(15.666, abs=0.01)


def test_what_is_unknown_is_said(spec: Path) -> None:
    shown = call("describe", spec, "control").stdout
    assert "class      not known" in shown
    assert "floor      not known" in shown


def test_a_page_and_a_picture(spec: Path, tmp_path: Path) -> None:
    shown = call("describe", spec, "brackets", "--plot", tmp_path / "b.png", "-n", "1")
    assert shown.exit_code == 0, shown.output
    for part in ("is there anything to learn?", "deepest nesting", "row 0", "<bos>", "tokens/s"):
        assert part in shown.stdout
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_kind_can_be_described(kind: str) -> None:
    grammar = EXAMPLES[kind]
    made = operation(grammar)
    found = describing.describe(grammar, made, *drawn(made, "train", 0, 64))
    # Of a plug-in's words nothing is known but what it says itself.
    assert (found.language is not None) or kind == "python" or not isinstance(made.program, WordProgram)
    assert found.learnable is not None
    if isinstance(grammar, WordGrammar):
        assert all(count == grammar.count(n) for n, count in found.first_counts)


def test_a_floor_between_bounds_decides_nothing_that_lies_between_them() -> None:
    grammar = EXAMPLES["crossing"]
    made = operation(grammar).model_copy(update={"floor": Interval(low=0.1, high=99.0)})
    found = describing.describe(grammar, made, *drawn(made, "train", 0, 64))
    assert found.learnable is not None
    assert found.learnable.said.startswith("not known")


# ---------------------------------------------------------------- its parts


@pytest.mark.parametrize(
    ("rules", "name"),
    [
        ('S -> "a" S | "b"', "regular"),
        ('S -> S "a" | "b" "b"', "regular"),
        ('S -> "a" S "b" | "a" "b"', "deterministic context-free"),
        ('S -> "a" S "a" | "b" S "b" | "a" | "b"', "context-free"),
        ('S -> "a" T | T\nT -> "b" | "c" "d"', "finite"),
        ('S -> "a" A\nA -> S "b" | "c"', "deterministic context-free"),
    ],
)
def test_classes_of_rules(rules: str, name: str) -> None:
    grammar = read(f"kind = 'cfg'\nlength = {{ uniform = [1, 4] }}\nrules = '''{rules}'''")
    found = language_class(grammar.program())
    assert found is not None
    assert found.name == name


def test_signatures_need_enough_terms_and_tolerate_no_error() -> None:
    motzkin = [1, 2, 4, 9, 21, 51, 127, 323]
    assert signature(motzkin) == "Motzkin numbers (A001006)"
    assert signature(motzkin[:4]) is None
    assert signature([*motzkin, 836]) is None
    assert signature([2, 8, 32, 128, 512]) == "1/2 · 4ⁿ"


def test_n_grams_find_a_chain_of_their_order_and_no_more() -> None:
    random = np.random.default_rng(0)
    steps = random.choice([1, 2], (600, 512), p=[0.25, 0.75])
    ids = np.cumsum(np.concatenate([np.zeros((600, 1), int), steps], 1), 1) % 7
    scored = np.ones(ids.shape, np.uint8)
    scored[:, 0] = 0
    found = ladder(ids, scored, 7)
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert found[0] == pytest.approx(math.log(7), abs=0.01)
    assert found[1] == pytest.approx(entropy, abs=0.005)
    assert entropy - 0.005 < found[2] < entropy + 0.02


def test_n_grams_of_what_is_not_there() -> None:
    assert ladder(np.zeros((1, 5), int), np.ones((1, 5), np.uint8), 2) == ()
    assert ladder(np.zeros((9, 5), int), np.zeros((9, 5), np.uint8), 2) == ()


# ---------------------------------------------------------------- accepts and next


def test_a_word_is_told_from_what_is_none(spec: Path) -> None:
    assert call("accepts", spec, "brackets", "(0 (1 1) 0)").exit_code == 0
    wrong = call("accepts", spec, "brackets", "(0 (1 0) 1)")
    assert wrong.exit_code == 1
    lines = wrong.stdout.splitlines()
    assert "does not close" in lines[0]
    assert lines[2].index("^") == lines[1].index("0)")
    assert json.loads(call("accepts", spec, "brackets", "(0", "--json").stdout)["place"] == 2


@pytest.mark.parametrize("kind", ["dyck", "cfg", "shuffle_dyck"])
def test_the_place_is_the_first_that_no_word_goes_on_from(kind: str) -> None:
    grammar = EXAMPLES[kind]
    for word in product(grammar.alphabet()[:2] + grammar.alphabet()[-2:], repeat=4):
        found = recognising.judge(grammar, word)
        viable = [cut for cut in range(5) if grammar.legal_next(word[:cut])]
        assert (found.reason is None) == grammar.accepts(word)
        assert found.place == (None if found.reason is None else viable[-1] + 1)


def test_symbols_of_one_character_need_no_blanks() -> None:
    grammar = read('kind = \'cfg\'\nlength = 4\nrules = \'S -> "a" S "b" | "a" "b"\'')
    assert recognising.read(grammar, "aabb") == recognising.read(grammar, "a a b b") == tuple("aabb")


def test_what_may_come_next(spec: Path) -> None:
    assert call("next", spec, "brackets", "(0 (1", "--length", "4").stdout == "1)\n"
    found = json.loads(call("next", spec, "arith", "( digit[0]", "--json").stdout)
    assert found["next"] == ["+", "*", ")"]
    assert json.loads(call("next", spec, "arith", "digit[0]", "--json").stdout)["next"][-1] == END
    nothing = call("next", spec, "brackets", "1)")
    assert nothing.exit_code == 1
    assert "closes a bracket where none is open" in nothing.stdout


def test_a_source_has_no_recogniser(spec: Path) -> None:
    wrong = call("accepts", spec, "control", "(0 0)")
    assert wrong.exit_code == 2
    assert "is a source" in wrong.output
