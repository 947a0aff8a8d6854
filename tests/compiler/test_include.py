"""Libraries: what `include` brings, whose names they are, and where faults in and between files stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from procdsl.compiler import compile, source
from procdsl.errors import SpecError

GOOD = (Path(__file__).parent / "good.toml").read_text()
BRACKETS = '[grammars.brackets]\nkind = "dyck"\nk = 2\nlength = 32\n'
BODY = '[transfers.body]\ntake = ["attention", "mlp"]\n'
READS = '[curricula.other]\nphases = [{ name = "only", data = "brackets", tokens = 128 }]\n'


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Writes files by name, the good study among them; the first is the one to read."""

    def written(**files: str) -> Path:
        (tmp_path / "good.toml").write_text(GOOD)
        for name, text in files.items():
            path = tmp_path / (name.replace("__", "/") + ".toml")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return tmp_path / f"{next(iter(files))}.toml"

    return written


def fault(path: Path) -> tuple[str, str, str]:
    """Code, place and message of the only error; what it points at is quoted."""
    with pytest.raises(SpecError) as raised:
        compile(path)
    (found,) = raised.value.diagnostics
    assert found.place
    assert found.source_line == Path(found.place.file).read_text().split("\n")[found.place.line - 1]
    return found.code, f"{Path(found.place.file).name}:{found.place.line}:{found.place.column}", found.message


def test_names_are_brought_and_keep_their_places(write: Any) -> None:
    study = write(
        study='extends = "good.toml"\ninclude = ["parts/library.toml"]\n' + READS,
        parts__library='include = ["more.toml"]\n' + BRACKETS,
        parts__more=BODY,
    )
    read = source.read(study)
    place = read.places.at(("grammars", "brackets", "k"))
    assert (Path(place.file).name, place.line, place.column) == ("library.toml", 4, 5)
    assert read.data["transfers"]["body"] == {"take": ["attention", "mlp"]}
    assert "include" not in read.data
    assert set(read.data["grammars"]) == {"brackets", "dyck"}
    assert any(getattr(one, "name", "") == "brackets" for one in compile(study).plan.operations)


def test_the_plan_is_that_of_one_file(write: Any) -> None:
    apart = write(study='extends = "good.toml"\ninclude = ["library.toml"]\n' + READS, library=BRACKETS)
    plan = compile(apart).plan
    together = write(study='extends = "good.toml"\n' + BRACKETS + READS)
    assert compile(together).plan == plan


def test_a_file_that_is_included_twice_is_brought_once(write: Any) -> None:
    study = write(
        study='extends = "base.toml"\ninclude = ["one.toml", "two.toml", "./one.toml"]\n' + READS,
        base='extends = "good.toml"\ninclude = ["library.toml"]\n',
        one='include = ["library.toml"]\n',
        two='include = ["library.toml"]\n' + BODY,
        library=BRACKETS,
    )
    assert compile(study).spec.grammars["brackets"].k == 2


def test_of_a_study_the_names_are_brought_and_nothing_else(write: Any) -> None:
    """Another study may be a library: here one that extends a third, with a profile that stays there."""
    study = write(
        study='extends = "good.toml"\ninclude = ["other.toml"]\n' + READS,
        other='extends = "third.toml"\n[model]\nlayers = 77\n[profiles.cpu.grammars.brackets]\nk = 8\n',
        third=BRACKETS + "[curricula.x]\nphases = []\n",
    )
    found = compile(study, profile=None).spec
    assert found.grammars["brackets"].k == 2
    assert found.model.layers != 77
    assert "x" not in found.curricula


def test_what_extends_a_study_may_change_what_that_includes(write: Any) -> None:
    study = write(
        study='extends = "base.toml"\n[grammars.brackets]\nk = 5\n' + READS,
        base='extends = "good.toml"\ninclude = ["library.toml"]\n',
        library=BRACKETS,
    )
    assert compile(study).spec.grammars["brackets"].k == 5


@pytest.mark.parametrize(
    ("include", "code", "column", "said"),
    [
        ('"library.toml"', "P120", 11, "include lists files"),
        ("7", "P120", 11, "include lists files"),
        ('["library.toml", 7]', "P120", 11, "include lists files"),
        ('["/etc/passwd"]', "P120", 12, "relative"),
        ('["libary.toml"]', "P120", 12, "there is no file"),
        ('["."]', "P120", 12, "is not a file"),
        ('[""]', "P120", 12, "is not a file"),
        ('["a\\u0000b"]', "P120", 12, "cannot be read"),
        (f'["{"a" * 5_000}"]', "P120", 12, "cannot be read"),
        ('["library.toml", "study.toml"]', "P121", 28, "study.toml includes study.toml"),
    ],
    ids=range(10),
)
def test_what_is_no_library_is_told_where_it_is_named(
    write: Any, include: str, code: str, column: int, said: str
) -> None:
    study = write(study=f'extends = "good.toml"\ninclude = {include}\n', library=BRACKETS)
    found = fault(study)
    assert found[:2] == (code, f"study.toml:2:{column}")
    assert said in found[2]


def test_circles_are_told_step_by_step(write: Any) -> None:
    study = write(
        study='extends = "good.toml"\ninclude = ["a.toml"]\n',
        a='include = ["b.toml"]\n',
        b='extends = "a.toml"\n',
    )
    assert fault(study) == ("P121", "b.toml:1:11", "a circle: a.toml includes b.toml extends a.toml")


@pytest.mark.parametrize(
    ("files", "place", "other"),
    [
        ({"study": BRACKETS, "one": BRACKETS}, "study.toml:3:11", "one.toml:1"),
        ({"study": "", "one": BRACKETS, "two": BODY + BRACKETS}, "two.toml:3:11", "one.toml:1"),
        ({"study": BODY, "one": "", "two": BODY}, "study.toml:3:12", "two.toml:1"),
    ],
)
def test_one_name_has_one_place(write: Any, files: dict[str, str], place: str, other: str) -> None:
    include = f"include = {[f'{name}.toml' for name in files if name != 'study']}\n"
    files["study"] = 'extends = "good.toml"\n' + include + files["study"]
    code, found, message = fault(write(**files))
    assert (code, found) == ("P129", place)
    assert f"{other} already" in message


def test_one_name_for_two_things_is_told_in_its_file(write: Any) -> None:
    library = '[sources.dyck]\nkind = "shuffled"\nof = "brackets"\n' + BRACKETS
    study = write(study='extends = "good.toml"\ninclude = ["library.toml"]\n', library=library)
    code, place, message = fault(study)
    assert (code, place) == ("P210", "library.toml:1:10")
    assert "already the name of one of the grammars" in message


@pytest.mark.parametrize(
    ("library", "code", "place", "said"),
    [
        ("[grammers.x]\nkind = 'dyck'\n", "P129", "library.toml:1:2", 'no "grammers"'),
        (BRACKETS + "[model]\nlayers = 2\n", "P129", "library.toml:5:2", 'no "model"'),
        ("grammars = 3\n", "P129", "library.toml:1:12", "grammars are tables"),
        (BRACKETS.replace("k = 2", "k = 0"), "P108", "library.toml:3:5", ""),
        (BRACKETS.replace("32", "31"), "P350", "library.toml:4:10", "no word has length 31"),
        ("[grammars.x\n", "P102", "library.toml:1:12", ""),
    ],
)  # fmt: skip
def test_faults_in_a_library_are_told_there(
    write: Any, library: str, code: str, place: str, said: str
) -> None:
    study = write(study='include = ["library.toml"]\n' + GOOD, library=library)
    found = fault(study)
    assert found[:2] == (code, place)
    assert said in found[2]
