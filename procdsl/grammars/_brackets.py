"""What the bracket languages share: spelling, and counts of bounded depth."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=64)
def bracket_alphabet(k: int) -> tuple[str, ...]:
    """Opening brackets of all types, then the closing ones.

    >>> bracket_alphabet(2)
    ('(0', '(1', '0)', '1)')
    """
    return (*(f"({t}" for t in range(k)), *(f"{t})" for t in range(k)))


@lru_cache(maxsize=64)
def _types(k: int) -> dict[str, tuple[int, bool]]:
    return {symbol: (place % k, place < k) for place, symbol in enumerate(bracket_alphabet(k))}


def type_of(symbol: str, k: int) -> tuple[int, bool] | None:
    """A bracket's type, and whether it opens; None for what is no bracket."""
    return _types(k).get(symbol)


@lru_cache(maxsize=4096)
def strip_count(length: int, depth: int) -> int:
    """How many Dyck words of one type have this length and are at most `depth` deep."""
    walks = [1, *[0] * (depth + 1)]
    for _ in range(length):
        walks = [(walks[h - 1] if h else 0) + walks[h + 1] for h in range(depth + 1)] + [0]
    return walks[0]
