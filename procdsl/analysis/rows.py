"""From the entropy of words to that of rows."""

from __future__ import annotations

import math
from collections.abc import Callable

from procdsl.programs.base import Interval, Lengths, fillable

Entropy = Callable[[int], Interval | None]


def exactly(value: float) -> Interval:
    """A number that is known."""
    return Interval(low=value, high=value)


def row_floor(lengths: Lengths, entropy: Entropy, context: int) -> Interval | None:
    """Nats per scored token of a row: the entropy of its lengths and of its words, over what is scored."""
    if lengths.values == (context,):
        return _over(entropy(context), context)
    bits = fillable(lengths, context)
    filled = bits.bit_length() - 1
    words = {n: entropy(n) for n in lengths.values if n < filled}
    if filled == 0 or any(known is None for known in words.values()):
        return None
    low = _laid_out(lengths, {n: known.low for n, known in words.items() if known}, bits, filled)
    high = _laid_out(lengths, {n: known.high for n, known in words.items() if known}, bits, filled)
    measured = any(known.measured for known in words.values() if known)
    return Interval(low=low / filled, high=high / filled, measured=measured)


def _laid_out(lengths: Lengths, words: dict[int, float], bits: int, filled: int) -> float:
    """The entropy of a row with this many positions to fill: lengths are drawn, then words of them."""
    shares = dict(zip(lengths.values, lengths.shares, strict=True))
    total = [0.0] * (filled + 1)
    for left in range(1, filled + 1):
        fitting = [n for n in words if n < left and bits >> (left - n - 1) & 1 and shares[n]]
        whole = sum(shares[n] for n in fitting)
        for n in fitting:
            chance = shares[n] / whole
            total[left] += chance * (words[n] - math.log(chance) + total[left - n - 1])
    return total[filled]


def _over(known: Interval | None, tokens: int) -> Interval | None:
    return known and Interval(low=known.low / tokens, high=known.high / tokens, measured=known.measured)
