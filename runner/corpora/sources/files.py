"""Text from an explicit list of local files: jsonl, parquet or plain text, each perhaps gzipped.

Globs are expanded once, when the study is bound, and pinned file by file: a shard that is missing, empty
or changed later is an error that names it. (`datasets` reads 6,000 of 8,000 documents and says nothing.)
"""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator
from functools import cache
from glob import glob, has_magic
from pathlib import Path
from typing import IO, Any, TypeVar

from procdsl.errors import RunError
from procdsl.plan.sources.files import FilesSource
from runner.corpora.sources import Pinned, Reading
from runner.store import sha256

# No document, and no pair of sentences, is so long: it is another sort of file.
_LONGEST = 100_000_000
T = TypeVar("T")
Inventory = tuple[tuple[str, int, str], ...]


def pin(source: FilesSource, *, offline: bool = True) -> Pinned:
    """The digest is over names, sizes and hashes of the files, in order; not over where they lie."""
    found = inventory(source.paths)
    return Pinned(source, f"{len(found)} files", digest([*found, (source.format, 0, source.column)]), found)


def open(source: FilesSource, *, digest: str, cursor: dict[str, Any] | None) -> Reading:
    return Reading(documents(source, digest=digest), cursor=cursor)


def documents(source: FilesSource, *, digest: str) -> Iterator[str]:
    """Every document of every file. Plain text has one a paragraph: blank lines stand between them."""
    found = pin(source)
    if found.digest != digest:
        listed = ", ".join(
            f"{path} {size:,} bytes {sha256[:12]}" for path, size, sha256 in found.inventory[:5]
        )
        raise changed(f"the files ({listed})", found.digest, digest)
    read = {"jsonl": _jsonl, "parquet": _parquet, "text": _text}[source.format]
    for path in source.paths:
        count = 0
        for text in guarded(Path(path), read(Path(path), source.column)):
            count += 1
            yield text
        if not count:
            raise RunError(f"{path} holds no document", reason="data", help="take it off the list")


def inventory(paths: Iterable[str]) -> Inventory:
    """Name, size and sha256 of each file; a RunError naming one that is missing or empty."""
    found = []
    for path in map(Path, paths):
        try:
            stat = path.stat()
            if not path.is_file() or not stat.st_size:
                what = "is empty" if path.is_file() else "is not a file"
                raise RunError(f"{path} {what}", reason="data", help="mend it, or take it off the list")
            found.append((path.name, stat.st_size, _sha256(path, stat.st_size, stat.st_mtime_ns)))
        except OSError as error:
            help = "paths are relative to the spec's folder; absolute ones are taken as they are"
            raise RunError(f"{path} cannot be read: {error.strerror}", reason="data", help=help) from error
    return tuple(found)


def digest(inventory: Iterable[tuple[str, int, str]]) -> str:
    return hashlib.sha256(json.dumps(list(inventory)).encode()).hexdigest()


def changed(what: str, found: str, bound: str) -> RunError:
    """A text is another than the one a study is bound to."""
    return RunError(
        f"{what} are not those this study is bound to (digest {found[:12]}, bound to {bound[:12]})",
        reason="data-changed",
        help="bring back the files of before, or run with --rebind to start again on the new text",
    )


def expanded(written: Iterable[str], folder: Path) -> tuple[str, ...]:
    """The files that paths and globs mean, those of a glob in name order; relative ones stay relative."""
    return tuple(path for one in written for path in _expanded(one, folder))


def _expanded(written: str, folder: Path) -> list[str]:
    if not has_magic(written) or (folder / written).exists():
        return [written]
    # `Path.glob` takes no absolute pattern.
    if not (found := sorted(glob(written, root_dir=folder, recursive=True))):  # noqa: PTH207
        raise RunError(
            f"no file matches {written!r} in {folder.resolve()}",
            reason="data",
            help="mend the path, or put files there",
        )
    return found


@cache
def _sha256(path: Path, size: int, changed: int) -> str:
    return sha256(path)


def guarded(path: Path, parts: Iterator[T]) -> Iterator[T]:
    """What is read of a file, with its name on whatever is wrong with it."""
    try:
        yield from parts
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, f"damaged or cut short ({error})") from error
    except UnicodeDecodeError as error:
        raise _damaged(path, f"no UTF-8 ({error.reason} at byte {error.start:,})") from error
    except OSError as error:
        raise _damaged(path, f"unreadable ({error})") from error


def _damaged(path: Path, what: str) -> RunError:
    return RunError(f"{path} is {what}", reason="data", help="copy it again from where it came")


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def rows(path: Path) -> Iterator[tuple[str, Any]]:
    """What stands on each line of a file of JSON that is not blank, and where: the path and the line.

    Lines end in a line feed, and in nothing else that Unicode has for it. A mark of the byte order may begin
    the file.
    """
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for number in itertools.count(1):
            if not (line := file.readline(_LONGEST + 1)):
                return
            where = f"{path}:{number}"
            if len(line) > _LONGEST:
                help = "write a document, or a pair of sentences, a line"
                raise RunError(f"{where} has more than {_LONGEST:,} bytes", reason="data", help=help)
            try:
                if text := line.decode("utf-8-sig" if number == 1 else "utf-8").strip():
                    yield where, json.loads(text)
            except UnicodeDecodeError as error:
                fault = f"no UTF-8 ({error.reason} at byte {error.start + 1:,} of the line)"
                raise _damaged(Path(where), fault) from error
            except (ValueError, RecursionError) as error:
                raise _damaged(Path(where), f"no JSON ({error})") from error


def _jsonl(path: Path, column: str) -> Iterator[str]:
    for where, row in rows(path):
        if not isinstance(row, dict) or not isinstance(row.get(column), str):
            raise _no_text(where, column, row)
        yield row[column]


def _parquet(path: Path, column: str) -> Iterator[str]:
    from pyarrow import ArrowException, parquet

    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if column not in names:
                raise _no_text(str(path), column, dict.fromkeys(names))
            for batch in file.iter_batches(batch_size=1024, columns=[column]):
                for text in batch.column(0).to_pylist():
                    if not isinstance(text, str):
                        raise _no_text(str(path), column, {column: text})
                    yield text
    except ArrowException as error:
        raise _damaged(path, f"unreadable ({error})") from error


def _text(path: Path, column: str) -> Iterator[str]:
    with _opened(path) as lines:
        paragraph: list[str] = []
        for line in lines:
            if line.strip():
                paragraph.append(line)
            elif paragraph:
                yield "".join(paragraph).strip()
                paragraph = []
        if paragraph:
            yield "".join(paragraph).strip()


def _no_text(where: str, column: str, row: Any) -> RunError:
    names = ", ".join(map(repr, row)) if isinstance(row, dict) else type(row).__name__
    return RunError(
        f"{where} has no text in column {column!r}; it has {names}", reason="data", help='write column = "…"'
    )
