"""Walks of an automaton that end in time: each arrow drawn by the weight of the walks that go on from it.

Fixed slots: word t chooses the arrow at position t; where arrows have several letters word length + t
chooses a place among them; where these differ in weight word 2 length + t says whether the place gives way
(alias tables).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from procdsl.programs.automaton import AutomatonProgram
from procdsl.streams import Stream
from procdsl.tables import alias
from procdsl.walks import arrows, ends, rows, slots_a_symbol, thresholds

LOW_BITS = 30


class Tables(NamedTuple):
    """All that drawing a word looks up."""

    offsets: list[int]
    thresholds: list[list[int]]
    aliases: list[list[tuple[int, int]]]
    slots: int


def word(program: AutomatonProgram, stream: Stream, length: int) -> list[int]:
    """A word of exactly `length` symbols."""
    tables, state, word = _tables(program), 0, list[int]()
    slots = stream.words(tables.slots * length)
    for t in range(length):
        row = tables.thresholds[min(length - t, len(tables.thresholds) - 1)]
        arrow = _arrow(row, tables.offsets[state], tables.offsets[state + 1], slots[t], stream)
        letters = program.letters[program.writes[arrow]]
        place = 0
        if tables.slots > 1:
            place = stream.below(len(letters.symbols), slots[length + t])
        if tables.slots > 2:
            threshold, other = tables.aliases[program.writes[arrow]][place]
            place = place if stream.under(threshold, slots[2 * length + t]) else other
        word.append(letters.symbols[place])
        state = program.targets[arrow]
    return word


def _arrow(row: list[int], begin: int, end: int, first: int, stream: Stream) -> int:
    """The first arrow whose threshold is above a number of 62 bits, the last 30 of which are read at a
    tie."""
    low = -1
    for arrow in range(begin, end - 1):
        high = row[arrow] >> LOW_BITS
        if first == high and low < 0:
            low = stream.next32() >> 2
        if first < high or (first == high and low < row[arrow] & (1 << LOW_BITS) - 1):
            return arrow
    return end - 1


@lru_cache(maxsize=8)
def _tables(program: AutomatonProgram) -> Tables:
    flat, values = arrows(program), ends(program)
    states, count = len(values), len(flat.targets)
    table = [[0] * count for _ in range(rows(program) + 1)]
    thresholds(flat, values, [1] * states, [0.0] * states, [0] * states, [0.0] * count, table)
    letters = [alias(one.weights or (1.0,) * len(one.symbols)) for one in program.letters]
    return Tables(flat.offsets, table, letters, slots_a_symbol(program))
