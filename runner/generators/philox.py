"""Philox4x32-10 in blocks: the numbers of `procdsl.streams.Stream`, about a thousand million a second.

`Draws` is one stream at a time. A sampler either fills fixed slots at the head of its buffer (`slots`), or
reads on and on (`next32`); after slots, `next32` goes on behind them, in a window of its own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint32, uint64

from runner.generators.compiling import inlined, kernel

WINDOW = 64
# Words are made so many at a time, or a multiple: what a vector holds. Fewer take twice as long.
WORDS = 32
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
S32, LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
KEY, INDEX, LANE, NEXT, FIRST, BEHIND = range(6)


class Draws(NamedTuple):
    """`buffer` (uint32): slots, then the window. `at` (int64): key, index, lane, next, window's bounds."""

    buffer: Any
    at: Any


def new_draws(slots: int) -> Draws:
    """A stream whose samplers use at most so many slots."""
    streams = new_streams(slots, 1)
    return Draws(streams.buffer[0], streams.at[0])


def new_streams(slots: int, count: int) -> Draws:
    """So many streams: the rows of two arrays."""
    room = (slots + WORDS - 1) // WORDS * WORDS + WINDOW
    return Draws(np.zeros((count, room), np.uint32), np.zeros((count, 6), np.int64))


@inlined
def stream(streams, place):
    """One of many streams."""
    return Draws(streams.buffer[place], streams.at[place])


@kernel
def begin(draws, key, index, lane):
    """The stream at this address, nothing read."""
    at = draws.at
    at[KEY], at[INDEX], at[LANE] = key, index, lane
    at[NEXT], at[FIRST], at[BEHIND] = 0, 0, 0


@kernel
def slots(draws, count):
    """The first `count` words of the stream into the head of the buffer."""
    blocks(draws.at, 0, (count + 3) // 4, draws.buffer)
    draws.at[NEXT] = count


@kernel
def ahead(draws, count):
    """The next `count` words into the head of the buffer, as read; where they begin there.

    From the window, if it has them all: but not left there, since a redraw may fill it anew.
    """
    at, buffer = draws.at, draws.buffer
    here = at[NEXT]
    at[NEXT] = here + count
    if at[FIRST] <= here and here + count <= at[BEHIND]:
        window = buffer[buffer.size - WINDOW + here - at[FIRST] :]
        for t in range(count):
            buffer[here + t] = window[t]
    else:
        blocks(at, 0, (here + count + 3) // 4, buffer)
    return here


@inlined
def next32(draws):
    """The next word of the stream."""
    at = draws.at
    here = at[NEXT]
    if here >= at[BEHIND] or here < at[FIRST]:
        refill(draws, here)
    at[NEXT] = here + 1
    return uint64(draws.buffer[draws.buffer.size - WINDOW + here - at[FIRST]])


@inlined
def below(draws, n):
    """A whole number on [0, n), as `Stream.below`."""
    return below_from(draws, n, next32(draws))


@inlined
def below_from(draws, n, first):
    """A whole number on [0, n), beginning with the word `first`."""
    product = uint64(first) * uint64(n)
    if (product & LOW) < uint64(n):
        product = redrawn(draws, uint64(n), product)
    return int64(product >> S32)


@kernel
def permute(draws, words, symbols):
    """Fisher and Yates, a word for each place but the first. Unsigned places need no look at their sign."""
    size = uint64(symbols.size)
    for j in range(symbols.size - 1):
        count = size - uint64(j)
        product = uint64(words[j]) * count
        if (product & LOW) < count:
            product = redrawn(draws, count, product)
        last, other = count - uint64(1), product >> S32
        symbols[last], symbols[other] = symbols[other], symbols[last]


@inlined
def under_from(draws, threshold, first):
    """True with probability threshold / 2**64, as `Stream.under`."""
    word, high = uint64(first), threshold >> S32
    if word == high:
        return next32(draws) < (threshold & LOW)
    return word < high


@inlined
def ties(margin, denominator):
    """Whether a margin is in 1 .. denominator - 1. Asked twice it would be a branch taken at random."""
    return uint64(margin - 1) < uint64(denominator - 1)


@kernel
def chance_tie(draws, margin, denominator):
    """How `Stream.chance` ends where the first word has left a margin, in 0 .. denominator - 1."""
    left = uint64(margin)
    while left > 0:
        # Thirty-two digits of left / denominator by long division: the product would pass 64 bits.
        digits = uint64(0)
        for _ in range(32):
            left, digits = left << uint64(1), digits << uint64(1)
            if left >= uint64(denominator):
                left, digits = left - uint64(denominator), digits | uint64(1)
        word = next32(draws)
        if word != digits:
            return word < digits
    return False


@kernel
def redrawn(draws, n, product):
    """The product of n and a word that Lemire's rejection lets pass, if this one does not."""
    threshold = (uint64(1) << S32) % n
    while (product & LOW) < threshold:
        product = next32(draws) * n
    return product


@kernel
def refill(draws, here):
    at = draws.at
    block = here // 4
    at[FIRST], at[BEHIND] = 4 * block, 4 * block + WINDOW
    blocks(at, block, WINDOW // 4, draws.buffer[draws.buffer.size - WINDOW :])


@inlined
def _round(c0, c1, c2, c3, k0, k1):
    p0, p1 = uint64(c0) * _M0, uint64(c2) * _M1
    return uint32(p1 >> S32) ^ c1 ^ k0, uint32(p1), uint32(p0 >> S32) ^ c3 ^ k1, uint32(p0)


@kernel
def blocks(at, first, count, out):
    """Blocks first .. first + count - 1 of the stream, and some behind: LLVM makes vectors of the loop."""
    low, high = uint32(at[INDEX] & 0xFFFFFFFF), uint32(at[INDEX] >> 32 & 0xFFFFFFFF)
    lane = uint32(at[LANE])
    key_low, key_high = uint32(at[KEY] & 0xFFFFFFFF), uint32(at[KEY] >> 32 & 0xFFFFFFFF)
    for b in range((4 * count + WORDS - 1) // WORDS * (WORDS // 4)):
        c0, c1, c2, c3 = uint32(first + b), lane, low, high
        k0, k1 = key_low, key_high
        for _ in range(10):
            c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
            k0, k1 = uint32(k0 + _W0), uint32(k1 + _W1)
        out[4 * b], out[4 * b + 1], out[4 * b + 2], out[4 * b + 3] = c0, c1, c2, c3
