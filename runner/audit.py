"""Anybody's procedural data, looked through: what is there twice, what leaks between splits, what is no word.

Files are read row by row; a row is a text, a list of symbols or a list of ids. Of each word a digest of 16
bytes is kept, so a hundred million words take a few GB and no more.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from procdsl.errors import UsageError

EXAMPLES = 5
# The keys looked for, in this order, where none is named.
_FIELDS = ("text", "word", "tokens", "input_ids", "ids", "input")
_STEP = 2**20
Row = str | list[str] | list[int]
Word = tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """How rows lie in files: the keys of words and of splits; of token files, type and length of rows."""

    field: str | None = None
    split: str | None = None
    dtype: str = "uint16"
    row: int | None = None


@dataclass
class Audit:
    """Counts, and a few examples of each finding with where it stands."""

    words: dict[str, int] = field(default_factory=dict)
    distinct: int = 0
    duplicates: int = 0
    leaks: dict[str, int] = field(default_factory=dict)
    checked: int = 0
    invalid: int = 0
    unreadable: int = 0
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.duplicates or self.leaks or self.invalid or self.unreadable)

    def show(self, kind: str, what: str) -> None:
        """Keeps an example, while there are few."""
        shown = self.examples.setdefault(kind, [])
        if len(shown) < EXAMPLES:
            shown.append(what)


def audit(
    paths: Sequence[Path],
    reading: Reading,
    *,
    words: Callable[[Row], list[Word]],
    reason: Callable[[Word], str | None],
    most: int,
) -> Audit:
    """Looks through files. `words` reads a row (ValueError: it cannot), `reason` says why a word is none.

    Distinct words are shown to the recogniser until it has seen so many.
    """
    found = Audit()
    seen: dict[bytes, tuple[str, str]] = {}
    for path in paths:
        for place, split, row in _rows(path, reading):
            split = split or (path.name if len(paths) > 1 else "all")
            try:
                made = [] if row is None else words(row)
            except ValueError as error:
                row, made = None, []
                found.show("unreadable", f"{place}: {error}")
            if row is None:
                found.unreadable += 1
                continue
            for word in made:
                _look(found, seen, word, split, place, reason if found.checked < most else None)
    found.distinct = len(seen)
    return found


def _look(
    found: Audit,
    seen: dict[bytes, tuple[str, str]],
    word: Word,
    split: str,
    place: str,
    reason: Callable[[Word], str | None] | None,
) -> None:
    """One word: was it there before, in which split, and is it one?"""
    found.words[split] = found.words.get(split, 0) + 1
    digest = blake2b("\x1f".join(word).encode(), digest_size=16).digest()
    before = seen.get(digest)
    if before is None:
        seen[digest] = split, place
        if reason is not None:
            found.checked += 1
            if why := reason(word):
                found.invalid += 1
                found.show("invalid", f"{place}: {why}: {_begun(word)}")
    elif before[0] == split:
        found.duplicates += 1
        found.show("duplicates", f"{place}: as {before[1]}: {_begun(word)}")
    else:
        pair = f"{before[0]} → {split}"
        found.leaks[pair] = found.leaks.get(pair, 0) + 1
        found.show("leaks", f"{place}: as {before[1]}: {_begun(word)}")


def _begun(word: Word) -> str:
    return " ".join(word[:24]) + (" …" if len(word) > 24 else "")


# ---------------------------------------------------------------- files


def _rows(path: Path, reading: Reading) -> Iterator[tuple[str, str | None, Row | None]]:
    """Where each row stands, its split if it says so, and the row; None where it cannot be read."""
    name = path.name.removesuffix(".gz")
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    if name.endswith((".jsonl", ".ndjson")):
        yield from _json_rows(path, reading)
    elif name.endswith(".parquet"):
        yield from _parquet_rows(path, reading)
    elif name.endswith((".bin", ".npy")):
        yield from _token_rows(path, reading)
    elif name.endswith(".txt"):
        with _opened(path) as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{path.name}:{number}", None, line.strip()
    else:
        help = "read are .jsonl, .ndjson, .txt (a word a line), .parquet, .bin and .npy"
        raise UsageError(f"{path}: a file of this kind cannot be read", help=help)


def _opened(path: Path) -> Any:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8", errors="replace")


def _json_rows(path: Path, reading: Reading) -> Iterator[tuple[str, str | None, Row | None]]:
    with _opened(path) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = f"{path.name}:{number}"
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                yield place, None, None
                continue
            if isinstance(value, dict):
                key = _key(path, reading.field, tuple(value))
                yield place, _split(path, value, reading.split), _row(value.get(key))
            else:
                yield place, None, _row(value)


def _parquet_rows(path: Path, reading: Reading) -> Iterator[tuple[str, str | None, Row | None]]:
    from pyarrow import parquet
    from pyarrow.lib import ArrowInvalid

    try:
        file = parquet.ParquetFile(path)
    except ArrowInvalid as error:
        raise UsageError(f"{path}: {error}") from None
    key = _key(path, reading.field, tuple(file.schema_arrow.names))
    if reading.split and reading.split not in file.schema_arrow.names:
        raise UsageError(f"{path} has no column {reading.split!r}")
    columns = [key, *([reading.split] if reading.split else [])]
    number = 0
    for batch in file.iter_batches(columns=columns):
        for value in batch.to_pylist():
            number += 1
            yield f"{path.name}:{number}", _split(path, value, reading.split), _row(value[key])


def _token_rows(path: Path, reading: Reading) -> Iterator[tuple[str, str | None, Row | None]]:
    """Rows of `reading.row` ids each; without, one row a megatoken, which `words` cuts at its ends."""
    import numpy as np

    try:
        ids = np.load(path, mmap_mode="r") if path.suffix == ".npy" else np.memmap(path, reading.dtype, "r")
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}: {error}") from None
    if ids.ndim == 2 and reading.row is None:
        rows = ids
    elif reading.row:
        if ids.size % reading.row:
            raise UsageError(f"{path} holds {ids.size:,} tokens, no whole number of rows of {reading.row:,}")
        rows = ids.reshape(-1, reading.row)
    else:
        flat = ids.reshape(-1)
        if flat.size > _STEP * 64:
            help = "say how long rows are with --row, or cut the file"
            raise UsageError(f"{path}: {flat.size:,} tokens without rows are too many to hold", help=help)
        rows = [flat]
    for number, row in enumerate(rows, 1):
        yield f"{path.name}:{number}", None, [int(id) for id in row]


def _key(path: Path, wanted: str | None, there: Sequence[str]) -> str:
    names = [wanted] if wanted else [name for name in _FIELDS if name in there]
    if not names or names[0] not in there:
        what = f"no {wanted!r}" if wanted else "none of the usual keys"
        raise UsageError(f"{path} has {what}", help=f"name one with --field: {', '.join(there)}")
    return names[0]


def _split(path: Path, value: dict[str, Any], key: str | None) -> str | None:
    if key is None:
        return None
    if key not in value:
        raise UsageError(f"{path}: a row has no {key!r}", help=f"it has {', '.join(value)}")
    return str(value[key])


def _row(value: Any) -> Row | None:
    """A text, symbols or ids as they are; anything else is None."""
    of_one_sort = isinstance(value, list) and any(
        all(isinstance(one, sort) for one in value) for sort in (str, int)
    )
    return value if of_one_sort or isinstance(value, str) else None
