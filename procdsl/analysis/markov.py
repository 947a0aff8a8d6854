"""Drawn Markov chains: the best predictor is the Dirichlet-multinomial one; its loss is measured on words.

Which contexts come again depends on what came after them before, so that a mean has no closed form beyond
order 0; there it is a sum over the Beta-binomial law of a symbol's count.
"""

from __future__ import annotations

import math
from functools import lru_cache

from procdsl.analysis.rows import exactly
from procdsl.grammars._urns import urns
from procdsl.programs.base import Interval
from procdsl.programs.markov import MarkovProgram
from procdsl.streams import Stream, key

WORDS = 200
# Standard errors on either side of the mean: one interval in a million is wrong.
WIDE = 5


def entropy(program: MarkovProgram, length: int) -> Interval:
    """Nats a word: exact at order 0; else within five standard errors of the mean of 200 words."""
    if program.order == 0:
        return exactly(math.fsum(_urn(program, seen) for seen in range(length)))
    if length <= program.order:
        return exactly(length * math.log(program.count))
    mean, error = _measured(program)[length]
    most = length * math.log(program.count)
    low, high = max(mean - WIDE * error, 0.0), min(mean + WIDE * error, most)
    return Interval(low=low, high=high, measured=True)


def chance(program: MarkovProgram) -> float:
    """Before a word is seen, no symbol is likelier than another."""
    return 1 / program.count


def _urn(program: MarkovProgram, seen: int) -> float:
    """Nats of the next symbol, after so many from the same urn."""
    k, prior = program.count, program.prior[0] / program.prior[1]
    rest, whole, total = (k - 1) * prior, k * prior, 0.0
    for count in range(seen + 1):
        share = (prior + count) / (whole + seen)
        if k == 1:
            return 0.0
        log_law = (
            math.lgamma(seen + 1) - math.lgamma(count + 1) - math.lgamma(seen - count + 1)
            + math.lgamma(prior + count) + math.lgamma(rest + seen - count) - math.lgamma(whole + seen)
            + math.lgamma(whole) - math.lgamma(prior) - math.lgamma(rest)
        )  # fmt: skip
        total -= k * math.exp(log_law) * share * math.log(share)
    return total


@lru_cache(maxsize=16)
def _measured(program: MarkovProgram) -> list[tuple[float, float]]:
    """Mean and standard error of the nats of the first n symbols, for all n."""
    longest = program.lengths.values[-1]
    sums, squares = [0.0] * (longest + 1), [0.0] * (longest + 1)
    for number in range(WORDS):
        nats = 0.0
        _, symbols = urns(program, Stream(key(0, "analysis", "markov"), number), longest)
        for n, known in enumerate(symbols, 1):
            nats += known
            sums[n] += nats
            squares[n] += nats * nats
    means = [total / WORDS for total in sums]
    return [
        (mean, math.sqrt(max(square / WORDS - mean * mean, 0.0) / (WORDS - 1)))
        for mean, square in zip(means, squares, strict=True)
    ]
