"""L-systems: what is left to be predicted are the images drawn, and the axiom if it is scored."""

from __future__ import annotations

from procdsl.grammars._rewriting import axiom_nats, drawn_nats, expected, first_nats, told_apart
from procdsl.programs.base import Interval
from procdsl.programs.lsystem import LsystemProgram


def floor(program: LsystemProgram, context: int) -> Interval | None:
    """Mean nats of a row over its mean number of scored tokens, which is what many rows come to.

    Exact where a row shows which images were drawn; else at most that much.
    """
    counts = expected(program)
    tokens = sum(sum(generation) + 1 for generation in counts[1:])
    high = drawn_nats(program)
    low = high if told_apart(program) else 0.0
    if program.scores_first:
        # The row's first token is fed and never asked for; who sees it knows what it tells of the rest.
        tokens += sum(counts[0])
        unasked = first_nats(program)
        low, high = low + axiom_nats(program) - unasked, high + axiom_nats(program) - unasked
    return Interval(low=low / tokens, high=high / tokens)


def chance(program: LsystemProgram) -> float | None:
    """How often the likeliest symbol occurs, in the mean."""
    counts = expected(program)[0 if program.scores_first else 1 :]
    totals = [sum(generation[symbol] for generation in counts) for symbol in range(program.symbols)]
    return max(max(totals), len(counts)) / (sum(totals) + len(counts))
