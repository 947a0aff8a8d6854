"""The walks of `procdsl.generate.dyck`, without a branch in the loop that a processor could mispredict."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.programs import DyckProgram
from procdsl.tables import closing_thresholds
from runner.generators.compiling import kernel
from runner.generators.philox import LOW, S32, chance_tie, next32, redrawn, slots
from runner.generators.rows import Prepared, sampler

BALLOT, STRIP, WALK = range(3)


class DyckTables(NamedTuple):
    """`mode` is one of the three walks; `closing` the thresholds of the strip, by left and height."""

    mode: int
    k: int
    depth: int
    p_open: Any
    closing: Any


def prepare(program: DyckProgram) -> Prepared:
    """Nothing to look up but for the strip of a bounded depth."""
    longest = program.lengths.values[-1]
    depth = min(program.depth or longest, longest)
    mode, closing = BALLOT, np.zeros((1, 1), np.uint64)
    if program.measure == "process":
        mode = WALK
    elif depth < longest // 2:
        mode, closing = STRIP, np.array(closing_thresholds(longest, depth), np.uint64)
    tables = DyckTables(mode, program.k, depth, np.uint64(program.p_open), closing)
    return Prepared(tables, slots=longest + longest // 2, scratch=longest + 1)


@sampler(DyckTables)
@kernel
def _word(tables, draws, scratch, out):
    length = out.size
    slots(draws, length + length // 2)
    if tables.mode == BALLOT:
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
