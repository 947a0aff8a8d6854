"""Which curricula a comparison draws as a line over an amount."""

from __future__ import annotations

from pathlib import Path

from procdsl.compiler import compile
from runner.compare.amounts import Line, lines

SPECS = Path(__file__).parents[3] / "specs"


def test_doses_of_one_source_are_a_line_each() -> None:
    found = list(lines(compile(SPECS / "additive_c4.toml", profile="cpu").plan))
    assert [line.name for line in found] == ["set_first", "union_first", "sort_first", "dyck_first"]
    assert {line.sort for line in found} == {"procedural"}
    assert found[0].curricula == ("set_first_steps50", "set_first_steps200")


def test_budgets_of_text_are_a_line() -> None:
    found = list(lines(compile(SPECS / "dyck_then_c4.toml", profile="cpu").plan))
    assert found == [Line("dyck_first", "text", ("dyck_first_55", "dyck_first"))]


def test_other_sources_make_no_line() -> None:
    assert not list(lines(compile(SPECS / "controls.toml", profile="cpu").plan))
