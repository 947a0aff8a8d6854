"""Corpora: where real text comes from, how it is tokenised, and what stands in when it cannot be reached."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from procdsl.language.base import Name, Spec
from procdsl.language.quantities import Seed

Builtin = Literal["pydocs", "pysource"]


class BytesTokenizerSpec(Spec):
    """UTF-8 bytes and a document separator."""

    kind: Literal["bytes"]


class BpeTokenizerSpec(Spec):
    """Byte-level BPE of `size` ids, trained on the corpus itself."""

    kind: Literal["bpe"]
    size: int = Field(ge=258, le=1_000_000)


class HubTokenizerSpec(Spec):
    """A published tokenizer; `size` is known for gpt2, and checked when the study is bound."""

    kind: Literal["hub"]
    name: str = Field(min_length=1)
    revision: str | None = None
    size: int | None = Field(default=None, ge=1, le=10_000_000)


class CharactersTokenizerSpec(Spec):
    """95 printable characters and what marks problems: 99 ids, and one more that ends an answer."""

    kind: Literal["characters"]
    end: bool


AnyTokenizerSpec = Annotated[
    BytesTokenizerSpec | BpeTokenizerSpec | HubTokenizerSpec, Field(discriminator="kind")
]


class FallbackSpec(Spec):
    """The built-in text used, and said, when the Hub cannot be reached; it brings its own tokenizer."""

    name: Builtin
    megabytes: float = Field(default=4.0, gt=0, le=10_000)


def _fallback(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class _Corpus(Spec):
    tokenizer: AnyTokenizerSpec
    # The part of the documents that is held out, by a hash of the document.
    validation: float = Field(default=0.01, gt=0, lt=1)
    max_epochs: float = Field(default=1.0, gt=0, le=10_000)


class HubCorpus(_Corpus):
    """A data set of the Hugging Face Hub, streamed in its published order; `documents` bounds it."""

    kind: Literal["hub"]
    path: str = Field(min_length=1)
    config: str | None = None
    split: str = "train"
    column: str = "text"
    revision: str | None = None
    documents: int | None = Field(default=None, ge=1)
    fallback: (
        Annotated[FallbackSpec, BeforeValidator(_fallback, json_schema_input_type=Builtin | FallbackSpec)]
        | None
    ) = None


class FilesCorpus(_Corpus):
    """Local files, listed; paths are relative to the spec."""

    kind: Literal["files"]
    paths: tuple[str, ...] = Field(min_length=1)
    format: Literal["jsonl", "parquet", "text"]
    column: str = "text"


class BuiltinCorpus(_Corpus):
    """Text that every machine with Python has: its documentation strings, or its source code."""

    kind: Literal["builtin"]
    name: Builtin
    megabytes: float = Field(default=4.0, gt=0, le=10_000)


Part = Literal["train-easy", "train-medium", "train-hard", "interpolate", "extrapolate"]


class MathCorpus(Spec):
    """Mathematics of Saxton et al. 2019, character by character: only answers are scored.

    `path` is a folder of the published layout, a file for each module in a folder for each part, or a data
    set of the Hub that has it; without one, arithmetic and algebra of that form are made here. A row is one
    problem, or with `pack` as many as fit. As published: `pack = true`, `row = 512`, and `end = false`: no
    end of the answer is learnt. Of parts to be measured on alone, hold out nearly all: `validation = 0.9`.
    """

    kind: Literal["deepmind_math"]
    path: str | None = Field(default=None, min_length=1)
    revision: str | None = None
    parts: tuple[Part, ...] = Field(default=("train-easy", "train-medium", "train-hard"), min_length=1)
    # Which modules, as patterns: arithmetic__*.
    modules: tuple[str, ...] = Field(default=("*",), min_length=1)
    row: int = Field(default=256, ge=8, le=65_534)
    pack: bool = False
    end: bool = True
    validation: float = Field(default=0.01, gt=0, lt=1)
    max_epochs: float = Field(default=1.0, gt=0, le=10_000)
    fallback: Literal["generated"] | None = None

    @property
    def tokenizer(self) -> CharactersTokenizerSpec:
        return CharactersTokenizerSpec(kind="characters", end=self.end)


class LikenessCorpus(Spec):
    """A control for text, made of the tokens of the corpus `of`: its tokenizer, its parts, its passes."""

    of: Name
    seed: Seed = 0


class NgramCorpus(LikenessCorpus):
    """Documents that look like those of another corpus as far as a few tokens can see.

    Each token, and each end of a document, is drawn by the `order` - 1 tokens before it, as often as it
    followed them in the first `tokens` of the corpus; `order = 1` keeps the frequencies alone.
    """

    kind: Literal["ngram"]
    order: int = Field(ge=1, le=8)
    tokens: int = Field(default=1_000_000, ge=1, le=2**31 - 1)


class ShuffledCorpus(LikenessCorpus):
    """Every document of another corpus with the tokens that it has, in an order drawn evenly."""

    kind: Literal["shuffled"]


AnyCorpus = Annotated[
    HubCorpus | FilesCorpus | BuiltinCorpus | MathCorpus | NgramCorpus | ShuffledCorpus,
    Field(discriminator="kind"),
]
TextCorpus = HubCorpus | FilesCorpus | BuiltinCorpus
