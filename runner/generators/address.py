"""Where rows stand: everything their numbers are a function of, besides the program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from procdsl.programs.base import Split
from procdsl.splits import spelling
from procdsl.streams import key


@dataclass(frozen=True)
class Address:
    """Rows `start` and on of one source, in one split. `tokens` spells the local ids."""

    seed: int
    name: str
    split: Any
    start: int
    tokens: tuple[str, ...]

    @cached_property
    def key(self) -> Any:
        """The Philox key, as the signed number with the same bits."""
        return np.uint64(key(self.seed, self.name, self.split)).astype(np.int64)

    @property
    def spelt(self) -> Any:
        return _spelt(self.tokens)

    def bounds(self, split: Split) -> tuple[Any, Any]:
        """First and last hash of the part."""
        low, high = split.bounds(self.split)
        return np.uint64(low), np.uint64(high)

    def edges(self, split: Split) -> Any:
        """First and last hash of the part: of all words alike, or of words of each length (rows)."""
        lengths = range(1 + max((rank.length for rank in split.ranks), default=0))
        return np.array([split.bounds(self.split, length) for length in lengths], np.uint64)


@lru_cache(maxsize=256)
def _spelt(tokens: tuple[str, ...]) -> Any:
    return np.array([spelling(token) for token in tokens], np.uint64)
