"""N-grams of a text."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.language.corpora.base import LikenessCorpus, Needs
from procdsl.plan.sources.ngram import NgramSource


class NgramCorpus(LikenessCorpus):
    """Documents that look like those of another corpus as far as a few tokens can see.

    Each token, and each end of a document, is drawn by the `order` - 1 tokens before it, as often as it
    followed them in the first `tokens` of the corpus; `order = 1` keeps the frequencies alone.

    ```toml
    kind  = "ngram"
    of    = "c4"
    order = 3
    ```
    """

    kind: Literal["ngram"]
    order: int = Field(ge=1, le=8)
    tokens: int = Field(default=1_000_000, ge=1, le=2**31 - 1)

    def source(self, text: str) -> NgramSource:
        return NgramSource(text=text, order=self.order, tokens=self.tokens, seed=self.seed)

    def reads(self, needs: Needs) -> Needs:
        return Needs(train=self.tokens)
