"""Bad specs, one fault each: what is told, with its code, line and column, and that nothing worse happens.

The fault's line says `# error: P104 at 8`, code and column. Where no comment can stand, the first line says
`# expect: P100 2:69`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from procdsl.cli import app
from procdsl.compiler import compile
from procdsl.errors import Severity, SpecError
from tests.compiler.minimal import MINIMAL

BAD = Path(__file__).parent / "bad"
_BESIDE = re.compile(rb"# error: (P\d+) at (\d+)")
_ABOVE = re.compile(rb"# expect: (P\d+) (\d+):(\d+)")

every_spec = pytest.mark.parametrize("path", sorted(BAD.iterdir()), ids=lambda path: path.name)


def expected(path: Path) -> list[tuple[str, int, int]]:
    """What the comments of a bad spec say: code, line, column."""
    lines = path.read_bytes().split(b"\n")
    if above := _ABOVE.match(lines[0]):
        return [(above[1].decode(), int(above[2]), int(above[3]))]
    found = ((number, _BESIDE.search(line)) for number, line in enumerate(lines, 1))
    return [(comment[1].decode(), number, int(comment[2])) for number, comment in found if comment]


@every_spec
def test_a_fault_is_told_once_where_it_is(path: Path) -> None:
    with pytest.raises(SpecError) as raised:
        compile(path)
    found = [one for one in raised.value.diagnostics if one.severity is Severity.ERROR]
    told = [(one.code, one.place.line, one.place.column) for one in found if one.place]
    assert told == expected(path)
    assert all(one.source_line for one in found)


@every_spec
def test_the_command_says_so_and_exits_with_2(path: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(path)])
    ((code, line, column),) = expected(path)
    assert result.exit_code == 2
    assert re.search(rf":{line}:{column}  {code}  \S", result.output)
    assert "Traceback" not in result.output
    assert "\x1b" not in result.output
    assert result.output.rstrip().endswith("1 error in 1 file")


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("schedule", 'write schedule = { kind = "constant" } or "cosine" or "linear"'),
        ("optimiser", "write optimiser = { lr = … }"),
        ("name", 'write name = "…"'),
        ("seeds", "write seeds = …"),
    ],
)
def test_a_missing_key_is_sketched(key: str, written: str, tmp_path: Path) -> None:
    less = tmp_path / "less.toml"
    less.write_text(re.sub(rf"^{key} *=.*\n", "", MINIMAL.read_text("utf-8"), count=1, flags=re.M), "utf-8")
    with pytest.raises(SpecError) as raised:
        compile(less, profile=None)
    assert [(one.code, one.help) for one in raised.value.diagnostics] == [("P106", written)]


def test_a_preset_for_a_kind_is_told_from_it(tmp_path: Path) -> None:
    taken = tmp_path / "taken.toml"
    taken.write_text(MINIMAL.read_text("utf-8") + '\n[grammars.other]\nkind = "needle"\n', "utf-8")
    with pytest.raises(SpecError) as raised:
        compile(taken, profile=None)
    assert [one.help for one in raised.value.diagnostics] == ['it is a preset: write preset = "needle"']


def test_all_faults_of_a_spec_are_told_at_once(tmp_path: Path) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text(
        'extends = "good.toml"\n'
        '[model]\nlayers = 0\ndropot = 1\n[grammars.dyck]\nk = "many"\n[curricula.x]\nphases = 3\n'
    )
    (tmp_path / "good.toml").write_text((BAD.parent / "good.toml").read_text())
    with pytest.raises(SpecError) as raised:
        compile(faults)
    assert [one.code for one in raised.value.diagnostics] == ["P108", "P105", "P107", "P107"]
