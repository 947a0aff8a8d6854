"""How text becomes ids."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from procdsl import plan
from procdsl.language.base import Spec

# Sizes of published tokenizers, so that a spec need not write what cannot be otherwise.
KNOWN_SIZES = {"gpt2": 50_257, "openai-community/gpt2": 50_257}


class BytesTokenizerSpec(Spec):
    """UTF-8 bytes and a document separator."""

    kind: Literal["bytes"]

    def lowered(self) -> plan.BytesTokenizer:
        return plan.BytesTokenizer()


class BpeTokenizerSpec(Spec):
    """Byte-level BPE of `size` ids, trained on the corpus itself."""

    kind: Literal["bpe"]
    size: int = Field(ge=258, le=1_000_000)

    def lowered(self) -> plan.BpeTokenizer:
        return plan.BpeTokenizer(size=self.size)


class HubTokenizerSpec(Spec):
    """A published tokenizer; `size` is known for gpt2, and checked when the study is bound."""

    kind: Literal["hub"]
    name: str = Field(min_length=1)
    revision: str | None = None
    size: int | None = Field(default=None, ge=1, le=10_000_000)

    def known_size(self) -> int | None:
        """The number of ids, written or known."""
        return self.size or KNOWN_SIZES.get(self.name)

    def lowered(self) -> plan.HubTokenizer:
        size = self.known_size()
        assert size is not None, "checked: the size is written or known"
        return plan.HubTokenizer(name=self.name, revision=self.revision, size=size)


class CharactersTokenizerSpec(Spec):
    """95 printable characters and what marks problems: 99 ids, and one more that ends an answer."""

    kind: Literal["characters"]
    end: bool

    def lowered(self) -> plan.CharactersTokenizer:
        return plan.CharactersTokenizer(size=100 if self.end else 99)


AnyTokenizerSpec = Annotated[
    BytesTokenizerSpec | BpeTokenizerSpec | HubTokenizerSpec, Field(discriminator="kind")
]
