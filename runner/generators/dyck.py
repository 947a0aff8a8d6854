"""The walks of `procdsl.generate.dyck`, without a branch in the loop that a processor could mispredict."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.programs.dyck import DyckProgram
from procdsl.tables import closing_thresholds, deep_thresholds, deep_walk_thresholds
from runner.generators.compiling import kernel
from runner.generators.philox import LOW, S32, below_from, chance_tie, next32, redrawn, slots, under_from
from runner.generators.rows import Prepared, sampler

BALLOT, STRIP, WALK = range(3)


class DyckTables(NamedTuple):
    """`mode` is one of the three walks; `closing` the thresholds of the strip, by left and height.

    A word that is to be more than `beyond` deep (-1: none is) closes by those in `deep` until it is.
    """

    mode: int
    k: int
    depth: int
    p_open: Any
    closing: Any
    beyond: int
    deep: Any


def prepare(program: DyckProgram) -> Prepared:
    """Nothing to look up but for the strip of a bounded depth."""
    longest = program.lengths.values[-1]
    depth = min(program.depth or longest, longest)
    mode, closing = BALLOT, np.zeros((1, 1), np.uint64)
    if program.measure == "process":
        mode = WALK
    elif depth < longest // 2:
        mode, closing = STRIP, np.array(closing_thresholds(longest, depth), np.uint64)
    beyond, deep = -1, np.zeros((1, 1), np.uint64)
    if program.beyond is not None:
        beyond, deep = program.beyond, np.array(_deep(program, program.beyond, longest), np.uint64)
    tables = DyckTables(mode, program.k, depth, np.uint64(program.p_open), closing, beyond, deep)
    return Prepared(tables, slots=longest + longest // 2, scratch=longest + 1)


def _deep(program: DyckProgram, beyond: int, longest: int) -> list[list[int]]:
    if program.measure == "process":
        return deep_walk_thresholds(longest, beyond, program.p_open / 2**64, closed=True)
    return deep_thresholds(longest, beyond, program.depth)


@sampler(DyckTables)
@kernel
def _word(tables, draws, scratch, out):
    length = out.size
    slots(draws, length + length // 2)
    if tables.beyond >= 0:
        _yet_deep(tables, draws, scratch, out)
    elif tables.mode == BALLOT:
        _ballot(tables.k, draws, scratch, out)
    else:
        _bounded(tables, draws, scratch, out)


@kernel
def _ballot(k, draws, stack, out):
    """Uniform: closes with probability h (r + h + 2) / 2 r (h + 1), compared by multiplying out."""
    length, height, opened, first = out.size, 0, out.size, draws.buffer
    for t in range(length):
        left = length - t
        denominator = 2 * left * (height + 1)
        margin = (height * (left + height + 2) << 32) - int64(first[t]) * denominator
        closes = int64(margin > 0)
        if 0 < margin < denominator:
            closes = int64(chance_tie(draws, margin, denominator))
        product = uint64(first[opened]) * uint64(k)
        if closes == 0 and (product & LOW) < uint64(k):
            product = redrawn(draws, uint64(k), product)
        # Opening writes the type at the top of the stack, closing writes back what is there: no branch.
        place = height - closes
        kind = stack[place] if closes else int64(product >> S32)
        stack[place] = kind
        out[t] = kind + k * closes
        height += 1 - 2 * closes
        opened += 1 - closes


@kernel
def _bounded(tables, draws, stack, out):
    """The strip's thresholds, or the published walk's one."""
    length, height, opened, first = out.size, 0, out.size, draws.buffer
    k, depth, closing, walk = tables.k, tables.depth, tables.closing, tables.mode == WALK
    for t in range(length):
        left = length - t
        threshold = tables.p_open if walk else closing[left, height]
        under = uint64(first[t]) < threshold >> S32
        sure = height in (0, left, depth)
        if uint64(first[t]) == threshold >> S32 and not sure:
            under = next32(draws) < threshold & LOW
        closes = int64(height != 0 and (sure or under != walk))
        product = uint64(first[opened]) * uint64(k)
        if closes == 0 and (product & LOW) < uint64(k):
            product = redrawn(draws, uint64(k), product)
        place = height - closes
        kind = stack[place] if closes else int64(product >> S32)
        stack[place] = kind
        out[t] = kind + k * closes
        height += 1 - 2 * closes
        opened += 1 - closes


@kernel
def _yet_deep(tables, draws, stack, out):
    """Words that are to be deep: by `deep` until they are, then as all others."""
    length, height, opened, first = out.size, 0, out.size, draws.buffer
    k, reached = tables.k, False
    for t in range(length):
        left = length - t
        reached = reached or height > tables.beyond
        if height == 0:
            closes = False
        elif not reached:
            closes = under_from(draws, tables.deep[left, height], first[t])
        elif tables.mode == BALLOT or (tables.mode == STRIP and tables.depth >= length // 2):
            closes = _ballot_closes(draws, height, left, first[t])
        elif height in (left, tables.depth):
            closes = True
        elif tables.mode == STRIP:
            closes = under_from(draws, tables.closing[left, height], first[t])
        else:
            closes = not under_from(draws, tables.p_open, first[t])
        if closes:
            height -= 1
            out[t] = stack[height] + k
        else:
            stack[height] = below_from(draws, k, first[opened])
            out[t] = stack[height]
            height += 1
            opened += 1


@kernel
def _ballot_closes(draws, height, left, first):
    """Whether to close, by the ratio of ballot numbers."""
    denominator = 2 * left * (height + 1)
    margin = (height * (left + height + 2) << 32) - int64(first) * denominator
    return chance_tie(draws, margin, denominator) if 0 < margin < denominator else margin > 0
