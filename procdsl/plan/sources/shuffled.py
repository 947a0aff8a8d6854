"""A text without its order."""

from __future__ import annotations

from typing import Literal

from procdsl.plan.sources.base import LikenessSource


class ShuffledSource(LikenessSource):
    """The documents of another corpus, each with its tokens in an order drawn evenly."""

    kind: Literal["shuffled"] = "shuffled"
