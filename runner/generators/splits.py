"""The content hash of `procdsl.splits`, over ids."""

from __future__ import annotations

import numpy as np
from numba import uint64

from procdsl.splits import LANES, MIX, STEP
from runner.generators.compiling import merged

_L0, _L1, _L2, _L3 = (np.uint64(lane) for lane in LANES)
_STEP, _MIX = np.uint64(STEP), np.uint64(MIX)
_S29, _S32 = np.uint64(29), np.uint64(32)


@merged
def content(spelt, word):
    """The hash of the word with these ids, spelt by `spelt`."""
    h0, h1, h2, h3 = _L0, _L1, _L2, _L3
    size = word.size
    whole = size // 4 * 4
    for j in range(0, whole, 4):
        h0 = (h0 ^ spelt[word[j]]) * _STEP
        h1 = (h1 ^ spelt[word[j + 1]]) * _STEP
        h2 = (h2 ^ spelt[word[j + 2]]) * _STEP
        h3 = (h3 ^ spelt[word[j + 3]]) * _STEP
    if size > whole:
        h0 = (h0 ^ spelt[word[whole]]) * _STEP
    if size > whole + 1:
        h1 = (h1 ^ spelt[word[whole + 1]]) * _STEP
    if size > whole + 2:
        h2 = (h2 ^ spelt[word[whole + 2]]) * _STEP
    mixed = uint64(size)
    for lane in (h0, h1, h2, h3):
        mixed = (mixed ^ lane ^ (lane >> _S32)) * _MIX
        mixed ^= mixed >> _S29
    return mixed
