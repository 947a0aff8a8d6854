"""Philox4x32-10 on whole tensors: the numbers of `procdsl.streams.Stream`, of many rows at once.

PyTorch hardly calculates with unsigned 64 bits, and a word x times Philox's factor M passes 63. But
x (M - 2**32) needs 62 and a sign, has the lower half of x M, and x less in the upper half: nothing here ever
overflows.
"""

from __future__ import annotations

import torch
from torch import Tensor

MASK = 0xFFFF_FFFF
# The factors of a round less 2**32, and what is added to the key.
_M0, _M1 = 0xD251_1F53 - 2**32, 0xCD9E_8D57 - 2**32
_W0, _W1 = 0x9E37_79B9, 0xBB67_AE85


def philox(counter: tuple[Tensor, Tensor, Tensor, Tensor], key: int) -> tuple[Tensor, ...]:
    """Four words for each counter, all of them in the lower half of int64."""
    c0, c1, c2, c3 = counter
    k0, k1 = key & MASK, key >> 32 & MASK
    for _ in range(10):
        p0, p1 = c0 * _M0, c2 * _M1
        c0, c2 = c2 + (p1 >> 32) ^ c1 ^ k0, c0 + (p0 >> 32) ^ c3 ^ k1
        c1, c3 = p1 & MASK, p0 & MASK
        k0, k1 = (k0 + _W0) & MASK, (k1 + _W1) & MASK
    return c0, c1, c2, c3


class Streams:
    """The streams of B rows side by side: at one key, at an index and a lane each.

    A draw that a first word does not settle (one in millions) is not finished here: `tied_B` says in which
    rows there was one.
    """

    def __init__(self, key: int, index_B: Tensor, lane_B: Tensor) -> None:
        self._key, self._index_B, self._lane_B = key, index_B, lane_B
        self.tied_B = torch.zeros_like(index_B, dtype=torch.bool)

    def words(self, count: int) -> Tensor:
        """The first `count` words of each, B × count."""
        block_N = torch.arange(-(-count // 4), device=self._index_B.device)
        index_B1, lane_B1 = self._index_B[:, None], self._lane_B[:, None]
        counter = (block_N, lane_B1, index_B1 & MASK, index_B1 >> 32 & MASK)
        drawn = torch.stack(philox(counter, self._key), dim=2)
        return drawn.flatten(1)[:, :count].contiguous()

    def below(self, n: int | Tensor, first: Tensor) -> Tensor:
        """Whole numbers on [0, n), n under 2**31, as `Stream.below` has them of these words."""
        product = first * n
        self.note((product & MASK) < n)
        return product >> 32

    def under(self, high: Tensor, first: Tensor) -> Tensor:
        """Whether these words say yes to thresholds over 2**64 with these upper halves."""
        self.note(first == high)
        return first < high

    def note(self, tied: Tensor) -> None:
        """These words (B × any) settle nothing."""
        self.tied_B |= tied.flatten(1).any(1)
