"""Words of other grammars as inputs of tasks: drawn as the grammar draws them, read again, and refused."""

from __future__ import annotations

from collections import Counter
from math import log
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import chisquare

from procdsl import analysis, generate
from procdsl.analysis.classes import exactness
from procdsl.compiler import compile
from procdsl.errors import SpecError
from tests.grammars.examples import drawn, operation, read

BITS = """
[grammars.bits]
kind    = "regex"
pattern = "(0 | 1)*"
length  = { uniform = [1, 24] }
"""
SUMS = '''
[grammars.sums]
kind   = "cfg"
rules  = """
E -> E "+" T | E "-" T | T
T -> T "*" F | F
F -> "(" E ")" | digit
"""
tokens = { digit = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] }
length = { uniform = [7, 41] }
'''
BRACKETS = """
[grammars.brackets]
kind   = "dyck"
k      = 2
length = 16
"""


ECA = '[grammars.x]\nkind = "eca"\nrule = 110\nwidth = 9\nsteps = 9'
NOISY = '[grammars.x]\nkind = "expr"\nexpr = "corrupt(regex(\'a b\'), delete=0.5)"\nlength = 2'
ODD = '[grammars.x]\nkind = "dyck"\nk = 2\nlength = 3'
UNDEFINED = '[grammars.x]\nkind = "cfg"\nrules = "S -> T"\nlength = 3'
CIRCLE = '[grammars.x]\nkind = "expr"\nexpr = "turned | turned"\nlength = 4'


def task(lines: str, *tables: str) -> Any:
    return read("\n".join(['kind = "task"', lines, *tables]))


def rows(grammar: Any, count: int = 300, split: str = "train") -> list[list[str]]:
    """Rows without padding; both ways of making them agree, and they are read again, symbol by symbol."""
    assert not list(grammar.problems(4_096))
    made = operation(grammar)
    ids, scored = drawn(made, split, 0, count)
    assert (ids[:8].tolist(), scored[:8].tolist()) == generate.rows(
        made, seed=0, split=split, start=0, count=8
    )
    found = [[grammar.tokens()[id] for id in row if id != len(grammar.tokens()) - 1] for row in ids]
    for row in found[:12]:
        assert grammar.reason(row) is None
        for cut, token in enumerate(row):
            assert token in grammar.legal_next(row[:cut])
    return found


def parts(row: list[str]) -> tuple[list[str], list[str]]:
    cut = row.index("<sep>")
    return row[:cut], row[cut + 1 : row.index("<end>")]


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_dyck_word_is_turned_round(split: str) -> None:
    grammar = task('input = { w = "word(brackets)" }\noutput = "w | reverse"', BRACKETS)
    inner = grammar.grammars["brackets"]
    for row in rows(grammar, 200, split):
        word, answer = parts(row)
        assert inner.accepts(word)
        assert len(word) == 16
        assert answer == word[::-1]


def test_words_are_drawn_as_the_grammar_draws_them() -> None:
    """All 2 × 2**3 words of Dyck-2 of length 4, alike; lengths by the grammar's law."""
    inner = BRACKETS.replace("length = 16", "length = { choice = { 2 = 0.75, 4 = 0.25 } }")
    grammar = task(
        'input = "word(brackets)"\noutput = "input | length"\nheld_out = { validation = 0, test = 0 }', inner
    )
    made = operation(grammar)
    ids, _ = drawn(made, "train", 0, 16_000)
    words = Counter(tuple(parts([made.tokens[id] for id in row])[0]) for row in ids)
    shares = {word: 0.75 / 2 if len(word) == 2 else 0.25 / 8 for word in words}
    assert sorted(map(len, words)) == [2] * 2 + [4] * 8
    expected = [16_000 * shares[word] for word in words]
    assert chisquare(list(words.values()), expected).pvalue > 1e-4


@pytest.mark.slow
def test_sums_come_to_what_python_says() -> None:
    grammar = task('input = "word(sums)"\noutput = "input | value(1000)"', SUMS)
    seen = set[str]()
    for row in rows(grammar):
        word, answer = parts(row)
        seen |= {*word}
        assert answer == [str(eval("".join(word)) % 1000)]
    assert seen == {*"0123456789+-*()"}


def test_tokens_that_are_numerals_are_numbers() -> None:
    grammar = task('input = { w = "word(bits)" }\noutput = "w | sum | mod(2)"', BITS)
    assert grammar.alphabet() == ("0", "1")
    for row in rows(grammar):
        word, answer = parts(row)
        assert answer == [str(word.count("1") % 2)]


def test_palindromes_are_told() -> None:
    short = BITS.replace("[1, 24]", "[1, 3]")
    held = "held_out = { validation = 0, test = 0 }"
    grammar = task(f'input = {{ w = "word(bits)" }}\noutput = "search(w, reverse(w))"\n{held}', short)
    found = {(tuple(word), answer[0]) for word, answer in map(parts, rows(grammar))}
    assert len(found) == 14
    assert all((word == word[::-1]) == (answer == "1") for word, answer in found)


def test_tokens_are_the_symbols_that_are_spelt_alike() -> None:
    """One pool, two grammars and one of them twice: one alphabet."""
    other = '[grammars.other]\nkind = "regex"\npattern = "(a | sym1)*"\nlength = { uniform = [8, 12] }'
    first = '[grammars.first]\nkind = "regex"\npattern = "(a | b | sym9)*"\nlength = 9'
    lines = (
        'input = { x = "uniform(sym, length=4)", y = "word(first)", z = "word(other)", v = "word(first)" }'
        '\noutput = "union(x, y, z, v)"\nsymbols = { sym = 3 }'
    )
    grammar = task(lines, first, other)
    assert grammar.alphabet() == ("sym0", "sym1", "sym2", "a", "b", "sym9")
    for row in rows(grammar, 50):
        words = " ".join(row).split(" <sep> ")
        assert words[4].split()[:-1] == list(dict.fromkeys(" ".join(words[:4]).split()))


def test_what_a_word_tells_is_its_entropy() -> None:
    grammar = task('input = "word(brackets)"\noutput = "input | reverse"\nloss = "all"', BRACKETS)
    made = operation(grammar)
    floor = analysis.floor(made.program, length=made.length, context=made.context)
    # Of 1,430 × 2**8 words; the first symbol is not asked for, and tells at most log 4.
    assert floor.high * 33 == pytest.approx(log(1_430 * 2**8))
    assert floor.low * 33 == pytest.approx(log(1_430 * 2**8) - log(4))
    walk = BRACKETS + 'measure = "process"\n'
    assert exactness(made.program) == "exact"
    said = exactness(task('input = "word(brackets)"\noutput = "input | reverse"', walk).program())
    assert said.startswith("inputs that are words of a grammar: process")


def test_what_the_grammar_holds_out_has_no_say() -> None:
    lines = 'input = "word(brackets)"\noutput = "input | reverse"'
    for held in ("validation = 0.25, test = 0.25", "depth = { over = 4 }"):
        split = BRACKETS + f"held_out = {{ {held} }}\n"
        assert task(lines, BRACKETS).program() == task(lines, split).program()


@pytest.mark.parametrize(
    ("input", "table", "said", "marked"),
    [
        ("word(bracket)", BRACKETS, "bracket is no grammar", "bracket"),
        ("word(brackets, length=3)", BRACKETS, "takes no 'length'", "length"),
        ("word()", BRACKETS, "drawn from one grammar", "word"),
        ("word(brackets | reverse)", BRACKETS, "is no grammar", "reverse"),
        ("word(7)", BRACKETS, "a number is no grammar", "7"),
        ("word(x)", ECA, "are no words of it", "x"),
        ("word(x)", NOISY, "are no words of it", "x"),
        ("word(x)", ODD, "x has no words: no word has length 3", "x"),
        ("word(x)", UNDEFINED, "x has no words", "x"),
    ],
)  # fmt: skip
def test_faults_are_found_and_placed(input: str, table: str, said: str, marked: str) -> None:
    grammar = task(f'input = "{input}"\noutput = "input | reverse"', table)
    found = next(iter(grammar.problems(10_000)))
    assert (found.code, found.path) == ("P360", ("input",))
    assert said in found.message
    start, width = found.span
    assert input[start : start + width] == marked


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(
    "table", [BRACKETS, BRACKETS.replace("length = 16", "length = { uniform = [2, 16] }")]
)
def test_a_prompt_may_be_a_word_backwards(split: str, table: str) -> None:
    """What is shown is a word when it is turned round, and nothing else is read as one."""
    lines = 'input = "word(brackets)"\noutput = "input"\nformat = "{input:reverse} <sep> {output} <end>"'
    grammar = task(lines, table)
    inner = grammar.grammars["brackets"]
    for row in rows(grammar, 100, split):
        shown, answer = parts(row)
        assert answer == shown[::-1]
        assert inner.accepts(answer)
    forwards = [*answer, "<sep>", *shown, "<end>"]
    assert not inner.accepts(shown)
    assert f"cannot go on an input of {len(answer)} symbols" in str(grammar.reason(forwards))
    assert grammar.reason([*shown, shown[0], "<sep>", *answer, "<end>"]) is not None


def test_a_word_cannot_be_read_from_a_part_of_it() -> None:
    grammar = task(
        'input = "word(brackets)"\noutput = "input"\nformat = "{input:odds_first} {output}"', BRACKETS
    )
    (found,) = grammar.problems(4_096)
    assert (found.code, found.help) == ("P361", "write the input itself, or its reverse")


STUDY = """
procdsl = 1
name = "study"
seeds = [0]
model = { layers = 1, heads = 1, width = 8, context = 256 }
training = { batch_rows = 1, optimiser = { kind = "adamw", lr = 1e-3 }, schedule = { kind = "constant" } }
[curricula.only]
baseline = true
phases = [{ name = "one", data = "turned", steps = 1 }]
[grammars.turned]
kind = "task"
input = "word(NAME)"
output = "input | reverse"
"""


def study(path: Path, name: str, *tables: str) -> Any:
    path.write_text("\n".join([STUDY.replace("NAME", name), *tables]))
    return compile(path, profile=None).plan


def test_grammars_of_the_spec_are_drawn_from(tmp_path: Path) -> None:
    plan = study(tmp_path / "a.toml", "brackets", BRACKETS)
    (made,) = (one for one in plan.operations if getattr(one, "name", "") == "turned")
    assert made.program.draws[0].words.kind == "dyck"
    assert (made.floor.low, made.floor.high) == (0, 0)


@pytest.mark.parametrize(
    ("name", "table", "code", "said"),
    [
        ("nothing", BRACKETS, "P202", 'no grammar is called "nothing"'),
        ("turned", BRACKETS, "P212", "turned -> turned"),
        ("x", CIRCLE, "P212", "made of each other"),
    ],
)  # fmt: skip
def test_names_that_are_not_there_and_circles_are_found(
    tmp_path: Path, name: str, table: str, code: str, said: str
) -> None:
    with pytest.raises(SpecError) as raised:
        study(tmp_path / "a.toml", name, table)
    (found,) = raised.value.diagnostics
    assert found.code == code
    assert said in found.message
