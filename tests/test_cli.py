"""The commands of the language, as a person calls them: what they print, where, and how they exit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from procdsl import templates
from procdsl.cli import app

HERE = Path(__file__).parent
GOOD = HERE / "compiler" / "good.toml"
BAD = HERE / "compiler" / "bad" / "unknown_kind.toml"
STUDY = HERE.parent / "specs" / "dyck_then_c4.toml"


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def document(*arguments: str | Path) -> Any:
    """What a command prints with --json: one document, and nothing beside it."""
    result = call(*arguments, "--json")
    found = json.loads(result.stdout)
    assert found["format_version"] == 1
    return found


def process(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "procdsl", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)


def test_check_says_what_compiles_and_exits_with_0() -> None:
    result = call("check", GOOD)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{GOOD}: 1 curriculum × 2 seeds, 5 operations\n"
    assert call("check", GOOD, "--quiet").output == ""


def test_check_draws_the_fault_with_its_line_and_a_way_out() -> None:
    result = call("check", BAD)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        f'{BAD}:3:8  P104  unknown grammar kind "dyk"\n'
        '    3 | kind = "dyk"  # error: P104 at 8\n'
        "      |        ^^^^^\n"
        '      = help: did you mean "dyck"? `procdsl kinds` lists them all.\n'
        "1 error in 1 file\n"
    )


def test_check_tells_of_every_file() -> None:
    result = call("check", BAD, GOOD, BAD.parent / "nan.toml")
    assert result.exit_code == 2
    assert f"{GOOD}: 1 curriculum" in result.stdout
    assert result.stderr.endswith("2 errors in 2 files\n")


def test_check_tells_of_the_other_files_where_one_is_not_there(tmp_path: Path) -> None:
    result = call("check", tmp_path / "none.toml", BAD, GOOD)
    assert result.exit_code == 2
    assert "P104" in result.stderr
    assert "there is no file" in result.stderr
    assert "1 curriculum" in result.stdout


def test_many_findings_alike_at_one_place_are_counted(tmp_path: Path) -> None:
    spec = tmp_path / "sweep.toml"
    lengths = list(range(1, 40, 2))
    spec.write_text(f"{GOOD.read_text()}[sweep]\n'grammars.dyck.length' = {lengths}\n")
    told = call("check", spec)
    assert told.exit_code == 2
    assert len(told.stderr.splitlines()) < 100
    assert len(document("check", spec)["diagnostics"]) >= len(lengths)


def test_diagnostics_are_data_with_json() -> None:
    found = document("check", BAD, GOOD)
    assert not found["ok"]
    assert [one["study"] for one in found["specs"]] == ["good"]
    (told,) = found["diagnostics"]
    assert (told["code"], told["line"], told["column"], told["width"]) == ("P104", 3, 8, 5)


@pytest.mark.parametrize("command", ["plan", "run", "status", "compare"])
def test_a_wrong_spec_is_told_alike_by_every_command(command: str) -> None:
    result = call(command, BAD)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "P104" in result.stderr
    found = document(command, BAD)
    assert (found["ok"], found["reason"], found["exit_code"]) == (False, "spec", 2)


def test_a_file_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text("")
    result = call("plan", tmp_path / "stdy.toml")
    assert result.exit_code == 2
    assert f"did you mean {tmp_path / 'study.toml'}?" in result.stderr
    assert document("plan", tmp_path / "stdy.toml")["reason"] == "usage"


def test_plan_shows_phases_transfers_and_totals() -> None:
    result = call("plan", STUDY, "--profile", "cpu")
    assert result.exit_code == 0
    out = result.stdout
    assert re.search(r"^dyck_first +warmup +\d+ +0 +\S+ +\S+ +\S+ +\S+ \wB", out, re.M)
    assert "dyck_first.warmup: shared with dyck_first_55" in out
    assert "transfer into" in out
    assert re.search(r"embedding +– +– +131,072", out)
    assert re.search(r"attention +132,096 +– +–", out)
    assert "15 trials" in out


def test_plan_as_data_holds_the_plan_and_its_cost() -> None:
    found = document("plan", STUDY, "--profile", "none")
    assert found["profile"] is None
    phase = found["cost"]["curricula"]["c4_only"][0]
    assert phase["parameters"] == 124_439_808 + (2048 - 1024) * 768
    assert set(found["keys"]) == {operation["id"] for operation in found["plan"]["operations"]}
    assert found["diagnostics"] == [one for one in found["diagnostics"] if one["severity"] == "note"]


@pytest.mark.slow
def test_plan_marks_what_is_built(tmp_path: Path) -> None:
    spec = tmp_path / "good.toml"
    spec.write_text(GOOD.read_text())
    run = ("run", spec, "--no-tracking", "--device", "cpu", "--replicas", "2", "--quiet")
    assert call(*run).exit_code == 0
    result = call("plan", spec, "--profile", "none")
    assert "built" in result.stdout
    assert re.search(r"time: none, all of the training is done", result.stdout)
    assert document("plan", spec)["built"] == ["alone/s0/learn", "alone/s1/learn"]
    assert document("plan", spec)["speed"]["replicas"] == 2
    more = call("plan", spec, "--set", "seeds=[0,1,2,3]")
    assert re.search(r"time: about .* at the speed measured here.*, 2 models side by side", more.stdout)


def test_diff_names_fields_and_what_must_be_made_again(tmp_path: Path) -> None:
    same = call("diff", GOOD, GOOD)
    assert (same.exit_code, same.stdout) == (0, "the two plans are the same\n")
    result = call("diff", GOOD, GOOD, "--set", "training.optimiser.lr=2e-3", "--set", "seeds=[0]")
    assert "alone/s*/learn.optimiser.lr: 0.001 → 0.002" in result.stdout
    assert "- alone/s1/learn" in result.stdout
    assert "must be made again: alone/s0/learn" in result.stdout
    call("plan", GOOD, "--output", tmp_path / "plan.json", "--quiet")
    assert call("diff", tmp_path / "plan.json", GOOD).stdout == same.stdout
    (tmp_path / "none.json").write_text("[" * 100_000)
    assert call("diff", tmp_path / "none.json", GOOD).exit_code == 2
    changes = document("diff", GOOD, GOOD, "--set", "model.layers=2")["changes"]
    assert {"path": "alone/s0/learn.model.layers", "before": 1, "after": 2} in changes


def test_schema_accepts_the_shipped_studies_and_names_what_it_does_not(tmp_path: Path) -> None:
    from jsonschema import Draft202012Validator

    from procdsl.compiler.text import parse

    path = tmp_path / "schema.json"
    assert call("schema", "--output", path).exit_code == 0
    validator = Draft202012Validator(json.loads(path.read_text()))
    for spec in [GOOD, *sorted(STUDY.parent.glob("*.toml"))]:
        assert not list(validator.iter_errors(parse(str(spec), spec.read_bytes()).plain()))
    broken = parse(str(GOOD), GOOD.read_bytes().replace(b"k      = 4", b"k = 4\nkk = 4")).plain()
    (error,) = validator.iter_errors(broken)
    assert "kk" in error.message


def test_kinds_lists_families() -> None:
    assert re.search(r"^grammars\n(?:  .+\n)*  dyck +Well-nested", call("kinds").stdout, re.M)
    assert "loss" in document("kinds")["evaluations"]


def test_kinds_tells_all_of_one() -> None:
    told = call("kinds", "dyck").stdout
    assert told.startswith("grammar dyck\n  Well-nested brackets")
    assert re.search(r"^  k +required$", told, re.M)
    assert re.search(r"^  p_open +0\.5$", told, re.M)
    assert '[grammars.my_dyck]\nkind   = "dyck"' in call("kinds", "dyck", "--toml").stdout
    assert document("kinds", "dyck")["grammars"]["keys"]["k"] == "required"
    assert document("kinds", "dyk")["help"] == 'did you mean "dyck"?'


def test_every_kinds_toml_can_be_read() -> None:
    import tomllib

    families = {"grammars", "sources", "corpora", "evaluations"}
    assert set(tomllib.loads(call("kinds", "--toml").stdout)) == families


@pytest.mark.parametrize("template", templates.names())
def test_new_writes_a_study_that_compiles_and_overwrites_nothing(
    template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("new", "my_study", "--template", template).exit_code == 0
    assert call("check", "my_study.toml").exit_code == 0
    assert call("check", "my_study.toml", "--profile", "none").exit_code == 0
    before = Path("my_study.toml").read_text()
    again = call("new", "my_study")
    assert (again.exit_code, Path("my_study.toml").read_text()) == (2, before)


@pytest.mark.parametrize("name", ["My Study", "../up", "", "x" * 65])
def test_new_refuses_names_that_are_none(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("new", name).exit_code == 2
    assert not list(tmp_path.iterdir())


def test_doctor_tells_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    found = {one["name"]: one for one in document("doctor", "--store", tmp_path / "store")["findings"]}
    assert found["python"]["well"]
    assert found["torch"]["well"]
    assert not found["hub"]["well"]
    assert not (tmp_path / "store").exists()


def test_help_says_what_each_command_is_for_in_a_line_of_80_columns() -> None:
    for group in ((), ("data",)):
        told = process(*group, "--help", COLUMNS="80").stdout
        assert "..." not in told.partition("\nCommands:\n")[2].strip()


def test_help_shows_commands_to_try_each_on_its_line() -> None:
    assert "\n  procdsl new my_study " in call("--help").stdout
    assert re.search(
        r"\n *procdsl check specs/\*.toml\n *procdsl check study.toml", call("check", "--help").stdout
    )


def test_an_unknown_command_or_option_exits_with_2() -> None:
    assert call("chekc", GOOD).exit_code == 2
    assert call("check", "--no-such").exit_code == 2


@pytest.mark.parametrize("width", ["20", "80"])
def test_neither_width_nor_pipe_breaks_a_diagnostics_first_line(width: str) -> None:
    told = process("check", BAD, COLUMNS=width)
    assert told.stderr.splitlines()[0] == f'{BAD}:3:8  P104  unknown grammar kind "dyk"'


def test_colour_is_for_those_who_want_it() -> None:
    assert "\x1b[" in process("check", BAD, FORCE_COLOR="1").stderr
    assert "\x1b[" not in process("check", BAD).stderr


def test_control_characters_of_a_spec_do_not_reach_the_terminal(tmp_path: Path) -> None:
    spec = tmp_path / "escape.toml"
    spec.write_text(f'extends = "{os.path.relpath(GOOD, tmp_path)}"\n[model]\n"\\u001b[31mred" = 1\n')
    told = process("check", spec)
    assert told.returncode == 2
    assert "\x1b" not in told.stderr


def test_a_bug_is_short_and_its_traceback_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("procdsl.compiler.compile", lambda *a, **k: 1 // 0)
    result = call("check", GOOD)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: this is a bug: ZeroDivisionError")
    assert "Traceback" not in result.stderr
    (report,) = tmp_path.iterdir()
    assert "ZeroDivisionError" in report.read_text()
    assert "Traceback" in call("--debug", "check", GOOD).stderr


def test_an_interrupt_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("procdsl.compiler.compile", stop)
    result = call("check", GOOD)
    assert result.exit_code == 3
    assert "interrupted" in result.stderr
