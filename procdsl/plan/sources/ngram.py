"""N-grams of a text."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.plan.sources.base import LikenessSource


class NgramSource(LikenessSource):
    """Documents that look like those of another corpus as far as a few tokens can see.

    Each token, and each end of a document, is drawn by the `order` - 1 tokens before it, as often as it
    followed them in the first `tokens` of what is trained on of that corpus.
    """

    kind: Literal["ngram"] = "ngram"
    order: int = Field(ge=1, le=8)
    tokens: int = Field(gt=0)
