"""The walks of `procdsl.generate.dependencies`, a position at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.programs.dependencies import DependencyProgram
from runner.generators.compiling import kernel
from runner.generators.philox import below, next32, under_from
from runner.generators.rows import Prepared, sampler

ALWAYS = 2**64


class DependencyTables(NamedTuple):
    """Thresholds of types; distances with their shares. What is sure has no threshold but a flag."""

    types: int
    thresholds: Any
    paired: int
    crossing: Any
    crosses: bool
    p_open: Any
    opens: bool
    distances: Any
    shares: Any
    closed: bool


def prepare(program: DependencyProgram) -> Prepared:
    """Nothing to compute. Scratch: the types that nest."""
    tables = DependencyTables(
        program.count,
        np.array(program.thresholds, np.uint64),
        program.count * program.paired,
        np.uint64(min(program.crossing, ALWAYS - 1)),
        program.crossing == ALWAYS,
        np.uint64(min(program.p_open, ALWAYS - 1)),
        program.p_open == ALWAYS,
        np.array(program.distances.values, np.int64),
        np.array(program.distances.shares, np.int64),
        program.closed,
    )
    return Prepared(tables, slots=0, scratch=program.lengths.values[-1])


@sampler(DependencyTables)
@kernel
def _word(tables, draws, stack, out):
    length, height, free, paired = out.size, 0, out.size, tables.paired
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
            partner = _near(tables, draws, out, at) if not tables.closed else _partner(tables, draws, out, at)
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


@kernel
def _sure_or(draws, sure, threshold):
    return sure or (threshold > 0 and under_from(draws, threshold, next32(draws)))


@kernel
def _type(tables, draws):
    if tables.thresholds.size == 0:
        return below(draws, tables.types)
    return int64(np.searchsorted(tables.thresholds, uint64(next32(draws)), side="right"))


@kernel
def _partner(tables, draws, out, at):
    """A free place at a drawn distance; the nearest where none of the distances leads to one."""
    distances, shares, total = tables.distances, tables.shares, 0
    for j in range(distances.size):
        place = at + distances[j]
        if place < out.size and out[place] < 0:
            total += shares[j]
    if total == 0:
        place = at + 1
        while out[place] >= 0:
            place += 1
        return place
    drawn = below(draws, total)
    for j in range(distances.size):
        place = at + distances[j]
        if place < out.size and out[place] < 0:
            drawn -= shares[j]
            if drawn < 0:
                return place
    return -1


@kernel
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
