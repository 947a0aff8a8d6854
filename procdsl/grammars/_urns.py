"""Pólya's urns: what a Markov chain with a Dirichlet prior looks like to who sees only its words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from procdsl.programs.markov import MarkovProgram
from procdsl.streams import Stream


@dataclass
class _Urn:
    """Shares of the symbols; their sum, and the sum of each by its logarithm."""

    shares: list[int]
    total: int
    logs: float


def urns(program: MarkovProgram, stream: Stream, length: int) -> tuple[list[int], list[float]]:
    """A word, and the entropy of each symbol given those before it. Fixed slots: word t gives symbol t."""
    k, order, (more, unit) = program.count, program.order, program.prior
    made, word, nats = dict[tuple[int, ...], _Urn](), list[int](), list[float]()
    for t, first in enumerate(stream.words(length)):
        if t < order:
            word.append(stream.below(k, first))
            nats.append(math.log(k))
            continue
        context = tuple(word[t - order :])
        urn = made.setdefault(context, _Urn([more] * k, more * k, k * more * math.log(more)))
        nats.append(math.log(urn.total) - urn.logs / urn.total)
        drawn, symbol = stream.below(urn.total, first), 0
        while drawn >= urn.shares[symbol]:
            drawn -= urn.shares[symbol]
            symbol += 1
        word.append(symbol)
        share = urn.shares[symbol]
        urn.logs += (share + unit) * math.log(share + unit) - share * math.log(share)
        urn.shares[symbol] += unit
        urn.total += unit
    return word, nats
