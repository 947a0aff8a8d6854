"""Corpora: where text comes from, how it is tokenised, and the operation that prepares it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from procdsl.kinds import ByKind, Node
from procdsl.plan.base import Operation


class HubSource(Node):
    """Text from the Hugging Face Hub, streamed in its published order."""

    kind: Literal["hub"] = "hub"
    path: str
    config: str | None = None
    split: str = "train"
    column: str = "text"
    revision: str | None = None
    documents: int | None = Field(default=None, gt=0)


class FilesSource(Node):
    """Text from an explicit list of local files (jsonl, parquet, text, each perhaps gzipped)."""

    kind: Literal["files"] = "files"
    paths: tuple[str, ...] = Field(min_length=1)
    format: Literal["jsonl", "parquet", "text"]
    column: str = "text"


class BuiltinSource(Node):
    """Real text that every machine with Python has: its documentation strings, or its source code."""

    kind: Literal["builtin"] = "builtin"
    name: Literal["pydocs", "pysource"]
    megabytes: float = Field(default=4.0, gt=0)


class ProblemsSource(Node):
    """Questions and answers in the folder layout of DeepMind's mathematics: a file for each part and module.

    Without a path they are made here. Rows begin with a whole problem, each in `row` positions by itself or,
    with `pack`, as many as fit; what is left is padding.
    """

    kind: Literal["problems"] = "problems"
    path: str | None
    revision: str | None = None
    parts: tuple[str, ...] = Field(min_length=1)
    modules: tuple[str, ...] = Field(min_length=1)
    row: int = Field(gt=0)
    pack: bool


class NgramSource(Node):
    """Documents that look like those of another corpus as far as a few tokens can see.

    Each token, and each end of a document, is drawn by the `order` - 1 tokens before it, as often as it
    followed them in the first `tokens` of what is trained on of `text`, the prepare operation of that corpus.
    """

    kind: Literal["ngram"] = "ngram"
    text: str
    order: int = Field(ge=1, le=8)
    tokens: int = Field(gt=0)
    seed: int


class ShuffledSource(Node):
    """The documents of another corpus, each with its tokens in an order drawn evenly."""

    kind: Literal["shuffled"] = "shuffled"
    text: str
    seed: int


AnySource = Annotated[
    HubSource | FilesSource | BuiltinSource | ProblemsSource | NgramSource | ShuffledSource, ByKind()
]


class BytesTokenizer(Node):
    """UTF-8 bytes, and one id that separates documents: 257 ids."""

    kind: Literal["bytes"] = "bytes"
    size: Literal[257] = 257


class BpeTokenizer(Node):
    """Byte-level BPE trained on the corpus itself, document separator included in `size`."""

    kind: Literal["bpe"] = "bpe"
    size: int = Field(ge=258, le=1_000_000)


class HubTokenizer(Node):
    """A published tokenizer; `size` is checked against the file's when the plan is bound."""

    kind: Literal["hub"] = "hub"
    name: str
    revision: str | None = None
    size: int = Field(gt=0)


class CharactersTokenizer(Node):
    """Padding, the unknown, a question's begin, an answer's begin, 95 characters, perhaps an answer's end."""

    kind: Literal["characters"] = "characters"
    size: Literal[99, 100]


AnyTokenizer = Annotated[BytesTokenizer | BpeTokenizer | HubTokenizer | CharactersTokenizer, ByKind()]


class Binding(Node):
    """What the world decided about a corpus: set by `runner.bind`, part of the key ever after."""

    source: AnySource
    tokenizer: AnyTokenizer
    revision: str
    digest: str
    fallback: bool


class PrepareOperation(Operation):
    """A corpus, tokenised once into shards. How many tokens are needed is not what they are."""

    unkeyed: ClassVar[frozenset[str]] = frozenset(
        {"id", "train_tokens", "spare_tokens", "validation_tokens", "max_epochs"}
        | {"source", "tokenizer", "fallback"}
    )
    kind: Literal["prepare"] = "prepare"
    name: str
    source: AnySource
    tokenizer: AnyTokenizer
    fallback: Annotated[BuiltinSource | ProblemsSource, ByKind()] | None = None
    validation_share: float = Field(default=0.01, gt=0, lt=1)
    max_epochs: float = Field(default=1.0, gt=0)
    train_tokens: int = Field(ge=0)
    # Prepared as well where there is as much: rows are read in permuted blocks, and the last is made whole.
    spare_tokens: int = Field(default=0, ge=0)
    validation_tokens: int = Field(ge=0)
    binding: Binding | None = None

    @property
    def likeness(self) -> str | None:
        """The corpus whose tokens it is made of, where it is no text itself."""
        return self.source.text if isinstance(self.source, NgramSource | ShuffledSource) else None

    def inputs(self) -> tuple[str, ...]:
        return (self.likeness,) if self.likeness else ()

    def identity(self) -> dict[str, Any]:
        """Once it is bound, what it is bound to stands for what was asked for."""
        asked = set() if self.binding else {"source", "tokenizer", "fallback"}
        return super().identity() | self.model_dump(mode="json", include=asked)
