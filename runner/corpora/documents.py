"""What is written into shards: documents as token ids, each with the part it belongs to, in one order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from procdsl.plan import AnySource, PrepareOperation
from runner.corpora import sources, tokenizers
from runner.corpora.tokenizers import Tokenizer

Split = Literal["train", "validation"]
SPLITS: tuple[Split, Split] = ("train", "validation")


class Document(NamedTuple):
    """A document without its separator, how many bytes of text it stands for, and its part."""

    ids: NDArray[np.int64]
    text_bytes: int
    split: Split


class Documents(Protocol):
    """The documents of a corpus from a cursor on. `empty` counts those left out because they are blank."""

    tokenizer: Tokenizer
    empty: int

    def take(self, size: int) -> list[Document]:
        """The next, until they have about so many characters, or tokens; none at the end."""

    def cursor(self) -> dict[str, Any]:
        """Where the documents taken end, as JSON."""


class Texts:
    """The documents of a source of text, tokenised."""

    def __init__(
        self, operation: PrepareOperation, place: Path, cursor: dict[str, Any] | None, empty: int
    ) -> None:
        binding = operation.binding
        assert binding is not None, f"{operation.id} is not bound"
        self._share = operation.validation_share
        self._reading = sources.open(source_of(operation), digest=binding.digest, cursor=cursor)
        if cursor is None:
            (place / tokenizers.FILE).unlink(missing_ok=True)
        self.tokenizer = tokenizers.make(binding.tokenizer, place, sample=None if cursor else self._sample)
        self.empty = empty

    def take(self, size: int) -> list[Document]:
        while texts := self._reading.take(size):
            kept = [text for text in texts if text.strip()]
            self.empty += len(texts) - len(kept)
            if kept:
                encoded = zip(kept, self.tokenizer.encode(kept), strict=True)
                return [self._document(text.encode(), ids) for text, ids in encoded]
        return []

    def cursor(self) -> dict[str, Any]:
        return self._reading.cursor()

    def _document(self, content: bytes, ids: NDArray[np.int64]) -> Document:
        return Document(ids, len(content), part(content, self._share))

    def _sample(self, characters: int) -> Iterator[str]:
        """What a tokenizer is trained on."""
        for text in self._reading.peek(characters):
            if part(text.encode(), self._share) == "train":
                yield text


def part(content: bytes, share: float) -> Split:
    """The part of a document: by its own hash, so wherever it stands and however often."""
    mark = hashlib.blake2b(content, digest_size=8, person=b"validation").digest()
    return "validation" if int.from_bytes(mark, "little") < share * 2.0**64 else "train"


def source_of(operation: PrepareOperation) -> AnySource:
    """What is read: the bound source; what lies on this machine, from where the spec says that it lies."""
    assert operation.binding is not None, f"{operation.id} is not bound"
    bound = operation.binding.source
    return operation.source if bound.local else bound
