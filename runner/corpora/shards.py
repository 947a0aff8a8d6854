"""Shards: a corpus as token ids in two append-only files, and a manifest that vouches for their beginnings.

train.bin and validation.bin hold whole documents, each followed by the separator. Data is written and
synced first, then MANIFEST.json is replaced: a stop at any time loses what came after the last manifest,
and reading goes on from its cursor. A larger need is met in the same way, so it never changes earlier rows.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import ExitStack
from io import BufferedRandom
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from procdsl.errors import RunError
from procdsl.plan import AnySource, Binding, PrepareOperation
from procdsl.plan.sources.problems import ProblemsSource
from runner.corpora import sources, tokenizers
from runner.corpora.documents import SPLITS, Document, Documents, Split, Texts
from runner.corpora.tokenizers import Tokenizer
from runner.events import Event, Observer
from runner.store import read_json, unwritable, write_json

if TYPE_CHECKING:
    from runner.corpora import Corpus

MANIFEST = "MANIFEST.json"
_BATCH_CHARACTERS = 1_000_000
_COMMIT_SECONDS = 15.0


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Shard(_Record):
    """The first `bytes` bytes of a file, as the manifest vouches for them."""

    file: str
    bytes: int
    sha256: str
    tokens: int
    documents: int
    text_bytes: int


class Manifest(_Record):
    """What a prepared corpus is. `complete`: the source has no more text than this."""

    format: Literal[1] = 1
    name: str
    binding: Binding
    semantics: int
    dtype: Literal["uint16", "uint32"]
    text_size: int
    separator: int
    tokenizer_sha256: str
    complete: bool
    cursor: dict[str, Any]
    empty: int
    train: Shard
    validation: Shard

    def shard(self, split: Split) -> Shard:
        return self.train if split == "train" else self.validation


def read_manifest(place: Path) -> Manifest | None:
    """The manifest of a prepared corpus; None where none was begun."""
    path = place / MANIFEST
    if not path.exists():
        return None
    try:
        return Manifest.model_validate(read_json(path))
    except ValueError as error:
        raise RunError(
            f"{path} is damaged", reason="damaged", help=f"delete {place} and run again"
        ) from error


def verify(path: Path, shard: Shard, *, whole: bool = True) -> Any:
    """The running hash of what the manifest vouches for; a RunError that names the file if it is not that."""
    help = f"delete {path.parent} and run again, or copy it anew from where it was made"
    found = path.stat().st_size if path.is_file() else None
    if found is None or found < shard.bytes:
        what = "is missing" if found is None else f"has {found:,} bytes"
        raise RunError(f"{path} {what}, expected {shard.bytes:,} bytes", reason="damaged", help=help)
    running = hashlib.sha256()
    if whole:
        with path.open("rb") as file:
            left = shard.bytes
            while left and (content := file.read(min(left, 1 << 22))):
                running.update(content)
                left -= len(content)
        if shard.bytes and running.hexdigest() != shard.sha256:
            raise RunError(
                f"{path} has changed: sha256 {running.hexdigest()[:12]}…, expected {shard.sha256[:12]}…",
                reason="damaged",
                help=help,
            )
    return running


def enough(operation: PrepareOperation, manifest: Manifest) -> bool:
    """Whether the shards hold what a plan needs of them, or all there is."""
    return manifest.complete or (
        manifest.train.tokens >= operation.train_tokens + operation.spare_tokens
        and manifest.validation.tokens >= operation.validation_tokens
    )


def write(
    operation: PrepareOperation, place: Path, *, text: Corpus | None = None, observe: Observer
) -> Manifest:
    """Make the shards long enough, from nothing, from where a stop left them, or from a shorter need.

    `text` is the corpus of whose tokens they are made, if they are.
    """
    # Not the store's own lock, which the caller may hold: two processes may want one corpus at one time.
    with FileLock(place / ".prepare.lock"):
        manifest = read_manifest(place)
        try:
            if manifest is None or not enough(operation, manifest):
                reading = _documents(operation, place, text, manifest)
                manifest = _extend(operation, place, manifest, reading, observe)
        except OSError as error:
            raise unwritable(place, error) from error
    return manifest


def _documents(
    operation: PrepareOperation, place: Path, text: Corpus | None, known: Manifest | None
) -> Documents:
    """What is still to be written, in order."""
    cursor = known.cursor if known else None
    if text is None:
        return Texts(operation, place, cursor, known.empty if known else 0)
    assert operation.binding is not None, f"{operation.id} is not bound"
    tokenizer = tokenizers.shared(operation.binding.tokenizer, text.place, place)
    return sources.made(operation, text, tokenizer, cursor)


def _extend(
    operation: PrepareOperation, place: Path, known: Manifest | None, reading: Documents, observe: Observer
) -> Manifest:
    binding, tokenizer = operation.binding, reading.tokenizer
    assert binding is not None, f"{operation.id} is not bound"
    with ExitStack() as stack:
        train, validation = (
            stack.enter_context(
                _Growing(
                    place / f"{split}.bin", known.shard(split) if known else None, tokenizer, binding.source
                )
            )
            for split in SPLITS
        )
        committed = time.monotonic()
        while True:
            documents = reading.take(_BATCH_CHARACTERS)
            for document in documents:
                (validation if document.split == "validation" else train).add(document)
            manifest = Manifest(
                name=operation.name,
                binding=binding,
                semantics=operation.semantics,
                dtype=_dtype(tokenizer.size),
                text_size=tokenizer.size,
                separator=tokenizer.separator,
                tokenizer_sha256=tokenizer.sha256,
                complete=not documents,
                cursor=reading.cursor(),
                empty=reading.empty,
                train=train.shard(),
                validation=validation.shard(),
            )
            _tell(operation, manifest, observe)
            finished = enough(operation, manifest)
            if finished or time.monotonic() - committed > _COMMIT_SECONDS:
                train.sync()
                validation.sync()
                write_json(place / MANIFEST, manifest.model_dump(mode="json"))
                committed = time.monotonic()
            if finished:
                return manifest


def _tell(operation: PrepareOperation, manifest: Manifest, observe: Observer) -> None:
    """How far it is, by the part that has most left to do."""
    total = operation.train_tokens + operation.spare_tokens
    parts = ((manifest.train, total), (manifest.validation, operation.validation_tokens))
    done = min((part.tokens / needed for part, needed in parts if needed), default=1.0)
    facts = {"done": min(total, int(done * total)), "total": total, "unit": "tokens"}
    observe(Event("progress", operation.id, facts))


def _dtype(size: int) -> Literal["uint16", "uint32"]:
    return "uint16" if size <= 65_536 else "uint32"


def _in_rows(ids: NDArray[np.int64], at: int, source: ProblemsSource) -> NDArray[np.int64]:
    """A problem with the padding that begins it at a row's begin, or that fills its row behind it."""
    if len(ids) > source.row:
        message = f"a problem has {len(ids)} tokens, and rows have {source.row}"
        raise RunError(message, reason="data", help=f"make rows longer: row = {len(ids)}")
    if not source.pack:
        return np.pad(ids, (0, source.row - len(ids)), constant_values=tokenizers.Characters.PAD)
    left = source.row - at % source.row
    return np.pad(ids, (left if len(ids) > left else 0, 0), constant_values=tokenizers.Characters.PAD)


class _Growing:
    """One shard being appended to: first cut back to what the manifest vouches for, and verified."""

    def __init__(self, path: Path, known: Shard | None, tokenizer: Tokenizer, source: AnySource) -> None:
        self._path = path
        self._source = source
        self._known = known or Shard(file=path.name, bytes=0, sha256="", tokens=0, documents=0, text_bytes=0)
        self._dtype = np.dtype(_dtype(tokenizer.size))
        self._separator = np.array([tokenizer.separator], dtype=np.int64)

    def __enter__(self) -> _Growing:
        if self._known.bytes:
            self._hash = verify(self._path, self._known)
        else:
            self._hash = hashlib.sha256()
            self._path.touch()
        self._file: BufferedRandom = self._path.open("r+b")
        self._file.truncate(self._known.bytes)
        self._file.seek(self._known.bytes)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, document: Document) -> None:
        if isinstance(self._source, ProblemsSource):
            laid = _in_rows(document.ids, self._known.tokens, self._source)
        else:
            laid = np.concatenate([document.ids, self._separator])
        content = laid.astype(self._dtype).tobytes()
        self._file.write(content)
        self._hash.update(content)
        known = self._known
        self._known = known.model_copy(
            update={
                "bytes": known.bytes + len(content),
                "tokens": known.tokens + len(laid),
                "documents": known.documents + 1,
                "text_bytes": known.text_bytes + document.text_bytes,
            }
        )

    def shard(self) -> Shard:
        return self._known.model_copy(update={"sha256": self._hash.hexdigest()})

    def sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
