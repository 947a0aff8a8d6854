"""Reading: values and places in both languages, hostile texts, and that no text brings the reader down."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from procdsl.compiler import compile, source
from procdsl.compiler.text import parse
from procdsl.errors import ProcdslError, SpecError, UsageError

SPECS = Path(__file__).parents[2] / "specs"
TOML = """
title = "é" # a comment
plain.dotted = 1
[grammars.dyck]
length = { uniform = [8, 16] }

[[phases]]
name = "first"
[phases.inner]
text = '''
two lines'''
[[phases]]
"name" = 'second'
"""
YAML = """
title: "é" # a comment
plain: {dotted: 1}
grammars:
  dyck: &d
    length: {uniform: [8, 0x10]}
again: *d
phases:
  - name: first
  - {name: second, share: 1e-3, big: 65_536, on: no}
"""


def place(file: str, text: str, *path: str | int) -> str:
    tree = parse(file, text.encode())
    found = tree.get(path)
    assert found is not None
    key = f"{found.key.line}:{found.key.column}" if found.key else "-:-"
    return f"{key} {found.place.line}:{found.place.column}+{found.place.width}"


@pytest.mark.parametrize(
    ("path", "where"),
    [
        (("title",), "2:1 2:9+3"),
        (("plain",), "3:1 3:1+5"),
        (("plain", "dotted"), "3:7 3:16+1"),
        (("grammars",), "4:2 4:2+8"),
        (("grammars", "dyck"), "4:11 4:11+4"),
        (("grammars", "dyck", "length", "uniform", 1), "-:- 5:26+2"),
        (("phases", 0), "7:3 7:1+10"),
        (("phases", 0, "inner", "text"), "10:1 10:8+1"),
        (("phases", "second", "name"), "13:1 13:10+8"),
    ],
)
def test_toml_values_and_keys_have_places(path: tuple[str | int, ...], where: str) -> None:
    assert place("x.toml", TOML, *path) == where


@pytest.mark.parametrize(
    ("path", "where"),
    [
        (("title",), "2:1 2:8+3"),
        (("plain", "dotted"), "3:9 3:17+1"),
        (("grammars", "dyck", "length", "uniform", 1), "-:- 6:27+4"),
        (("again", "length", "uniform", 0), "-:- 6:24+1"),
        (("phases", "second", "share"), "10:20 10:27+4"),
    ],
)
def test_yaml_values_and_keys_have_places(path: tuple[str | int, ...], where: str) -> None:
    assert place("x.yaml", YAML, *path) == where


def test_yaml_scalars_are_those_of_yaml_1_2() -> None:
    text = "a: no\nb: 1e6\nc: 12:30:45\nd: 0o17\ne: 'true'\nf: 2026-01-01\ng: .5\nh: 010\n1: on\n"
    assert parse("x.yml", text.encode()).plain() == {
        "a": "no", "b": 1e6, "c": "12:30:45", "d": 15, "e": "true", "f": "2026-01-01", "g": 0.5, "h": 10,
        "1": "on",
    }  # fmt: skip


@pytest.mark.parametrize("file", ["x.toml", "x.yaml"])
def test_a_byte_order_mark_and_windows_line_ends_are_forgiven(file: str) -> None:
    text = 'a = 1\nb = """\nx"""\n' if file.endswith("toml") else "a: 1\nb: |\n  x\n"
    raw = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
    assert parse(file, raw).plain() == parse(file, text.encode()).plain()
    assert parse(file, raw).value["b"].key.line == 2


def test_both_languages_mean_the_same(tmp_path: Path) -> None:
    import yaml

    toml = source.read(SPECS / "dyck_then_c4.toml", profile="cpu")
    (tmp_path / "same.yaml").write_text(yaml.safe_dump(toml.data, sort_keys=False))
    assert source.read(tmp_path / "same.yaml").data == toml.data


@pytest.mark.parametrize(
    "raw",
    [
        b"a = " + b"[" * 50_000,
        b"a = " + b"{a=" * 50_000,
        b'a = """' + b"[" * 50_000,
        b"a." * 30_000 + b"b = 1",
        b'"""\\' * 200_000,
        b'\\" ' * 300_000,
        b"''' '" * 200_000,
        b"x = 1\n" * 170_000,
        (b"x" * 63_000 + b" ") * 16,
        b"a = " + b"9" * 6000,
        b"\xff\xfe" * 10,
        b"a = 1\x00",
        b"a = 1\n" + b"#" * (1 << 20),
    ],
    ids=range(13),
)
@pytest.mark.parametrize("file", ["x.toml", "x.yaml"])
def test_hostile_texts_are_refused_with_a_place(file: str, raw: bytes) -> None:
    with pytest.raises(SpecError) as raised:
        parse(file, raw)
    assert all(found.place for found in raised.value.diagnostics)


def test_what_is_no_readable_file_is_the_calls_fault(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text("")
    for path, way in ((tmp_path, "name a"), (tmp_path / "studdy.toml", "study.toml")):
        with pytest.raises(UsageError) as raised:
            source.read(path)
        assert way in raised.value.help
    with pytest.raises(UsageError):
        source.read("a\0b.toml")


def test_an_empty_file_is_told_what_is_missing(tmp_path: Path) -> None:
    for name in ("empty.toml", "empty.yaml"):
        (tmp_path / name).write_text("# nothing\n")
        with pytest.raises(SpecError) as raised:
            compile(tmp_path / name)
        told = {one.message for one in raised.value.diagnostics}
        assert {'"procdsl" is missing', '"curricula" is missing'} <= told


@pytest.mark.parametrize("seed", range(40))
def test_no_mutation_of_a_shipped_spec_brings_the_compiler_down(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    pieces = [
        *b"[]{}=\"'\n,.%#",
        b'"""',
        b"nan",
        b"-1",
        b"true",
        b"[]",
        b"2026-01-01",
        b"\xff",
        b"\x00",
        b"like",
    ]
    text = bytearray((SPECS / "dyck_then_c4.toml").read_bytes())
    for _ in range(draw.choice([1, 1, 2, 4])):
        at, end = (draw.randrange(len(text)) for _ in range(2))
        piece = draw.choice(pieces)
        text[at : draw.choice([at, at, at + 3])] = draw.choice(
            [bytes([piece]) if isinstance(piece, int) else piece, bytes(text[end : end + 40])]
        )
    (tmp_path / "mutant.toml").write_bytes(text)
    told = ""
    try:
        compile(tmp_path / "mutant.toml")
    except ProcdslError as error:
        told = str(error)
    assert "pydantic" not in told
