"""What the bracket languages share: spelling, and counts of bounded depth."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from math import comb

from procdsl.tables import depths


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


def dyck_count(length: int, depth: int | None, beyond: int | None = None) -> int:
    """How many Dyck words of one type and of this even length are at most `depth` deep, and over `beyond`."""
    half = length // 2
    free = depth is None or depth >= half
    found = comb(length, half) // (half + 1) if free else strip_count(length, depth or 0)
    return found if beyond is None else max(found - dyck_count(length, beyond), 0)


def bracket_lengths(longest: int, beyond: int | None, depth: int | None) -> int:
    """The lengths of balanced words more than `beyond` deep: bit n stands for length n."""
    if beyond is not None and depth is not None and beyond >= depth:
        return 0
    return sum(1 << n for n in range(2 * (beyond or 0) + 2, longest + 1, 2))


@lru_cache(maxsize=256)
def shuffle_count(k: int, length: int, depth: int | None, beyond: int | None = None) -> int:
    """How many k-shuffle-Dyck words have this length, with at most `depth` brackets open at once, and at some
    place more than `beyond`."""
    if beyond is not None:
        return max(shuffle_count(k, length, depth) - shuffle_count(k, length, beyond), 0)
    if length % 2:
        return 0
    if depth is not None and depth < length // 2:
        return _walks(k, length, depth, ends=1)
    return shuffle_counts(k, length // 2)[-1]


@lru_cache(maxsize=64)
def shuffle_counts(k: int, pairs: int) -> tuple[int, ...]:
    """The words of 0 .. `pairs` pairs over k types: Catalan numbers convolved, by halving k."""
    if k == 1:
        return tuple(comb(2 * m, m) // (m + 1) for m in range(pairs + 1))
    one, other = shuffle_counts(k // 2, pairs), shuffle_counts(k - k // 2, pairs)
    return tuple(
        sum(comb(2 * m, 2 * i) * one[i] * other[m - i] for i in range(m + 1)) for m in range(pairs + 1)
    )


def prefix_count(k: int, length: int, depth: int | None) -> int:
    """How many words of this length some k-shuffle-Dyck word begins with, at most `depth` deep."""
    return _walks(k, length, length if depth is None else min(depth, length), ends=None)


def _walks(k: int, length: int, depth: int, ends: int | None) -> int:
    """Walks from state 0 that end in the first `ends` states, or anywhere."""
    moves = depths(k, depth)
    spans = [range(a, b) for a, b in pairwise(moves.offsets)]
    words = [int(ends is None or state < ends) for state in range(len(spans))]
    for _ in range(length):
        words = [sum(moves.ways[m] * words[moves.targets[m]] for m in span) for span in spans]
    return words[0]
