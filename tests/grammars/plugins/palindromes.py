"""What somebody else's plug-in looks like: palindromes, every one of a length alike."""

from __future__ import annotations

import math
from collections.abc import Sequence

from procdsl.streams import Stream


class Palindromes:
    """Words that read the same from both ends, over `symbols` letters."""

    def __init__(self, symbols: int) -> None:
        self.alphabet = tuple("abcdefghij"[:symbols])

    def sample(self, stream: Stream, length: int) -> list[str]:
        half = [self.alphabet[stream.below(len(self.alphabet))] for _ in range((length + 1) // 2)]
        return half + half[: length // 2][::-1]

    def accepts(self, word: Sequence[str]) -> bool:
        return list(word) == list(word)[::-1]

    def legal_next(self, prefix: Sequence[str], length: int | None) -> set[str]:
        if length is None:
            return {*self.alphabet, *(("<end>",) if prefix and self.accepts(prefix) else ())}
        mirror = length - 1 - len(prefix)
        halves = zip(prefix, reversed(range(length)), strict=False)
        if any(place < len(prefix) and prefix[place] != symbol for symbol, place in halves):
            return set()
        if len(prefix) == length:
            return {"<end>"}
        return {prefix[mirror]} if mirror < len(prefix) else set(self.alphabet)

    def count(self, length: int) -> int:
        return int(len(self.alphabet) ** ((length + 1) // 2))

    def log_probability(self, word: Sequence[str]) -> float:
        return -math.log(self.count(len(word))) if self.accepts(word) else -math.inf
