"""Counter-based random streams: a number is a pure function of where it is used.

Philox4x32-10 (Salmon et al. 2011) maps a 64-bit key and a 128-bit counter to 128 bits, one to one in
the counter. The key is a digest of the seed and a path of names; the counter holds the row's index, a
lane (which attempt, which word of the row) and a block number. Nothing is consumed, so any worker makes
any row. The kernels in `runner.generators` compute the same numbers.
"""

from __future__ import annotations

import json
from hashlib import blake2b

# A lane is an attempt and a slot: slots 0, 1, … are the words of a row, the last is the row's own.
ROW_SLOT = 0xFFFF
# Where a row draws a language before it draws words of it.
LANGUAGE_SLOT = 0xFFFE
# What goes wrong with the symbols of a row once it is drawn.
CHANNEL_SLOT = 0xFFFD
# Where a task draws the word of a grammar that is its input s: slot WORD_SLOT + s.
WORD_SLOT = 0x8000
ATTEMPTS = 65_536

_MASK = 0xFFFF_FFFF
_M0, _M1 = 0xD251_1F53, 0xCD9E_8D57
_W0, _W1 = 0x9E37_79B9, 0xBB67_AE85


def key(seed: int, *path: str) -> int:
    """The 64-bit Philox key of a path of names under a seed.

    >>> key(0, "dyck", "train") == key(0, "dyck", "train") != key(0, "dyck", "test")
    True
    """
    address = json.dumps([seed, *path], separators=(",", ":")).encode()
    return int.from_bytes(blake2b(address, digest_size=8).digest(), "little")


def philox(counter: tuple[int, int, int, int], key: int) -> tuple[int, int, int, int]:
    """Four 32-bit words: Philox4x32 with ten rounds.

    >>> [f"{word:08x}" for word in philox((0, 0, 0, 0), 0)]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key & _MASK, key >> 32 & _MASK
    for _ in range(10):
        p0, p1 = c0 * _M0, c2 * _M1
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & _MASK, (p0 >> 32) ^ c3 ^ k1, p0 & _MASK
        k0, k1 = (k0 + _W0) & _MASK, (k1 + _W1) & _MASK
    return c0, c1, c2, c3


class Stream:
    """The 32-bit words at one address: (key, index, lane). Block by block, in order."""

    __slots__ = ("_block", "_buffer", "_index", "_key", "_lane")

    def __init__(self, key: int, index: int, lane: int = 0) -> None:
        self._key = key
        self._index = index
        self._lane = lane
        self._block = 0
        self._buffer: list[int] = []

    def next32(self) -> int:
        """The next word, uniform on [0, 2**32)."""
        if not self._buffer:
            counter = (self._block, self._lane, self._index & _MASK, self._index >> 32 & _MASK)
            self._buffer = list(reversed(philox(counter, self._key)))
            self._block += 1
        return self._buffer.pop()

    def words(self, count: int) -> list[int]:
        """The next `count` words: the fixed slots of a sampler that knows how many it needs."""
        return [self.next32() for _ in range(count)]

    def below(self, n: int, first: int | None = None) -> int:
        """A whole number on [0, n), n up to 2**32, exactly uniform (Lemire 2019, with rejection).

        `first` is the word to begin with, from a fixed slot; more are read only where it is rejected.
        """
        product = (self.next32() if first is None else first) * n
        low = product & _MASK
        if low < n:
            threshold = (1 << 32) % n
            while low < threshold:
                product = self.next32() * n
                low = product & _MASK
        return product >> 32

    def under(self, threshold: int, first: int | None = None) -> bool:
        """True with probability threshold / 2**64; a second word is read only where the first is a tie."""
        word, high = self.next32() if first is None else first, threshold >> 32
        return word < high if word != high else self.next32() < threshold & _MASK

    def unit(self) -> float:
        """A multiple of 2**-53 on [0, 1), from two words: for tables that are doubles."""
        high = self.next32()
        return ((high << 32 | self.next32()) >> 11) * 2.0**-53

    def chance(self, numerator: int, denominator: int, first: int | None = None) -> bool:
        """True with probability numerator / denominator, exactly, by 32 binary digits at a time."""
        word, left = self.next32() if first is None else first, numerator
        while True:
            margin = (left << 32) - word * denominator
            if margin < 0 or margin >= denominator:
                return margin > 0
            if margin == 0:
                return False
            word, left = self.next32(), margin
