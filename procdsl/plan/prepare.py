"""Corpora: how they are tokenised, what they are bound to, and the operation that prepares them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from procdsl.kinds import ByKind, Node
from procdsl.plan.base import Operation
from procdsl.plan.sources.base import AnySource, LikenessSource


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
    fallback: AnySource | None = None
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
        return self.source.text if isinstance(self.source, LikenessSource) else None

    def inputs(self) -> tuple[str, ...]:
        return (self.likeness,) if self.likeness else ()

    def identity(self) -> dict[str, Any]:
        """Once it is bound, what it is bound to stands for what was asked for."""
        asked = set() if self.binding else {"source", "tokenizer", "fallback"}
        return super().identity() | self.model_dump(mode="json", include=asked)
