"""The order in which rows are read: permuted in blocks of 1,024, so that a longer budget changes nothing."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from procdsl import streams

BLOCK = 1024


def order(numbers: NDArray[np.int64], *, data_seed: int, name: str, rows: int | None) -> NDArray[np.int64]:
    """The row that is read as number v, for each v; a bijection on every block of every pass.

    `rows` is how many there are in one pass, None while the end is not in sight. Past it the next pass
    begins, with permutations of its own; the last block of a pass may be shorter.
    """
    passes, within = (np.zeros_like(numbers), numbers) if rows is None else np.divmod(numbers, rows)
    blocks, places = np.divmod(within, BLOCK)
    found = np.empty_like(numbers)
    for epoch, block in np.unique(np.stack([passes, blocks]), axis=1).T.tolist():
        here = (passes == epoch) & (blocks == block)
        size = BLOCK if rows is None else min(BLOCK, rows - block * BLOCK)
        found[here] = block * BLOCK + _block(data_seed, name, epoch, block, size)[places[here]]
    return found


@lru_cache(maxsize=64)
def _block(data_seed: int, name: str, epoch: int, block: int, size: int) -> NDArray[np.int64]:
    return permutation(size, data_seed, name, "order", str(epoch), str(block))


def permutation(size: int, seed: int, *path: str) -> NDArray[np.int64]:
    """A permutation drawn evenly, addressed by a path of names under a seed."""
    return shuffled(size, streams.key(seed, *path))


def shuffled(size: int, key: int) -> NDArray[np.int64]:
    """The numbers below `size` in an order drawn by the key: sorted by 64 random bits each."""
    # The raw words of a bit generator are fixed for ever; `Generator.permutation` may change with NumPy.
    return np.argsort(np.random.Philox(key=key).random_raw(size), kind="stable")
