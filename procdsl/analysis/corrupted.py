"""Errors in rows: bounds, from the entropy of what was sent and of what went wrong with it.

Who knows what went wrong can undo it, but for symbols that were left out; so rows have at least the entropy
of what was sent, less these, and at most that together with the errors'. Replacing symbols evenly by others
also leaves at least the entropy of the errors alone.
"""

from __future__ import annotations

import math

from procdsl import analysis
from procdsl.programs.base import Interval
from procdsl.programs.corrupted import CorruptedProgram


def floor(program: CorruptedProgram, context: int) -> Interval | None:
    """Nats a scored token, where the floor of the program without errors is known and symbols are left."""
    clean = analysis.floor(program.of, length=context, context=context)
    if clean is None or program.delete == 2**32:
        return None
    deleted, changed, swapped = (n / 2**32 for n in (program.delete, program.substitute, program.swap))
    noise = _nats(deleted, changed, swapped) + changed * math.log(max(program.alphabet - 1, 1))
    low = clean.low
    if deleted:
        # What was left out, or a special in its place, and how far the padding reaches, which is not scored.
        low = max(low - deleted * math.log(program.alphabet + 1) - 2 * math.log(context + 1) / context, 0.0)
    elif not swapped:
        # Ends are not corrupted: the share of symbols among tokens is at least that of words of one symbol.
        low = max(low, noise / 2)
    return Interval(low=low, high=(clean.high + noise) / (1 - deleted), measured=clean.measured)


def chance(program: CorruptedProgram) -> float | None:
    """How much errors leave of what a guess gets is not computed."""
    return None


def _nats(*shares: float) -> float:
    shares = (*shares, 1 - sum(shares))
    return -math.fsum(share * math.log(share) for share in shares if share > 0)
