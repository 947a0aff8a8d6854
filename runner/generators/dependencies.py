"""The walks of `procdsl.generate.dependencies`, a position at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64

from procdsl.programs.dependencies import DependencyProgram
from runner.generators.compiling import kernel, merged
from runner.generators.iid import GUIDED, guided
from runner.generators.philox import below, next32, under_from
from runner.generators.rows import Prepared, sampler

ALWAYS = 2**64


class DependencyTables(NamedTuple):
    """Thresholds of types and their guide; distances with their shares. What is sure has a flag."""

    types: int
    thresholds: Any
    guide: Any
    paired: int
    crossing: Any
    crosses: bool
    p_open: Any
    opens: bool
    distances: Any
    shares: Any
    closed: bool


def prepare(program: DependencyProgram) -> Prepared:
    """Nothing to compute. Scratch: the types that nest; the cumulated shares of distances to free places."""
    longest, distances = program.lengths.values[-1], program.distances.values
    tables = DependencyTables(
        program.count,
        *guided(program.thresholds),
        program.count * program.paired,
        np.uint64(min(program.crossing, ALWAYS - 1)),
        program.crossing == ALWAYS,
        np.uint64(min(program.p_open, ALWAYS - 1)),
        program.p_open == ALWAYS,
        np.array(distances, np.int64),
        np.array(program.distances.shares, np.int64),
        program.closed,
    )
    return Prepared(tables, slots=0, scratch=longest + len(distances))


@sampler(DependencyTables)
@kernel
def _word(tables, draws, scratch, out):
    length, height, free, paired = out.size, 0, out.size, tables.paired
    stack, edges = scratch[:length], scratch[length : length + tables.distances.size]
    out[:] = -1
    for at in range(length):
        if out[at] >= 0:
            continue
        free -= 1
        if tables.closed and free + 1 == height:
            height -= 1
            out[at] = stack[height] + paired
        elif _sure_or(draws, tables.crosses, tables.crossing):
            kind = _type(tables, draws)
            out[at] = kind
            if tables.closed:
                partner = _partner(tables, draws, edges, out, at)
            else:
                partner = _near(tables, draws, out, at)
            if partner >= 0:
                out[partner] = kind + paired
                free -= 1
        elif height == 0 or _sure_or(draws, tables.opens, tables.p_open):
            kind = _type(tables, draws)
            out[at], stack[height] = kind, kind
            height += 1
        else:
            height -= 1
            out[at] = stack[height] + paired


@merged
def _sure_or(draws, sure, threshold):
    return sure or (threshold > 0 and under_from(draws, threshold, next32(draws)))


@merged
def _type(tables, draws):
    if tables.thresholds.size == 0:
        return below(draws, tables.types)
    drawn = next32(draws)
    kind = tables.guide[drawn >> GUIDED]
    while drawn >= tables.thresholds[kind]:
        kind += 1
    return kind


@merged
def _partner(tables, draws, edges, out, at):
    """A free place at a drawn distance; the nearest where none of the distances leads to one.

    Whether a place is free is as good as random: both loops do without asking.
    """
    distances, shares, total, last = tables.distances, tables.shares, 0, out.size - 1
    for j in range(distances.size):
        place = at + distances[j]
        total += shares[j] * (int64(place <= last) & int64(out[min(place, last)] < 0))
        edges[j] = total
    if total == 0:
        place = at + 1
        while out[place] >= 0:
            place += 1
        return place
    drawn, chosen = below(draws, total), 0
    for j in range(distances.size):
        chosen += int64(drawn >= edges[j])
    return at + distances[chosen]


@merged
def _near(tables, draws, out, at):
    """The place at a drawn distance or, failing that, one or two beside it; -1 where none is free."""
    total = 0
    for share in tables.shares:
        total += share
    drawn, j = below(draws, total), 0
    while drawn >= tables.shares[j]:
        drawn -= tables.shares[j]
        j += 1
    wanted = at + tables.distances[j]
    for by in (0, 1, -1, 2, -2):
        place = wanted + by
        if at < place < out.size and out[place] < 0:
            return place
    return -1
