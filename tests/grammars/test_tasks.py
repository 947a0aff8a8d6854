"""What laws cannot say of tasks: how rows are laid out and read, and where faults are found."""

from __future__ import annotations

from math import log
from typing import Any

import pytest

from procdsl import analysis, generate
from tests.grammars.examples import drawn, operation, read

TWO = """
kind    = "task"
input   = { a = "uniform(sym, length=uniform(1, 3))", b = "permutation(sym, length=2)" }
output  = "concat(a, b) | sort"
symbols = { sym = 50 }
"""


def task(**changes: str) -> Any:
    fields = {"input": "uniform(sym, length=8)", "output": "input | sort", **changes}
    lines = [f'{name} = "{value}"' for name, value in fields.items()]
    return read("\n".join(['kind = "task"', *lines, "symbols = { sym = 99 }"]))


def test_a_row_is_its_format_written_out() -> None:
    grammar = read(TWO)
    assert grammar.tokens()[50:] == ("<sep>", "<end>", "<pad>")
    assert grammar.longest() == 3 + 1 + 2 + 1 + 5 + 1 - 1
    ids, scored = drawn(operation(grammar), "train", 0, 50)
    for row, flags in zip(ids, scored, strict=True):
        words = " ".join(grammar.tokens()[id] for id in row).split(" <sep> ")
        answer = words[2].split(" <end>")[0].split()
        assert sorted(words[0].split() + words[1].split(), key=grammar.tokens().index) == answer
        assert flags.sum() == len(answer) + 1
        assert flags[list(row).index(51)]


@pytest.mark.parametrize(("loss", "scored"), [("output", 8), ("output_end", 9), ("all", 17)])
def test_loss_says_what_is_scored(loss: str, scored: int) -> None:
    _, flags = drawn(operation(task(loss=loss)), "train", 0, 4)
    assert (flags.sum(axis=1) == scored).all()


def test_reasons_name_the_place_and_what_should_stand_there() -> None:
    grammar = read(TWO)
    assert grammar.accepts(["sym3", "<sep>", "sym2", "sym9", "<sep>", "sym2", "sym3", "sym9", "<end>"])
    wrong = ["sym3", "<sep>", "sym2", "sym9", "<sep>", "sym3", "sym2", "sym9", "<end>"]
    assert grammar.reason(wrong) == "'sym3' at 6 should be 'sym2'"
    assert grammar.reason(wrong[:3]) == "it ends too early, after 3 tokens"
    short = ["<sep>", "sym2", "sym9", "<sep>", "sym2", "sym9", "<end>"]
    assert grammar.reason(short) == "'<sep>' at 1 cannot go on an input of 0 symbols, nor end it"
    assert grammar.legal_next(["sym3", "<sep>", "sym2"]) == {f"sym{i}" for i in range(50)} - {"sym2"}
    assert grammar.legal_next(["sym3", "sym1", "sym1"]) == {"<sep>"}


@pytest.mark.parametrize(
    ("changes", "code", "path", "said", "marked"),
    [
        ({"output": "input | srt"}, "P360", ("output",), "srt is no word function", "srt"),
        ({"output": "inptu | sort"}, "P360", ("output",), "inptu is no input", "inptu"),
        ({"output": "input | take"}, "P360", ("output",), "take takes 2 arguments, not 1", "take"),
        ({"output": "input | take(input)"}, "P360", ("output",), "is a word, not a number", "i"),
        ({"output": "input | sort("}, "P360", ("output",), "missing before the end", ""),
        ({"output": "input & sort"}, "P360", ("output",), "'&' has no meaning here", "&"),
        ({"output": "7"}, "P360", ("output",), "depends on no input", "7"),
        ({"output": "take(" * 60}, "P360", ("output",), "parentheses deep", "t"),
        ({"input": "uniform(syn, length=8)"}, "P360", ("input",), "syn is no pool", "syn"),
        ({"input": "uniform(sym)"}, "P360", ("input",), "a length is 1 to", "u"),
        ({"input": "uniform(sym, size=8)"}, "P360", ("input",), "takes no 'size'", "size"),
        ({"output": "input | sum"}, "P360", ("output",), "is a word, not a word of numbers", "i"),
        ({"output": "input | map(3)"}, "P360", ("output",), "a function is missing here", "3"),
        ({"output": "input | chunk(2) | sort"}, "P360", ("output",), "a word of words, not a word", "c"),
        ({"output": "input | fold(compose)"}, "P360", ("output",), "not a word over a group", "i"),
        ({"input": "uniform(group('S9'), length=8)"}, "P360", ("input",), "more than 1,000 elements", "'S9'"),
        ({"input": "uniform(range(5, 5), length=8)"}, "P360", ("input",), "at least 5 and under 5", "range"),
        ({"format": "{input:srt} {output}"}, "P361", ("format",), "no word function", None),
        ({"format": "{input:sort} {output}"}, "P361", ("format",), "cannot be read again", None),
        ({"input": "permutation(sym, length=100)"}, "P360", ("input",), "are all different", "sym"),
        ({"input": "uniform(sym, length=2)"}, "P353", ("input",), "only 9,801 prompts", None),
        ({"format": "{input} {output} {x}"}, "P361", ("format",), "which is no input", None),
        ({"format": "{input} <sep>"}, "P361", ("format",), "leaves out {output}", None),
        ({"format": "{input} sym1 {output}"}, "P362", ("format",), "spelt like a symbol", None),
    ],
)
def test_faults_are_found_and_placed(
    changes: dict[str, str], code: str, path: tuple[str, ...], said: str, marked: str | None
) -> None:
    grammar = task(**changes)
    found = next(iter(grammar.problems(10_000)))
    assert (found.code, found.path) == (code, path)
    assert said in found.message
    if marked is not None:
        start, width = found.span
        assert changes[path[0]][start : start + width] == marked


# ---------------------------------------------------------------- the study's tasks, from their printed rows

SYMBOLS = "symbols = { sym = 99 }"
Rows = list[tuple[list[str], list[bool]]]


def rows(toml: str, count: int = 400) -> Rows:
    """Rows as they are printed, without padding, and what is scored; both ways of making them agree."""
    grammar = read('kind = "task"\n' + toml)
    assert not list(grammar.problems(4_096))
    made = operation(grammar)
    ids, scored = drawn(made, "train", 0, count)
    some = generate.rows(made, seed=0, split="train", start=0, count=20)
    assert (ids[:20].tolist(), scored[:20].tolist()) == some
    found: Rows = []
    for row, flags in zip(ids.tolist(), scored.tolist(), strict=True):
        tokens = [grammar.tokens()[id] for id in row]
        size = len([token for token in tokens if token != "<pad>"])
        assert set(tokens[size:]) <= {"<pad>"}
        assert not any(flags[size:])
        found.append((tokens[:size], [flag == 1 for flag in flags[:size]]))
    for tokens, _ in found[:40]:
        assert grammar.reason(tokens) is None
        for cut, token in enumerate(tokens):
            assert token in grammar.legal_next(tokens[:cut])
    return found


def parts(row: list[str], *marks: str) -> list[list[str]]:
    """A row cut at these tokens, one after another."""
    found = list[list[str]]()
    for mark in marks:
        at = row.index(mark)
        found.append(row[:at])
        row = row[at + 1 :]
    return [*found, row]


def place(symbol: str) -> int:
    return int(symbol.removeprefix("sym"))


def first_ones(word: list[str]) -> list[str]:
    return [symbol for at, symbol in enumerate(word) if symbol not in word[:at]]


@pytest.mark.parametrize(
    ("output", "oracle"),
    [
        ("input", lambda x: x),
        ("input | reverse", lambda x: list(reversed(x))),
        ("input | sort", lambda x: sorted(x, key=place)),
        ("input | unique", first_ones),
        ("input | scan(max)", None),
    ],
)
def test_answers_of_one_input(output: str, oracle: Any) -> None:
    toml = f'input = "uniform(sym, length=64)"\noutput = "{output}"\n{SYMBOLS}'
    if oracle is None:
        (fault,) = read('kind = "task"\n' + toml).problems(4_096)
        assert "scan takes one of add, plus, compose" in fault.message
        return
    for row, scored in rows(toml):
        x, answer, rest = parts(row, "<sep>", "<end>")
        assert (len(x), answer, rest) == (64, oracle(x), [])
        assert scored == [False] * 65 + [True] * (len(answer) + 1)


@pytest.mark.slow
def test_union_and_delete() -> None:
    two = 'input = { a = "uniform(sym, length=32)", b = "uniform(sym, length=32)" }\n'
    found = rows(f'{two}output = "union(a, b)"\nloss = "output"\n{SYMBOLS}', 4_000)
    for row, scored in found:
        a, b, answer, _ = parts(row, "<sep>", "<sep>", "<end>")
        assert answer == first_ones(a + b)
        assert sum(scored) == len(answer)
    # As published: 99 (1 - (98 / 99)**64) different symbols of 64.
    assert sum(sum(scored) for _, scored in found) / len(found) == pytest.approx(47.3, abs=0.2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "share"),
    [
        ("uniform(sym, length=1)", 1 - (98 / 99) ** 64),
        ("choice(x)", 1.0),
        ("choice(x, present=0.75, pool=sym)", 0.75),
    ],
)
def test_delete_has_the_query_as_often_as_declared(query: str, share: float) -> None:
    """Published code draws it from all symbols, so that 0.478 of the words hold it."""
    two = f'input = {{ x = "uniform(sym, length=64)", d = "{query}" }}\n'
    found = rows(f'{two}output = "x | delete_first(d)"\n{SYMBOLS}', 4_000)
    present = 0
    for row, _ in found:
        x, d, answer, _ = parts(row, "<sep>", "<sep>", "<end>")
        present += d[0] in x
        if d[0] in x:
            x.remove(d[0])
        assert answer == x
    assert present / len(found) == pytest.approx(share, abs=0.03)


def number(digits: list[str]) -> int:
    return int("".join(digits))


@pytest.mark.parametrize(("loss", "scored"), [("output_end", 0), ("output_but_first", 1)])
def test_addition_forward(loss: str, scored: int) -> None:
    toml = 'input = { a = "number(digits=5)", b = "number(digits=5)" }\noutput = "add(a, b)"\n'
    for row, flags in rows(f'{toml}format = "{{a}} + {{b}} = {{output}} <end>"\nloss = "{loss}"'):
        a, b, answer, _ = parts(row, "+", "=", "<end>")
        assert len(a) == len(b) == 5
        assert "0" not in (a[0], b[0], answer[0])
        assert number(a) + number(b) == number(answer)
        assert flags == [False] * (12 + scored) + [True] * (len(answer) + 1 - scored)


def test_addition_backwards_and_multiplication() -> None:
    two = 'input = { a = "number(digits=10)", b = "number(digits=uniform(1, 10))" }\n'
    backwards = 'output = "add(a, b) | reverse"\nformat = "{a:reverse} + {b:reverse} = {output:out} <end>"'
    for row, _ in rows(two + backwards):
        a, b, answer, _ = parts(row, "+", "=", "<end>")
        digits = [token.removeprefix("out:") for token in answer]
        assert number(a[::-1]) + number(b[::-1]) == number(digits[::-1])
    for row, _ in rows(f'{two}output = "multiply(a, b)"\nformat = "{{a}} * {{b}} = {{output}} <end>"'):
        a, b, answer, _ = parts(row, "*", "=", "<end>")
        assert number(a) * number(b) == number(answer)


@pytest.mark.slow
def test_steps_are_written_and_scored() -> None:
    toml = 'input = "permutation(sym, length=64)"\noutput = "input | chunk(4) | map(sort) | reverse'
    for row, scored in rows(f'{toml} | flatten | take(16)"\nscratchpad = "steps"\n{SYMBOLS}', 40):
        x, by_four, turned, flat, answer, _ = parts(row, *["<sep>"] * 4, "<end>")
        chunks = [sorted(x[at : at + 4], key=place) for at in range(0, 64, 4)]
        assert by_four == [symbol for chunk in chunks for symbol in chunk]
        assert turned == flat == [symbol for chunk in reversed(chunks) for symbol in chunk]
        assert answer == flat[:16]
        assert sum(scored) == len(row) - 65


def test_group_products_and_numbers() -> None:
    for row, _ in rows(
        'input = "uniform(group(\'S5\'), length=uniform(2, 6))"\noutput = "input | scan(compose)"'
    ):
        x, answer, _ = parts(row, "<sep>", "<end>")
        product = "01234"
        for element, found in zip(x, answer, strict=True):
            product = "".join(element[3:8][int(image)] for image in product)
            assert found == f"S5[{product}]"
    toml = 'input = "uniform(range(0, 5), length=uniform(1, 40))"\noutput = "input | sum | mod(5)"'
    for row, _ in rows(toml):
        x, answer, _ = parts(row, "<sep>", "<end>")
        assert answer == [str(sum(map(int, x)) % 5)]


def test_loops_run_within_loops() -> None:
    made = "input | chunk(4) | map(chunk(2) | map(max) | sort) | flatten"
    for row, _ in rows(f'input = "uniform(sym, length=uniform(5, 12))"\noutput = "{made}"\n{SYMBOLS}', 100):
        x, answer, _ = parts(row, "<sep>", "<end>")
        expected = list[str]()
        for at in range(0, len(x), 4):
            four = x[at : at + 4]
            expected += sorted((max(four[i : i + 2], key=place) for i in range(0, len(four), 2)), key=place)
        assert answer == expected


@pytest.mark.parametrize(
    ("input", "nats"),
    [
        ("uniform(sym, length=4)", 3 * log(5)),
        ("permutation(sym, length=3)", log(4 * 3)),
        ("uniform(range(0, 7), length=3)", 2 * log(7)),
        ("number(digits=4)", 3 * log(10)),
    ],
)
def test_the_floor_of_whole_rows_is_the_entropy_of_the_prompt(input: str, nats: float) -> None:
    grammar = read(
        f'kind = "task"\ninput = "{input}"\noutput = "input | reverse"\nloss = "all"\nsymbols = {{ sym = 5 }}'
    )
    found = analysis.floor(grammar.program(), length=grammar.longest(), context=grammar.longest())
    assert found.low == pytest.approx(nats / grammar.longest())
    assert found.low == found.high
