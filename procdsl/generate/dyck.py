"""Words of k-Dyck: uniform by ballot numbers, uniform under a bound of depth, or the published walk.

Fixed slots: word t decides whether position t closes; word length + j gives the type of the j-th bracket
that is opened. What comes after these breaks ties and replaces rejected words, which is rare.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from procdsl.programs.dyck import DyckProgram
from procdsl.streams import Stream
from procdsl.tables import closing_thresholds, deep_thresholds, deep_walk_thresholds

Closes = Callable[[int, int, int, Stream], bool]


def word(program: DyckProgram, stream: Stream, length: int) -> list[int]:
    """A word of exactly `length` symbols, which is even."""
    slots, closes = stream.words(length + length // 2), _closes(program, length)
    yet = _yet_deep(program) if program.beyond else None
    word, stack, opened = list[int](), list[int](), length
    for t in range(length):
        if program.beyond and len(stack) > program.beyond:
            yet = None
        if stack and (yet or closes)(len(stack), length - t, slots[t], stream):
            word.append(program.k + stack.pop())
        else:
            stack.append(stream.below(program.k, slots[opened]))
            opened += 1
            word.append(stack[-1])
    return word


def _closes(program: DyckProgram, length: int) -> Closes:
    """Whether to close with `height` open and `left` symbols to come."""
    if program.measure == "process":
        return lambda height, left, first, stream: _walk_closes(program, height, left, first, stream)
    if program.depth is None or program.depth >= length // 2:
        return _ballot_closes
    table = _strip(program.lengths.values[-1], program.depth)

    def closes(height: int, left: int, first: int, stream: Stream) -> bool:
        return height in (left, program.depth) or stream.under(table[left][height], first)

    return closes


def _yet_deep(program: DyckProgram) -> Closes:
    """As `_closes`, as long as a word that is to be deep is not."""
    table = _deep(program.lengths.values[-1], program)
    return lambda height, left, first, stream: stream.under(table[left][height], first)


def _ballot_closes(height: int, left: int, first: int, stream: Stream) -> bool:
    """By the ratio of ballot numbers: of the completions, h (r + h + 2) out of 2 r (h + 1) close now."""
    return stream.chance(height * (left + height + 2), 2 * left * (height + 1), first)


def _walk_closes(program: DyckProgram, height: int, left: int, first: int, stream: Stream) -> bool:
    return height in (left, program.depth) or not stream.under(program.p_open, first)


@lru_cache(maxsize=8)
def _deep(length: int, program: DyckProgram) -> list[list[int]]:
    assert program.beyond is not None
    if program.measure == "process":
        return deep_walk_thresholds(length, program.beyond, program.p_open / 2**64, closed=True)
    return deep_thresholds(length, program.beyond, program.depth)


@lru_cache(maxsize=8)
def _strip(length: int, depth: int) -> list[list[int]]:
    return closing_thresholds(length, depth)
