"""Templates: rows against Python's arithmetic, every row of a small one, and faults at their characters."""

from __future__ import annotations

import re
from collections import Counter
from itertools import product
from json import dumps
from math import log
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import chisquare

from procdsl import analysis, generate
from procdsl.analysis.classes import exactness
from procdsl.compiler import compile
from procdsl.errors import Severity, SpecError
from procdsl.grammars._templates import tokenised
from procdsl.grammars.base import END
from tests.grammars.examples import drawn, operation, read

NONE = "held_out = { validation = 0, test = 0 }"


def template(text: str, slots: str, *lines: str, values: str = "", where: str = "") -> Any:
    table = ['kind = "template"', f"text = {dumps(text)}", f"slots = {{ {slots} }}", *lines]
    table += [f"values = {{ {values} }}"] if values else []
    table += [f'where = "{where}"'] if where else []
    return read("\n".join(table))


def rows(grammar: Any, count: int = 300, split: str = "train") -> list[tuple[str, str]]:
    """Rows as text without padding, and what of them is scored; both ways of making them agree."""
    assert not [one for one in grammar.problems(4_096) if one.severity is not Severity.NOTE]
    made = operation(grammar)
    ids, scored = drawn(made, split, 0, count)
    some = generate.rows(made, seed=0, split=split, start=0, count=min(count, 8))
    assert (ids[:8].tolist(), scored[:8].tolist()) == some
    gap = "" if grammar.unit == "characters" else " "
    found = list[tuple[str, str]]()
    for row, flags in zip(ids, scored, strict=True):
        tokens = [grammar.tokens()[id] for id in row if id != made.program.pad]
        asked = [token for token, flag in zip(tokens, flags, strict=False) if flag]
        found.append((gap.join(tokens).replace("␣", " "), gap.join(asked).replace("␣", " ")))
    return found


def spelt(grammar: Any, row: str) -> list[str]:
    return [*tokenised(row.removesuffix(END), grammar.unit), *([END] if row.endswith(END) else [])]


APPLES = "{name} has {a} apples and buys {b} more. How many has {name}? {answer}"
SLOTS = 'name = ["Ada", "Bob", "Ada Lovelace"], a = "integer(2, 200)", b = "integer(2, 200)"'


@pytest.mark.parametrize("split", ["train", "validation"])
def test_answers_are_right(split: str) -> None:
    grammar = template(APPLES, SLOTS, values='answer = "a + b"')
    names = Counter[str]()
    for row, asked in rows(grammar, 400, split):
        found = re.fullmatch(
            r"(.+) has (\d+) apples and buys (\d+) more\. How many has (.+)\? (\d+)<end>", row
        )
        assert found
        name, a, b, again, answer = found.groups()
        assert name == again
        assert int(answer) == int(a) + int(b)
        assert min(int(a), int(b)) >= 2
        assert asked == f"{answer}<end>"
        names[name] += 1
    if split == "train":
        assert chisquare([names["Ada"], names["Bob"], names["Ada Lovelace"]]).pvalue > 1e-4


def test_words_are_tokens_and_numbers_too() -> None:
    grammar = template(APPLES, SLOTS, 'tokens = "words"', values='answer = "a + b"')
    assert grammar.alphabet()[:401] == tuple(map(str, range(401)))
    assert {"Lovelace", "?", "."} <= set(grammar.alphabet()[401:])
    for row, asked in rows(grammar):
        found = re.fullmatch(
            r"(.+) has (\d+) apples and buys (\d+) more \. How many has \1 \? (\d+) <end>", row
        )
        assert found
        assert int(found[4]) == int(found[2]) + int(found[3])
        assert asked == f"{found[4]} <end>"


FORMULAS = {
    "a + b * c": lambda a, b, c: a + b * c,
    "(a - b) * c - 7": lambda a, b, c: (a - b) * c - 7,
    "a // b + a % b": lambda a, b, c: a // b + a % b,
    "(a - 9) // b": lambda a, b, c: (a - 9) // b,
    "(a - 9) % b": lambda a, b, c: (a - 9) % b,
    "a if a > b else b if b > c else c": lambda a, b, c: a if a > b else b if b > c else c,
    "(a > b and b > c) + 2 * (a == b or not b != c)": lambda a, b, c: (a > b > c) + 2 * (b in (a, c)),
    "first - second": lambda a, b, c: (a * b) - (b * c + 1),
}  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_values_are_what_python_says(text: str) -> None:
    earlier = 'first = "a * b", second = "b * c + 1", ' if "first" in text else ""
    values = f'{earlier}answer = "{text}"'
    slots = 'a = "integer(0, 99)", b = "integer(1, 40)", c = "integer(0, 60)"'
    grammar = template("{a},{b},{c}:{answer}", slots, values=values)
    for row, asked in rows(grammar, 200):
        a, b, c, answer = map(int, re.split("[,:]", row.removesuffix(END)))
        assert answer == FORMULAS[text](a, b, c)
        assert asked == f"{answer}<end>"


def test_every_row_of_a_small_template_is_read_and_no_other() -> None:
    """All strings over its tokens up to the longest row, by their prefixes; legal next tokens exactly."""
    grammar = template(
        "{x}+{a}-{b}={answer}",
        'x = ["u", "uv"], a = "integer(8, 12)", b = "integer(0, 11)"',
        NONE,
        values='answer = "a - b"',
        where="a >= b and a % 2 == 0",
    )
    words = {
        (*x, "+", *str(a), "-", *str(b), "=", *str(a - b), END)
        for x, a, b in product(("u", "uv"), (8, 10, 12), range(12))
        if a >= b
    }
    follows = dict[tuple[str, ...], set[str]]()
    for word in words:
        for cut in range(len(word) + 1):
            follows.setdefault(word[:cut], set()).add(word[cut] if cut < len(word) else END)
    alphabet = (*grammar.alphabet(), END)
    for prefix, legal in follows.items():
        assert grammar.legal_next(prefix) == legal, prefix
        assert grammar.accepts(prefix) == (prefix in words)
        for token in {*alphabet} - legal:
            assert not grammar.legal_next((*prefix, token)), (prefix, token)
            assert not grammar.accepts((*prefix, token))
    found = Counter(row for row, _ in rows(grammar, 100 * len(words)))
    assert {tuple(spelt(grammar, row)) for row in found} == words
    assert chisquare(list(found.values())).pvalue > 1e-4


def test_reasons_name_the_place_and_what_should_stand_there() -> None:
    grammar = template(APPLES, SLOTS, values='answer = "a + b"')
    row = "Ada has 7 apples and buys 15 more. How many has Ada? 22"
    assert grammar.reason(spelt(grammar, row + END)) is None
    assert grammar.reason(spelt(grammar, row)) == "it ends too early, after 55 tokens"
    assert grammar.reason(spelt(grammar, row[:-1] + "3" + END)) == "'3' at 55 should be '2'"
    assert grammar.reason(spelt(grammar, row.replace("7", "1"))) == (
        "'␣' at 10 should be '0' or '1' or '2' or '3' or '4' or '5'"
    )
    assert grammar.reason([*spelt(grammar, row + END), END]) == f"'{END}' at 57 should be the end"
    assert grammar.legal_next(spelt(grammar, "Ada has 20")) == {"0", "␣"}
    assert grammar.legal_next(spelt(grammar, "Ada")) == {"␣"}
    assert grammar.legal_next(spelt(grammar, "Ada ")) == {"h", "L"}


def test_wide_slots_are_read_too() -> None:
    """More draws than can be tried: what may follow is not pruned, rows are."""
    grammar = template(
        "{a} > {b}: {answer}",
        'a = "integer(0, 9999)", b = "integer(0, 9999)"',
        values='answer = "a - b"',
        where="a > b",
    )
    (found,) = grammar.problems(100)
    assert (found.code, found.severity) == ("P368", Severity.NOTE)
    assert found.message.startswith("about 50.")
    for row, _ in rows(grammar, 100):
        word = spelt(grammar, row)
        assert grammar.accepts(word)
        assert all(token in grammar.legal_next(word[:cut]) for cut, token in enumerate(word))
    assert not grammar.accepts(spelt(grammar, "3 > 4: -1<end>"))
    assert not grammar.accepts(spelt(grammar, "4 > 03: 1<end>"))
    assert grammar.accepts(spelt(grammar, "4 > 3: 1<end>"))


def test_texts_can_differ() -> None:
    names = '["Ada", "Ben", "Benjamin"]'
    grammar = template(
        "{one}, {other}: {answer}",
        f"one = {names}, other = {names}",
        NONE,
        values='answer = "(one == other) + 1"',
        where="one != other or one == other",
    )
    seen = {row for row, _ in rows(grammar, 400)}
    assert len(seen) == 9
    for row in seen:
        one, other, answer = re.split(", |: ", row.removesuffix(END))
        assert int(answer) == (one == other) + 1
    others = 'one = ["Ada", "Ben"], other = ["Ben", "Cem", "Ada"]'
    mixed = template("{one}, {other}", others, NONE, 'loss = "all"', where="one != other")
    assert {row.removesuffix(END) for row, _ in rows(mixed, 400)} == {
        "Ada, Ben", "Ada, Cem", "Ben, Cem", "Ben, Ada"
    }  # fmt: skip
    for row in ("Ada, Ben", "Ben, Ada", "Ben, Cem", "Ada, Cem"):
        assert mixed.accepts(spelt(mixed, row + END))
    assert not mixed.accepts(spelt(mixed, "Ben, Ben" + END))
    apart = template(
        "{one}, {other}", f"one = {names}, other = {names}", NONE, 'loss = "all"', where="one != other"
    )
    assert len({row for row, _ in rows(apart, 400)}) == 6


@pytest.mark.parametrize(
    ("loss", "asked"),
    [("answer", "7;"), ("values", "5,7;"), ("all", "+3=5,+2=7; ok<end>")],
)
def test_loss_says_what_is_scored(loss: str, asked: str) -> None:
    slots = 'a = "integer(2, 2)", b = "integer(3, 3)"'
    grammar = template(
        "{a}+{b}={sum},+{a}={answer}; ok",
        slots,
        NONE,
        f'loss = "{loss}"',
        values='sum = "a + b", answer = "sum + a"',
    )
    assert {found for _, found in rows(grammar, 3)} == {asked}


def test_braces_marks_and_lines() -> None:
    grammar = template("{{{a}}}\n<sep> {answer} <end>", 'a = "integer(0, 9)"', NONE, values='answer = "a"')
    assert grammar.tokens()[-3:] == ("<sep>", END, "<pad>")
    assert {row for row, _ in rows(grammar, 200)} == {f"{{{a}}}↵<sep> {a} <end>" for a in range(10)}


def test_what_slots_tell_is_the_floor_of_a_whole_row() -> None:
    grammar = template(
        "{a} {b} {answer}",
        'a = "integer(10, 99)", b = "integer(10, 89)"',
        'loss = "all"',
        "held_out = { validation = 0.1, test = 0.1 }",
        values='answer = "a + b"',
    )
    made = operation(grammar)
    floor = analysis.floor(made.program, length=made.length, context=made.context)
    # Rows of 8 to 10 tokens; the first is not asked for.
    assert floor.high == pytest.approx(log(90 * 80) / 8)
    assert 0 < floor.low < log(90 * 80) / 9
    only = template("{a} {answer}", 'a = "integer(1, 9)"', NONE, values='answer = "a"').program()
    assert analysis.floor(only, length=4, context=4).high == 0
    assert analysis.chance(only, length=4, context=4) is None
    rare = template(
        "{a} {answer}", 'a = "integer(1, 9)"', NONE, values='answer = "a"', where="a > 4"
    ).program()
    assert exactness(rare) == "exact, by rejection of what does not meet the condition"


# ---------------------------------------------------------------- faults

A = 'a = "integer(2, 900)", b = "integer(2, 900)"'
SUM = 'answer = "a + b"'
HUGE = 'a = "integer(0, 1000000000)", b = "integer(2, 9)"'
WAITING = f'answer = "{"1 or 1 and 1 < 1 + 1 * (" * 14}a{")" * 14}"'


@pytest.mark.parametrize(
    ("text", "said", "marked"),
    [
        ("{a} {b} {c} {answer}", "c is no slot and no value", "{c}"),
        ("{a} {b} {anser}", "did you mean answer?", "{anser}"),
        ("{a} {b} {} {answer}", "nothing stands between the braces", "{}"),
        ("{a} {b {answer}", "{ has no partner", "{"),
        ("{a} {b} } {answer}", "} has no partner", "}"),
        ("{a} {answer} {b}", "{answer} stands before {b}, which it needs", "{answer}"),
        ("{a} <end> {b} {answer}", "a row goes on behind <end>", "<end>"),
        ("{a} {b} <pad> {answer}", "a row goes on behind <pad>", "<pad>"),
        ("{a}{b} {answer}", "nothing says where {a} ends", "{a}"),
        ("{a}0{b} {answer}", "nothing says where {a} ends", "{a}"),
    ],
)
def test_faults_of_the_text_are_found_and_placed(text: str, said: str, marked: str) -> None:
    found = next(iter(template(text, A, values=SUM).problems(10_000)))
    assert (found.code, found.path) in {("P361", ("text",)), ("P363", ("text",))}
    assert said in found.message + found.help
    start, width = found.span
    assert text[start : start + width] == marked


@pytest.mark.parametrize(
    ("slots", "values", "where", "path", "said", "marked"),
    [
        ('a = "integers(2, 9)"', 'answer = "a"', "", ("slots", "a"), "did you mean integer?", "integers"),
        ('a = "integer(9, 2)"', 'answer = "a"', "", ("slots", "a"), "no number up to 10⁹", "9"),
        ('a = "integer(2)"', 'answer = "a"', "", ("slots", "a"), "integer is no slot", "integer"),
        ('a = "integer(2, 9"', 'answer = "a"', "", ("slots", "a"), "is not closed", None),
        ('a = []', 'answer = "1"', "", ("slots", "a"), "a is empty", None),
        ('a = ["x", ""]', 'answer = "1"', "", ("slots", "a"), "a is empty", None),
        ('a = ["x", "y", "x"]', 'answer = "1"', "", ("slots", "a"), "has 'x' twice", None),
        ('if = ["x", "y"]', 'answer = "1"', "", ("slots", "if"), "cannot be the name", None),
        (A, 'answer = "a + c"', "", ("values", "answer"), "c is no slot or value: a, b", "c"),
        (A, 'answer = "a +"', "", ("values", "answer"), "a value is missing", ""),
        (A, 'answer = "a + b) * 2"', "", ("values", "answer"), "is left over", ")"),
        (A, 'answer = "a / b"', "", ("values", "answer"), "'/' has no meaning here", "/"),
        (A, 'answer = "a * 1.5"', "", ("values", "answer"), "numbers are whole", "1.5"),
        (A, 'answer = "len(a)"', "", ("values", "answer"), "len is no slot or value", "len"),
        (A, 'answer = "__import__(a)"', "", ("values", "answer"), "__import__ is no slot", "__import__"),
        (A, 'answer = "answer + 1"', "", ("values", "answer"), "answer is no slot or value", "answer"),
        (A, 'a = "b + 1", answer = "a"', "", ("values", "a"), "cannot be the name", None),
        (A, SUM, "a > c", ("where",), "c is no slot or value", "c"),
        (A, SUM, "a > 900", ("where",), "no draw meets it", "a > 900"),
        (A, SUM, "a == b", ("where",), "only 0.10% of the draws meet it", "a == b"),
        (A + ', n = ["x", "y"]', 'answer = "a + n"', "", ("values", "answer"), "n is a text", "n"),
        (A + ', n = ["x", "y"]', 'answer = "a + b"', "n == 2", ("where",), "n is a text", "n"),
        (A + ', n = ["x", "y"]', SUM, "", ("slots", "n"), "leaves out {n}", None),
        (A, SUM + ', rest = "a - b"', "", ("values", "rest"), "leaves out {rest}", None),
        ('a = "integer(2, 9)", b = "integer(2, 9)"', SUM, "", ("slots",), "there are only 64 prompts", None),
        (HUGE, 'answer = "a * a * b"', "", ("values",), "can pass", None),
        (A, 'answer = "' + "(" * 40 + 'a"', "", ("values", "answer"), "parentheses deep", "("),
        (A, WAITING, "", ("values", "answer"), "values wait", None),
    ],
)  # fmt: skip
def test_faults_of_slots_values_and_conditions_are_found_and_placed(
    slots: str, values: str, where: str, path: tuple[str, ...], said: str, marked: str | None
) -> None:
    names = re.findall(r"(\w+) = ", slots)
    text = " ".join(f"{{{name}}}" for name in names if name != "n") + " {answer}"
    text += " {n}" if "{n}" not in said and "n" in names else ""
    found = next(iter(template(text, slots, values=values, where=where).problems(10_000)))
    assert found.path == path
    assert said in found.message + found.help
    if marked is not None:
        start, width = found.span
        source = {"slots": slots, "values": values, "where": where}[path[0]]
        whole = where if path[0] == "where" else re.search(rf'{path[-1]} = "([^"]*)"', source)[1]
        assert whole[start : start + width] == marked


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['tokens = "words"'], "answer can be -898, which is no token"),
        (['tokens = "words"', 'where = "a > b + 800000"'], "no draw meets it"),
    ],
)
def test_words_write_no_negative_numbers(lines: list[str], said: str) -> None:
    grammar = template("{a} {b} {answer}", A, *lines, values='answer = "a - b"')
    assert said in next(iter(grammar.problems(10_000))).message


def test_a_condition_bounds_what_is_written() -> None:
    slots = 'a = "integer(1, 99)", b = "integer(1, 99)"'
    grammar = template(
        "{a} {b} {answer}",
        slots,
        'tokens = "words"',
        "held_out = { validation = 0.2, test = 0.2 }",
        values='answer = "a - b"',
        where="a > b",
    )
    assert grammar.alphabet() == tuple(map(str, range(100)))
    assert all(int(row.split()[2]) > 0 for row, _ in rows(grammar))


def test_a_fault_stands_at_its_line_and_column(tmp_path: Path) -> None:
    """Of a text of several lines too."""
    spec = tmp_path / "study.toml"
    good = Path(__file__).parent.parent / "compiler" / "good.toml"
    (tmp_path / "good.toml").write_text(good.read_text())
    spec.write_text(
        'extends = "good.toml"\n[grammars.x]\nkind = "template"\ntext = """\nIt is {a}.\n'
        'And {bee}? {answer}"""\nslots = { a = "integer(2, 9)" }\nvalues = { answer = "a" }\n'
    )
    with pytest.raises(SpecError) as raised:
        compile(spec)
    (found,) = raised.value.diagnostics
    assert (found.code, found.place.line, found.place.column, found.place.width) == ("P361", 6, 5, 5)
