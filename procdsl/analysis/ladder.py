"""Is there anything to learn? What n-grams of each order make of rows, to set beside the floor.

Interpolated Witten-Bell n-grams (Chen & Goodman 1999), counted on most rows and scored on the others, over
what is scored. Contexts do not cross rows. High orders overfit so little text: the least of them counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy import ndarray

ORDERS = 5
# One row in so many is kept for scoring.
_SCORED = 20


def ladder(ids: ndarray[Any, Any], scored: ndarray[Any, Any], tokens: int) -> tuple[float, ...]:
    """Nats per scored token of 1-grams, 2-grams, … of ids (B, T + 1), over so many tokens in all.

    None of them where fewer than two rows are given, or nothing is scored in those kept for scoring.
    """
    import numpy as np

    seen = scored.astype(bool)
    kept = np.zeros(len(ids), bool)
    kept[:: min(_SCORED, max(len(ids), 2))] = True
    train, test = seen & ~kept[:, None], seen & kept[:, None]
    if not train.any() or not test.any():
        return ()
    share = np.full(ids.shape, 1.0 / tokens)
    context = np.zeros(ids.shape, np.int64)
    there = np.ones(ids.shape, bool)
    found = []
    for _ in range(ORDERS):
        pairs, pair = np.unique(context * tokens + ids, return_inverse=True)
        pair = pair.reshape(ids.shape)
        often = np.bincount(pair[train & there], minlength=len(pairs))
        own = pairs // tokens
        kinds = np.bincount(own[often > 0], minlength=int(own.max()) + 1)
        whole = np.bincount(own, often, minlength=len(kinds))
        usable = there & (whole[context] > 0)
        mixed = (often[pair] + kinds[context] * share) / np.maximum(whole + kinds, 1)[context]
        share = np.where(usable, mixed, share)
        found.append(float(-np.log(share[test]).mean()))
        context = np.concatenate([np.zeros((len(ids), 1), np.int64), pair[:, :-1]], 1)
        there = np.concatenate([np.zeros((len(ids), 1), bool), there[:, :-1]], 1)
    return tuple(found)
