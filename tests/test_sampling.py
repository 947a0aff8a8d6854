"""`procdsl sample`: rows as training reads them, for people and as data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from procdsl.cli import app

SPEC = str(Path(__file__).parent.parent / "specs" / "smoke.toml")


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["sample", SPEC, *arguments])
    return done.exit_code, done.output


def name_of_a_grammar() -> str:
    import tomllib

    return next(iter(tomllib.loads(Path(SPEC).read_text(encoding="utf-8"))["grammars"]))


def test_rows_as_data_and_as_text_are_the_same() -> None:
    code, text = run(name_of_a_grammar(), "-n", "2", "--json")
    rows = json.loads(text)["rows"]
    assert (code, len(rows)) == (0, 2)
    code, shown = run(name_of_a_grammar(), "-n", "2")
    assert code == 0
    assert all(token in shown for row in rows for token in row["tokens"])


def test_many_rows_by_the_kernel_begin_with_the_same() -> None:
    few = json.loads(run(name_of_a_grammar(), "-n", "2", "--json")[1])["rows"]
    many = json.loads(run(name_of_a_grammar(), "-n", "3000", "--json")[1])["rows"]
    assert many[:2] == few


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("nobody",), "no grammar or source called"), (("GRAMMAR", "--split", "foo"), "is no split")],
)
def test_wrong_calls_are_told(arguments: tuple[str, ...], said: str) -> None:
    code, text = run(*(name_of_a_grammar() if part == "GRAMMAR" else part for part in arguments))
    assert code == 2
    assert said in text
