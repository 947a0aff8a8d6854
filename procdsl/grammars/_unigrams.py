"""How often single symbols are drawn, as it is written: all alike, by Zipf's law, or as a corpus' tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from procdsl.programs.base import Unigrams

_NUMBER = r"((?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
_ZIPF = re.compile(rf"zipf\({_NUMBER}(?:, *{_NUMBER})?\)", re.ASCII)
_CORPUS = re.compile(r"corpus\(([a-z][a-z0-9_]*)(?:, *(\d{1,12}))?\)", re.ASCII)
# Enough to tell the thousand likeliest symbols apart, and any corpus has as many.
_TOKENS = 100_000


class Law(NamedTuple):
    """Of symbol r, from 1: its share is (r + moved) to the power of minus `power`, or as the corpus says."""

    power: float = 0.0
    moved: float = 0.0
    corpus: Unigrams | None = None

    def shares(self, count: int) -> tuple[float, ...]:
        """The shares of so many symbols, up to a factor; nothing is known of a corpus yet."""
        return tuple((rank + self.moved) ** -self.power for rank in range(1, count + 1))


def unigrams(text: str) -> Law:
    """The law that a text spells. ValueError where it spells none.

    >>> unigrams("zipf(1.0, 2.7)")
    Law(power=1.0, moved=2.7, corpus=None)
    """
    if text == "uniform":
        return Law()
    if (found := _ZIPF.fullmatch(text)) and float(found[1]) <= 16 and float(found[2] or 0) <= 1e9:
        return Law(float(found[1]), float(found[2] or 0))
    if (found := _CORPUS.fullmatch(text)) and (tokens := int(found[2] or _TOKENS)):
        return Law(corpus=Unigrams(corpus=found[1], tokens=tokens))
    raise ValueError(
        f'{text!r} is no law of weights: "uniform", "zipf(1.0)", the rank moved as in "zipf(1.0, 2.7)", '
        'or as the tokens of a corpus are, "corpus(NAME)" or, of so many of them, "corpus(NAME, 1000000)"'
    )


def corpora(weights: object) -> tuple[str, ...]:
    """The corpus that weights, if they are a law's text, are those of."""
    law = unigrams(weights) if isinstance(weights, str) else Law()
    return (law.corpus.corpus,) if law.corpus else ()


def thresholds(weights: Sequence[float]) -> tuple[int, ...]:
    """Cumulated probabilities over 2**32, in order of the symbols, the last left out."""
    parts = list(accumulate(weights))
    return tuple(min(2**32, round(part / parts[-1] * 2**32)) for part in parts)[:-1]
