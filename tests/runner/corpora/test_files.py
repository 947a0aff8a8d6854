"""Local files: every fault is an error that names the file; nothing is skipped in silence."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from procdsl.errors import RunError
from procdsl.plan.sources.files import FilesSource
from runner.corpora.sources import files
from tests.runner.corpora.made import bound, documents, jsonl, operation, prepared


def read(*paths: Path, format: str = "jsonl") -> list[str]:
    source = FilesSource(paths=tuple(map(str, paths)), format=format)
    return list(files.documents(source, digest=files.pin(source).digest))


def test_all_formats_give_the_same_documents(tmp_path: Path) -> None:
    texts = documents(50)
    parquet.write_table(pa.table({"text": texts, "n": range(50)}), tmp_path / "a.parquet")
    plain = tmp_path / "a.txt.gz"
    plain.write_bytes(gzip.compress("\n\n\n".join(texts).encode()))
    assert read(jsonl(tmp_path / "a.jsonl", texts)) == texts
    assert read(jsonl(tmp_path / "a.jsonl.gz", texts)) == texts
    assert read(tmp_path / "a.parquet", format="parquet") == texts
    assert read(plain, format="text") == texts


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def rot(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("b.jsonl.gz", truncate, "damaged or cut short"),
        ("b.jsonl.gz", rot, r"b\.jsonl\.gz"),
        ("b.jsonl", truncate, "no JSON"),
        ("b.jsonl", lambda path: path.write_bytes(b""), "is empty"),
        ("b.jsonl", lambda path: path.write_bytes(b"\n\n"), "holds no document"),
        ("b.jsonl", lambda path: path.unlink(), "No such file"),
        (
            "b.jsonl",
            lambda path: jsonl(path, ["x"], column="body"),
            "column 'text'; it has 'body'",
        ),
        ("b.jsonl", lambda path: path.write_bytes(b'{"text": null}\n'), "no text in column"),
        ("b.jsonl", lambda path: path.write_bytes(b"[1, 2]\n"), "no text in column"),
        (
            "b.jsonl",
            lambda path: path.write_bytes(b'\n{"text": "\xff"}\n'),
            r"b\.jsonl:2 is no UTF-8 .* byte 11",
        ),
        ("b.jsonl", lambda path: path.write_bytes(b"[" * 100_000), r"b\.jsonl:1 is no JSON"),
    ],
)
def test_a_damaged_file_is_named(
    tmp_path: Path, name: str, damage: Callable[[Path], object], message: str
) -> None:
    good, bad = jsonl(tmp_path / "a.jsonl", documents(50)), jsonl(tmp_path / name, documents(200, start=50))
    damage(bad)
    with pytest.raises(RunError, match=message) as raised:
        read(good, bad)
    assert str(bad) in str(raised.value)
    assert raised.value.help


def test_damaged_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"body": documents(50)}), path)
    with pytest.raises(RunError, match=r"a\.parquet has no text in column 'text'; it has 'body'"):
        read(path, format="parquet")
    truncate(path)
    with pytest.raises(RunError, match=r"a\.parquet is unreadable"):
        read(path, format="parquet")


def test_a_file_that_changed_since_the_binding_is_refused(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", documents(200))
    made, place, _ = bound(operation(), tmp_path)
    jsonl(path, documents(200, start=7))
    from runner.corpora import prepare
    from runner.events import ignore

    with pytest.raises(RunError, match=r"a\.jsonl.*not those this study is bound to") as raised:
        prepare(made, place, observe=ignore)
    assert raised.value.reason == "data-changed"


def test_globs_are_pinned_when_bound(tmp_path: Path) -> None:
    jsonl(tmp_path / "data" / "a.jsonl", documents(150))
    jsonl(tmp_path / "data" / "b.jsonl", documents(150, start=150))
    source = FilesSource(paths=("data/*.jsonl",), format="jsonl")
    first, _, _ = bound(operation(source=source), tmp_path)
    jsonl(tmp_path / "data" / "c.jsonl", documents(150, start=300))
    again, _, _ = bound(operation(source=source), tmp_path)
    assert again == first
    fresh, _, _ = bound(operation(source=source), tmp_path, rebind=True)
    assert fresh.binding != first.binding
    with pytest.raises(RunError, match="no file matches"):
        bound(operation(source=FilesSource(paths=("no/*.jsonl",), format="jsonl")), tmp_path)


def test_where_files_lie_is_no_part_of_identity(tmp_path: Path) -> None:
    for folder in ("here", "there"):
        jsonl(tmp_path / folder / "a.jsonl", documents(200))
    here, place, _ = bound(operation(), tmp_path / "here")
    there, other, _ = bound(operation(), tmp_path / "there")
    assert here.binding == there.binding
    assert place.name == other.name


def test_half_a_surrogate_pair_does_no_harm(tmp_path: Path) -> None:
    texts = [*documents(100), "half a pair: \ud800!"]
    jsonl(tmp_path / "a.jsonl", texts)
    corpus, _ = prepared(operation(train_tokens=1000, validation_tokens=10), tmp_path)
    assert corpus.train_tokens > 1000
