"""A text without its order."""

from __future__ import annotations

from typing import Literal

from procdsl.language.corpora.base import LikenessCorpus, Needs
from procdsl.plan.sources.shuffled import ShuffledSource


class ShuffledCorpus(LikenessCorpus):
    """Every document of another corpus with the tokens that it has, in an order drawn evenly.

    ```toml
    kind = "shuffled"
    of   = "c4"
    ```
    """

    kind: Literal["shuffled"]

    def source(self, text: str) -> ShuffledSource:
        return ShuffledSource(text=text, seed=self.seed)

    def reads(self, needs: Needs) -> Needs:
        return needs
