"""Tasks: an answer that follows from its prompt can be predicted without loss."""

from __future__ import annotations

import math

from procdsl.analysis.rows import exactly
from procdsl.programs import Draw, Interval, TaskProgram


def floor(program: TaskProgram, context: int) -> Interval:
    """0 on the answer; where the prompt is scored too, its entropy over all that is scored."""
    drawn = [piece for piece in program.pieces if piece.word is not None and piece.word < len(program.draws)]
    if not any(piece.scored for piece in drawn):
        return exactly(0.0)
    nats = math.fsum(_nats(draw) for draw in program.draws)
    if program.pieces[0].word == 0:
        nats -= math.log(program.draws[0].count)
    literals = sum(piece.token is not None for piece in program.pieces)
    least = literals + sum(draw.lengths.values[0] for draw in program.draws) - 1
    return Interval(low=nats / (program.longest - 1), high=nats / max(least, 1))


def chance(program: TaskProgram) -> float:
    """One symbol of the largest pool, guessed blindly."""
    return 1 / max(draw.count for draw in program.draws)


def _nats(draw: Draw) -> float:
    """The entropy of a random input, its length included."""
    whole, nats = sum(draw.lengths.shares), 0.0
    for length, share in zip(draw.lengths.values, draw.lengths.shares, strict=True):
        if share:
            ways = length * math.log(draw.count)
            if draw.kind == "permutation":
                ways = math.lgamma(draw.count + 1) - math.lgamma(draw.count - length + 1)
            nats += share / whole * (ways - math.log(share / whole))
    return nats
