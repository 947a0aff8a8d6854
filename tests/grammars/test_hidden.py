"""Tasks that do not show all they draw: what is drawn from words, how rows are told apart and read."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from math import log
from typing import Any

import numpy as np
import pytest

from procdsl import analysis, generate
from procdsl.splits import content, spelling
from tests.grammars.examples import drawn, operation, read

HIDDEN = """
kind    = "task"
let     = { a = "uniform(sym, length=uniform(2, 4))", b = "uniform(sym, length=2)" }
input   = "concat(a, '+', b)"
output  = "input | split('+') | flatten | sort"
symbols = { sym = 300 }
"""


def task(let: dict[str, str], **fields: str) -> Any:
    lines = [f'{name} = "{value}"' for name, value in {"output": "x", **fields}.items()]
    made = ", ".join(f'{name} = "{text}"' for name, text in let.items())
    return read("\n".join(['kind = "task"', f"let = {{ {made} }}", "symbols = { sym = 50, t = 3 }", *lines]))


def printed(grammar: Any, count: int, split: str = "train") -> list[list[str]]:
    """Rows as they are printed, both ways alike."""
    made = operation(grammar)
    ids, scored = drawn(made, split, 0, count)
    some = generate.rows(made, seed=0, split=split, start=0, count=5)
    assert (ids[:5].tolist(), scored[:5].tolist()) == some
    return [[token for id in row if (token := made.tokens[id]) != "<pad>"] for row in ids]


def test_quoted_tokens_stand_behind_the_pools_and_are_those_of_the_format() -> None:
    grammar = read(HIDDEN.replace("symbols", 'format  = "{input} + {output} <end>"\nsymbols'))
    assert grammar.tokens()[298:] == ("sym298", "sym299", "+", "<end>", "<pad>")
    for row in printed(grammar, 20):
        a, b, answer = " ".join(row[:-1]).split(" + ")
        word = [*a.split(), *b.split()]
        assert answer.split() == sorted(word, key=grammar.tokens().index)


def test_an_answer_that_follows_is_checked_though_what_it_follows_from_was_not_drawn() -> None:
    grammar = read(HIDDEN)
    good = ["sym7", "sym3", "+", "sym5", "sym5", "<sep>", "sym3", "sym5", "sym5", "sym7", "<end>"]
    assert grammar.reason(good) is None
    assert grammar.reason([*good[:6], "sym5", *good[7:]]) == "'sym5' at 7 should be 'sym3'"
    assert grammar.legal_next(good[:6]) == {"sym3"}
    assert "sym9" in grammar.legal_next(good[:1])
    # A word that hangs on something hidden is held to its length: 5 to 7.
    assert "sym9" not in grammar.legal_next(["sym1"] * 7)
    assert grammar.reason(["sym1", "<sep>", "sym1", "<end>"]) is not None


def test_a_word_that_stands_before_what_it_follows_from_is_checked_in_the_end() -> None:
    grammar = task(
        {"x": "uniform(sym, length=3)", "y": "x | reverse"}, format="{y} <a> {output} <end>", output="x"
    )
    for row in printed(grammar, 10):
        assert row[:3] == row[4:7][::-1]
        assert grammar.reason(row) is None
        wrong = [*row[:1], "sym0" if row[1] != "sym0" else "sym1", *row[2:]]
        assert f"at 2 should be {row[1]!r}" in grammar.reason(wrong)


def test_what_is_drawn_from_a_word() -> None:
    """`uniform(x)`: each of its symbols by itself; `shuffle(x)`: every order; `weighted`: by shares."""
    let = {
        "x": "sample(sym, length=3)",
        "y": "uniform(x, length=uniform(2, 3))",
        "z": "shuffle(x)",
        "n": "weighted(t, 6, 3, 1, length=2)",
    }
    grammar = task(let, format="{x} <a> {y} <b> {z} <c> {output} <end>", output="n")
    orders, among, shares = Counter[Any](), Counter[Any](), Counter[str]()
    for row in printed(grammar, 3_000):
        a, b, c = (row.index(mark) for mark in ("<a>", "<b>", "<c>"))
        x, y, z, n = row[:a], row[a + 1 : b], row[b + 1 : c], row[c + 1 : -1]
        orders[tuple(map(x.index, z))] += 1
        among.update(map(x.index, y))
        shares.update(n)
    assert {*orders} == {*permutations(range(3))}
    assert all(count == pytest.approx(500, abs=100) for count in orders.values())
    assert all(count == pytest.approx(2_500, abs=200) for count in among.values())
    assert [shares[f"t{i}"] for i in range(3)] == pytest.approx([3_600, 1_800, 600], abs=160)
    shown = ["sym1", "sym2", "sym3", "<a>", "sym1", "sym1", "<b>", "sym3", "sym1"]
    assert grammar.legal_next(shown) == {"sym2"}
    assert grammar.legal_next(shown[:5]) == {"sym1", "sym2", "sym3"}
    assert grammar.legal_next(shown[:6]) == {"sym1", "sym2", "sym3", "<b>"}


def test_the_parts_are_of_what_is_shown() -> None:
    """Prompts that came of different draws belong to one part: `x` is hidden, its first symbols are shown."""
    grammar = task(
        {"x": "uniform(sym, length=6)", "y": "x | take(3)"}, format="{y} <a> {output} <end>", output="y"
    )
    made, seen = operation(grammar), dict[str, set[str]]()
    assert made.program.hashed
    for split in ("train", "validation", "test"):
        low, high = made.program.split.bounds(split)
        rows = printed(grammar, 4_000, split)
        seen[split] = {" ".join(row) for row in rows}
        assert all(low <= content(map(spelling, (*row[:3], "<pad>"))) <= high for row in rows[:200])
    assert len(seen["test"]) < 4_000
    assert not seen["train"] & (seen["test"] | seen["validation"])


def test_a_task_that_shows_all_is_hashed_as_ever() -> None:
    shown = task({}, input="uniform(sym, length=8)", output="input")
    assert shown.program().hashed == ()
    assert "hashed" not in shown.program().model_dump_json()


@pytest.mark.parametrize(
    ("output", "high"),
    [("x | sort", 0.0), ("x | permute(o)", log(6) / 4), ("b", log(50) / 2)],
)
def test_the_floor_of_a_hidden_answer_is_between_nothing_and_what_is_hidden(output: str, high: float) -> None:
    let = {"x": "sample(sym, length=3)", "o": "permutation(range(0, 3))", "b": "uniform(sym, length=1)"}
    grammar = task(let, format="{x} <a> {output} <end>", output=output)
    found = analysis.floor(grammar.program(), length=7, context=7)
    assert (found.low, found.high) == (0, pytest.approx(high))


@pytest.mark.parametrize(
    ("let", "fields", "said"),
    [
        ({"x": "uniform(y, length=3)", "y": "uniform(sym, length=3)"}, {}, "y is no input"),
        ({"x": "uniform(sym, length=8) | sort"}, {}, "uniform is no word function"),
        ({"x": "unifrom(sym, length=8)"}, {}, "unifrom is no way to draw an input"),
        ({"x": "uniform(sym, length=8)", "y": "x | srot"}, {}, "srot is no way to draw an input"),
        ({"x": "uniform(sym, length=8)", "y": "concat(x, '')"}, {}, "what stands in quotes is one token"),
        ({"x": "uniform(sym, length=8)", "y": "concat(x, 'a b')"}, {}, "what stands in quotes is one token"),
        ({"x": "uniform(sym, length=8)", "y": "concat(x, 'sym1')"}, {}, "sym1 is spelt like a symbol"),
        ({"x": "uniform(sym, length=8)", "y": "concat(x, '<pad>')"}, {}, "<pad> is spelt like a symbol"),
        ({"x": "'a'"}, {}, "a task draws at least one word"),
        ({"x": "uniform(sym, length=8)", "output": "x"}, {}, "output is named twice"),
        ({"input": "uniform(sym, length=8)"}, {"input": "input"}, "input is named twice"),
        ({"x": "uniform(sym, length=8)", "y": "shuffle(x | take(0))"}, {}, "a word that may be empty"),
        ({"x": "uniform(sym, length=8)", "y": "weighted(t, 1, 1, length=2)"}, {}, "needs its share"),
        ({"x": "uniform(sym, length=8)", "y": "weighted(t, 0, 0, 0, length=2)"}, {}, "needs its share"),
        ({"x": "uniform(sym, length=8)", "y": "weighted()"}, {}, "needs its share"),
        ({"x": "uniform(sym, length=8)", "y": "shuffle(x, 3)"}, {}, "shuffle takes one word"),
        ({"x": "uniform(sym, length=9000)", "y": "shuffle(x | repeat(9))"}, {}, "too long to be shuffled"),
        ({"x": "uniform(sym, length=8)", "y": "x | take(4)"}, {"format": "{y} {z} {output}"}, "is no input"),
        ({"x": "uniform(sym, length=uniform(2, 8))", "y": "x | reverse"}, {"format": "{y} {output}"}, "ends"),
        ({"x": "uniform(sym, length=8)", "y": "put(x, x, x)"}, {}, "is a word, not a word of numbers"),
        ({"x": "uniform(sym, length=8)", "y": "x | cut(3) | flatten"}, {}, ""),
    ],
)
def test_faults_of_what_is_hidden(let: dict[str, str], fields: dict[str, str], said: str) -> None:
    grammar = task(let, **{"format": "{x} <a> {output} <end>", **fields})
    found = [problem.message for problem in grammar.problems(100_000)]
    assert (not found) if not said else any(said in message for message in found), found


def test_a_task_without_a_prompt_says_what_it_lacks() -> None:
    (found,) = read('kind = "task"\noutput = "x"\nlet = { x = "uniform(sym, length=8)" }').problems(100)
    assert "an input, or a format" in found.message


def test_numbers_of_a_let_are_swept_as_others() -> None:
    grammar = read(
        'kind = "task"\nlet = { x = "uniform(sym, length=n)" }\ninput = "x | reverse"\noutput = "input"\n'
        "symbols = { sym = 50 }\nn = 5"
    )
    assert grammar.longest() == 5 + 1 + 5
    assert np.mean([len(row) for row in printed(grammar, 5)]) == 12
