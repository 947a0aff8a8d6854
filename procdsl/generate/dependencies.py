"""Words of paired symbols, from left to right. Whatever is drawn is read on from the stream, in order."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from procdsl.programs.dependencies import DependencyProgram
from procdsl.streams import Stream

NEAR = (0, 1, -1, 2, -2)
ALWAYS = 2**64


def word(program: DependencyProgram, stream: Stream, length: int) -> list[int]:
    """A word of exactly `length` symbols, which is even where words are closed."""
    # What has been written or is booked, -1 elsewhere; the types that nest; places not yet taken.
    word, stack, free = [-1] * length, list[int](), length
    for at in range(length):
        if word[at] >= 0:
            continue
        if program.closed and free == len(stack):
            word[at] = _closing(program, stack.pop())
            free -= 1
        elif _sure_or(program.crossing, stream):
            word[at] = _type(program, stream)
            free -= 1
            partner = _partner(program, word, at, stream)
            if partner >= 0:
                word[partner] = _closing(program, word[at])
                free -= 1
        elif not stack or _sure_or(program.p_open, stream):
            word[at] = _type(program, stream)
            stack.append(word[at])
            free -= 1
        else:
            word[at] = _closing(program, stack.pop())
            free -= 1
    return word


def _sure_or(threshold: int, stream: Stream) -> bool:
    """True with probability threshold / 2**64; nothing is read where that is 0 or 1."""
    return threshold == ALWAYS or (threshold > 0 and stream.under(threshold))


def _type(program: DependencyProgram, stream: Stream) -> int:
    if program.thresholds:
        return bisect_right(program.thresholds, stream.next32())
    return stream.below(program.count)


def _closing(program: DependencyProgram, kind: int) -> int:
    return kind + program.count * program.paired


def _partner(program: DependencyProgram, word: list[int], at: int, stream: Stream) -> int:
    """The place of the other symbol; -1 where there is none."""
    free = [place for place in range(at + 1, len(word)) if word[place] < 0]
    if not program.closed:
        wanted = at + _distance(program, program.distances.shares, stream)
        return next((wanted + by for by in NEAR if wanted + by in free), -1)
    shares = [
        share if at + distance in free else 0
        for distance, share in zip(program.distances.values, program.distances.shares, strict=True)
    ]
    return at + _distance(program, shares, stream) if any(shares) else free[0]


def _distance(program: DependencyProgram, shares: list[int] | tuple[int, ...], stream: Stream) -> int:
    drawn = stream.below(sum(shares))
    edges = accumulate(shares)
    return next(d for d, edge in zip(program.distances.values, edges, strict=True) if drawn < edge)
