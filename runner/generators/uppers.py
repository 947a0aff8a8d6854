"""The upper parts of tables of thresholds: all that is looked at but where a number drawn is equal to one.

With ever more symbols to go thresholds settle. Their last bits go on changing, their upper parts come back:
of two thousand rows a hundred differ, and lie in the processor's own memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# Of 62 bits, so many are not in the upper part.
LOW_BITS = 30


def upper_rows(thresholds: Any) -> tuple[Any, Any]:
    """The upper 32 bits (uint32) of thresholds over 2**62, each row once; which of these is each row's.

    That of 2**62 itself is that of the number before: whatever is equal to one has to look at the thresholds.
    """
    rows, which = dict[bytes, int](), np.empty(len(thresholds), np.int64)
    found = list[Any]()
    for place, row in enumerate(thresholds):
        upper = np.minimum(row >> LOW_BITS, 2**32 - 1).astype(np.uint32)
        which[place] = rows.setdefault(upper.tobytes(), len(rows))
        if len(rows) > len(found):
            found.append(upper)
    return np.stack(found), which
