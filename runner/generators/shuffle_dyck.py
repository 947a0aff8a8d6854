"""The samplers of `procdsl.generate.shuffle_dyck` on arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl import tables as shared
from procdsl.programs.shuffle_dyck import ShuffleDyckProgram
from runner.generators.compiling import kernel
from runner.generators.philox import LOW, S32, chance_tie, next32, permute, redrawn, slots, ties, under_from
from runner.generators.rows import Prepared, sampler
from runner.generators.uppers import upper_rows

FREE, BOUNDED, WALK = range(3)
_split_row = kernel(shared.split_row)
_move_thresholds = kernel(shared.move_thresholds)


class ShuffleTables(NamedTuple):
    """Of the walk its numbers, of the bounded words their moves, of the free ones how types are halved.

    A move has where those of its target begin and end, in how many ways, at which height, whether it rises;
    those of the last row begin a word. `split[level[j], pairs]` holds the thresholds for halving j types.
    Walks that are to be more than `beyond` deep (-1: none are) close by the thresholds in `deep` until then.
    """

    mode: int
    k: int
    depth: int
    closed: bool
    p_open: Any
    moves: Any
    thresholds: Any
    uppers: Any
    which: Any
    level: Any
    split: Any
    beyond: int
    deep: Any


def prepare(program: ShuffleDyckProgram) -> Prepared:
    """Tables of the measure: none for the walk."""
    longest, k = program.lengths.values[-1], program.k
    depth = longest if program.depth is None else min(program.depth, longest)
    beyond, deep = -1 if program.beyond is None else program.beyond, np.zeros((1, 1), np.uint64)
    moves, thresholds = np.zeros((1, 5), np.int64), np.zeros((1, 1), np.int64)
    level, split = np.zeros(k + 1, np.int64), np.zeros((1, 1, 1), np.int64)
    # Lengths under twice the depth are free even where longer ones are not.
    bounded = program.beyond is not None or depth < longest // 2
    mode = WALK if program.measure == "process" else BOUNDED if bounded else FREE
    if mode == BOUNDED:
        depth = min(depth, longest // 2)
        found = shared.depths(k, depth) if beyond < 0 else shared.deep_depths(k, depth, beyond)
        moves, thresholds = _bounds(found, longest)
    elif beyond >= 0:
        made = shared.deep_walk_thresholds(longest, beyond, program.p_open / 2**64, closed=program.closed)
        deep = np.array(made, np.uint64)
    if mode != WALK and beyond < 0:
        free = min(longest, 2 * depth + 1) // 2
        level, split = _halvings(k, free)
    p_open = np.uint64(program.p_open)
    walk = (mode, k, depth, program.closed, p_open)
    bounds = (moves, thresholds, *upper_rows(thresholds))
    tables = ShuffleTables(*walk, *bounds, level, split, beyond, deep)
    room = 4 * k + 2 * longest + 8
    return Prepared(tables, slots=3 * longest + 2 * k + 8, scratch=room)


def _bounds(found: shared.Depths, longest: int) -> tuple[Any, Any]:
    offsets, targets, ways = (np.array(part, np.int64) for part in (found.offsets, found.targets, found.ways))
    thresholds, states = np.zeros((longest + 1, targets.size), np.int64), offsets.size - 1
    _move_thresholds(longest, offsets, targets, ways, np.zeros(states), np.zeros(states), thresholds)
    entered = np.array([*found.targets, found.start])
    own = (np.array([*part, 0]) for part in (found.ways, found.heights, found.rises))
    return np.stack([offsets[entered], offsets[entered + 1] - 1, *own], axis=1), thresholds


def _halvings(k: int, pairs: int) -> tuple[Any, Any]:
    """Where the rows of each number of types are, and the rows."""
    sizes = shared.halves(k)
    level, split = np.zeros(k + 1, np.int64), np.zeros((max(len(sizes), 1), pairs + 1, pairs + 1), np.int64)
    scaled = {1: 1.0 / np.arange(1.0, pairs + 2)}
    for place, kinds in enumerate(sizes):
        level[kinds], one, other = place, scaled[kinds // 2], scaled[kinds - kinds // 2]
        scaled[kinds] = np.zeros(pairs + 1)
        for m in range(pairs + 1):
            room = np.zeros(m + 1)
            scaled[kinds][m] = _split_row(one, other, kinds // 2 / kinds, m, room, split[place, m])
    return level, split


@sampler(ShuffleTables)
@kernel
def _word(tables, draws, scratch, out):
    if tables.mode == WALK:
        _walk(tables, draws, scratch, out)
    elif tables.mode == BOUNDED and (tables.beyond >= 0 or tables.depth < out.size // 2):
        _bounded(tables, draws, scratch, out)
    else:
        _free(tables, draws, scratch, out)


@kernel
def _walk(tables, draws, scratch, out):
    length, k, depth, closed, p_open = out.size, tables.k, tables.depth, tables.closed, tables.p_open
    slots(draws, 2 * length)
    first, heights, open_types = draws.buffer, scratch[:k], scratch[k : 2 * k]
    heights[:] = 0
    height, kinds, yet = 0, 0, tables.beyond >= 0
    for t in range(length):
        yet = yet and height <= tables.beyond
        must_close = height == depth or (closed and length - t == height)
        opens = height == 0 or (not must_close and uint64(first[t]) < p_open >> S32)
        if not yet and uint64(first[t]) == p_open >> S32 and height > 0 and not must_close:
            opens = next32(draws) < p_open & LOW
        if yet:
            opens = height == 0 or not under_from(draws, tables.deep[length - t, height], first[t])
        choices = uint64(k if opens else kinds)
        product = uint64(first[length + t]) * choices
        if (product & LOW) < choices:
            product = redrawn(draws, choices, product)
        place = int64(product >> S32)
        if opens:
            kind = place
            if heights[kind] == 0:
                open_types[kinds] = kind
                kinds += 1
            heights[kind] += 1
            height += 1
            out[t] = kind
        else:
            kind = open_types[place]
            heights[kind] -= 1
            height -= 1
            if heights[kind] == 0:
                kinds -= 1
                open_types[place] = open_types[kinds]
            out[t] = k + kind


@kernel
def _bounded(tables, draws, scratch, out):
    length, k, depth, moves = out.size, tables.k, tables.depth, tables.moves
    slots(draws, 3 * length)
    words, types, first = draws.buffer, scratch[:k], scratch[k : k + depth + 2]
    uppers, which, move = tables.uppers, tables.which, uint64(moves.shape[0] - 1)
    for kind in range(k):
        types[kind] = kind
    first[:] = k
    first[0] = 0
    for t in range(length):
        row, upper, tie = which[length - t], words[2 * t], False
        begin, last = uint64(moves[move, 0]), uint64(moves[move, 1])
        move = begin
        for e in range(begin, last):
            move += uint64(upper >= uppers[row, e])
            tie |= upper == uppers[row, e]
        if tie:
            drawn = int64(((uint64(upper) << S32) | uint64(words[2 * t + 1])) >> uint64(2))
            move = begin
            while move < last and drawn >= tables.thresholds[length - t, move]:
                move += uint64(1)
        ways, height, rises = uint64(moves[move, 2]), uint64(moves[move, 3]), moves[move, 4]
        product = uint64(words[2 * length + t]) * ways
        if (product & LOW) < ways:
            product = redrawn(draws, ways, product)
        # A type that rises becomes the last of the height above, which then begins before it; or the reverse.
        place, border = uint64(first[height]) + (product >> S32), height + uint64(rises)
        first[border] += 1 - 2 * rises
        other, kind = uint64(first[border] - 1 + rises), types[place]
        types[place], types[other] = types[other], kind
        out[t] = kind + k * (1 - rises)


@kernel
def _free(tables, draws, scratch, out):
    length, k = out.size, tables.k
    heights, left = scratch[:k], scratch[k : 2 * k]
    slots(draws, 2 * (k - 1) + max(length - 1, 0) + length)
    words = draws.buffer
    _sizes(tables, words, scratch[2 * k : 4 * k], length // 2, left)
    at = 0
    for kind in range(k):
        heights[kind], left[kind] = 0, 2 * left[kind]
        out[at : at + left[kind]] = kind
        at += left[kind]
    read = 2 * (k - 1)
    permute(draws, words[read:], out)
    read += length - 1
    for t in range(length):
        kind = uint64(out[t])
        height, after = heights[kind], left[kind]
        denominator = 2 * after * (height + 1)
        margin = (height * (after + height + 2) << 32) - int64(words[read + t]) * denominator
        closes = int64(margin > 0)
        if ties(margin, denominator):
            closes = int64(chance_tie(draws, margin, denominator))
        heights[kind] = height + 1 - 2 * closes
        left[kind] = after - 1
        out[t] = int64(kind) + k * closes


@kernel
def _sizes(tables, words, pending, pairs, sizes):
    """How many pairs each type has: types halved again and again, the first half first."""
    depth, done, read = 1, 0, 0
    pending[0], pending[1] = sizes.size, pairs
    while depth > 0:
        depth -= 1
        kinds, pairs = pending[2 * depth], pending[2 * depth + 1]
        if kinds == 1:
            sizes[done] = pairs
            done += 1
            continue
        drawn = int64(((uint64(words[read]) << S32) | uint64(words[read + 1])) >> uint64(2))
        read += 2
        row = tables.split[tables.level[kinds], pairs]
        ours = _passed(row, pairs, drawn)
        pending[2 * depth], pending[2 * depth + 1] = kinds - kinds // 2, pairs - ours
        pending[2 * depth + 2], pending[2 * depth + 3] = kinds // 2, ours
        depth += 2


@kernel
def _passed(row, size, drawn):
    """How many of the first `size` thresholds, which ascend, a number passes: halved without a branch."""
    found = 0
    while size > 0:
        half = (size + 1) // 2
        passes = int64(drawn >= row[found + half - 1])
        found += passes * half
        size = passes * (size - half) + (1 - passes) * (half - 1)
    return found
