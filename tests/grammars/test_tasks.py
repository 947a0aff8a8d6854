"""What laws cannot say of tasks: how rows are laid out and read, and where faults are found."""

from __future__ import annotations

from typing import Any

import pytest

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
    assert "no input is so long" in grammar.reason(
        ["<sep>", "sym2", "sym9", "<sep>", "sym2", "sym9", "<end>"]
    )
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
        ({"output": "7"}, "P360", ("output",), "a number, not a word", "7"),
        ({"output": "take(" * 60}, "P360", ("output",), "parentheses deep", "t"),
        ({"input": "uniform(syn, length=8)"}, "P360", ("input",), "syn is no pool", "syn"),
        ({"input": "uniform(sym)"}, "P360", ("input",), "a length is 1 to", "u"),
        ({"input": "uniform(sym, size=8)"}, "P360", ("input",), "takes no 'size'", "size"),
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
