"""A model's loss and gradients over a batch, in groups of as many rows as there are lanes.

It is `runner.model` and `runner.loss` again: the last block, the last norm and the head work at chosen
positions only, where at most half of them are scored. The rows of a group are as long as the last scored
position of the longest, so that sorted rows cost little padding.

T positions, S chosen ones of the last block; the rest of the letters are those of `arrays`.
"""

from __future__ import annotations

import math

import numba

from runner.compiled.arrays import HEAD
from runner.compiled.attention import attend, attend_back
from runner.compiled.functions import (
    affine,
    clear,
    exp,
    gelu,
    gelu_back,
    linear,
    linear_back,
    norm,
    norm_back,
    outer,
    sums,
    wipe,
)
from runner.compiled.lanes import LANES, at, every, larger, put, total
from runner.generators.compiling import kernel


@kernel
def learn(
    ids, places, targets, scale, sizes, ends, blocks, turned, rows, kept, scratch, loss, dends, dblocks
):
    """The loss of each scored position; the gradients of `scale` × their sum are added to `dends`, `dblocks`.

    ids: B × T; places: the scored positions in the flattened rows, ascending; targets: their ids.
    sizes: heads, features of a head, width, and ids of the vocabulary.
    """
    done = 0
    for first in range(0, len(ids), LANES):
        T, S, done = _group(ids, places, targets, first, done, rows, scale)
        _forward(ends, blocks, rows, kept, scratch, T, S, sizes)
        for s in range(0, S, HEAD):
            count = min(HEAD, S - s)
            _score(ends, rows, scratch, s, count, sizes[3], loss, scale)
            outer(scratch.logits, scratch.m[s:], dends.head, count)
            linear(turned.head, scratch.none, scratch.logits, scratch.dn[s:], count, False)
        _backward(ends, blocks, turned, rows, kept, scratch, T, S, sizes, dends, dblocks)


@numba.njit
def _group(ids, places, targets, first, done, rows, scale):
    """Lay the rows from `first` into lanes: T, S, and the number of the next scored position."""
    last, T, S, end = min(first + LANES, len(ids)), 0, 0, done
    for row in range(first, last):
        since = end
        while end < len(places) and places[end] < (row + 1) * ids.shape[1]:
            end += 1
        if end > since:
            T, S = max(T, places[end - 1] - row * ids.shape[1] + 1), max(S, end - since)
    whole = 2 * S > T
    S = T if whole else S
    clear(rows.counts, S)
    for lane in range(LANES):
        row = min(first + lane, len(ids) - 1)
        for t in range(T):
            rows.ids[t, lane] = ids[row, t]
        for s in range(S):
            rows.place[s, lane], rows.number[s, lane] = (s if whole else 0), -1
        s = 0
        while done < end and first + lane < last and places[done] < (row + 1) * ids.shape[1]:
            place = places[done] - row * ids.shape[1]
            s = place if whole else s
            rows.place[s, lane], rows.target[s, lane], rows.number[s, lane] = place, targets[done], done
            rows.counts[s, 0, lane] = scale
            done, s = done + 1, s + 1
    for s in range(S):
        rows.seen[s] = 0
        for lane in range(LANES):
            rows.seen[s] = max(rows.seen[s], rows.place[s, lane] + 1)
            rows.limit[s, 0, lane] = rows.place[s, lane]
    return T, S, done


@numba.njit
def _forward(ends, blocks, rows, kept, scratch, T, S, sizes):
    """The normed states of the chosen positions, into scratch.m."""
    heads, size, C, _ = sizes
    x, n, wide, count = scratch.x, scratch.n, scratch.wide, T
    for t in range(T):
        for lane in range(LANES):
            for c in range(C):
                x[t, c, lane] = ends.embedding[rows.ids[t, lane], c] + ends.position[t, c]
    for i in range(len(blocks.up)):
        norm(x, blocks.norm1[i], kept.hat1[i], kept.deviation1[i], n, T, C)
        wipe(n, T)  # attention takes keys in pairs: it may read this one, and gives it no weight
        linear(blocks.key[i], blocks.key_bias[i], n, kept.k[i], T, False)
        linear(blocks.value[i], blocks.value_bias[i], n, kept.v[i], T, False)
        queries, limit, seen = n, rows.every_limit, rows.every_seen
        if i == len(blocks.up) - 1 and S < T:
            _gather(x, rows.place, scratch.chosen, S, C)
            _gather(n, rows.place, scratch.m, S, C)
            x, queries, limit, seen, count = scratch.chosen, scratch.m, rows.limit, rows.seen, S
        linear(blocks.query[i], blocks.query_bias[i], queries, kept.q[i], count, False)
        attend(
            kept.q[i], kept.k[i], kept.v[i], limit, seen, scratch.row, kept.top[i], kept.y[i], count,
            heads, size, 1 / math.sqrt(C // heads),
        )  # fmt: skip
        linear(blocks.out[i], blocks.out_bias[i], kept.y[i], x, count, True)
        norm(x, blocks.norm2[i], kept.hat2[i], kept.deviation2[i], n, count, C)
        linear(blocks.up[i], blocks.up_bias[i], n, kept.u[i], count, False)
        gelu(kept.u[i], wide, count, blocks.up.shape[1])
        linear(blocks.down[i], blocks.down_bias[i], wide, x, count, True)
    norm(x, ends.norm, scratch.hat, scratch.deviation, scratch.m, S, C)


@numba.njit
def _score(ends, rows, scratch, first, count, V, loss, scale):
    """The loss at `count` chosen positions from `first`; the gradients of the logits, into their place."""
    logits, line = scratch.logits, scratch.row
    linear(ends.head, scratch.none, scratch.m[first:], logits, count, False)
    for s in range(count):
        top = at(logits, s, 0)
        for v in range(V):
            top = larger(top, at(logits, s, v))
        put(line, 0, 0, top)
        for lane in range(LANES):
            n = rows.number[first + s, lane]
            if n >= 0:
                loss[n] = line[0, 0, lane] - logits[s, rows.target[first + s, lane], lane]
        mass = every(0.0)
        for v in range(V):
            power = exp(at(logits, s, v) - top)
            put(logits, s, v, power)
            mass = mass + power
        put(line, 0, 0, mass)
        factor = at(rows.counts, first + s, 0) / mass
        for v in range(V):
            put(logits, s, v, at(logits, s, v) * factor)
        for v in range(V, logits.shape[1]):
            put(logits, s, v, every(0.0))
        for lane in range(LANES):
            n = rows.number[first + s, lane]
            if n >= 0:
                loss[n] += math.log(line[0, 0, lane])
                logits[s, rows.target[first + s, lane], lane] -= scale


@numba.njit
def _backward(ends, blocks, turned, rows, kept, scratch, T, S, sizes, dends, dblocks):
    """Add the gradients of a group; that of the normed states stands in scratch.dn."""
    heads, size, C, _ = sizes
    none, n, m, dn, wide, dwide = scratch.none, scratch.n, scratch.m, scratch.dn, scratch.wide, scratch.dwide
    dq, dk, dv, dy = scratch.dq, scratch.dk, scratch.dv, scratch.dy
    limit, seen, count = rows.limit, rows.seen, S
    dx = scratch.dx if S == T else scratch.chosen
    clear(dx, S)
    norm_back(dn, scratch.hat, scratch.deviation, ends.norm, dends.norm, dx, S, C)
    for i in range(len(blocks.up) - 1, -1, -1):
        linear(turned.down[i], none, dx, dwide, count, False)
        gelu_back(kept.u[i], dwide, wide, count, blocks.up.shape[1])
        outer(dx, wide, dblocks.down[i], count)
        sums(dx, dblocks.down_bias[i], count)
        affine(kept.hat2[i], blocks.norm2[i], n, count, C)
        linear_back(turned.up[i], none, n, dwide, dn, dblocks.up[i], dblocks.up_bias[i], count, False)
        norm_back(dn, kept.hat2[i], kept.deviation2[i], blocks.norm2[i], dblocks.norm2[i], dx, count, C)

        y = kept.y[i]
        linear_back(turned.out[i], none, y, dx, dy, dblocks.out[i], dblocks.out_bias[i], count, False)
        clear(dk, T + 1)
        clear(dv, T + 1)
        attend_back(
            kept.q[i], kept.k[i], kept.v[i], limit, seen, scratch.row, kept.top[i], y, dy, dq, dk, dv,
            count, heads, size, 1 / math.sqrt(C // heads),
        )  # fmt: skip
        affine(kept.hat1[i], blocks.norm1[i], n, T, C)
        linear_back(turned.key[i], none, n, dk, dn, dblocks.key[i], dblocks.key_bias[i], T, False)
        linear_back(turned.value[i], none, n, dv, dn, dblocks.value[i], dblocks.value_bias[i], T, True)
        dw, db = dblocks.query[i], dblocks.query_bias[i]
        if count == T:
            linear_back(turned.query[i], none, n, dq, dn, dw, db, T, True)
        else:
            _gather(n, rows.place, m, S, C)
            linear_back(turned.query[i], none, m, dq, dy, dw, db, S, False)
            _scatter(dy, rows.place, dn, S, C)
            clear(scratch.dx, T)
            _scatter(dx, rows.place, scratch.dx, S, C)
            dx = scratch.dx
        norm_back(dn, kept.hat1[i], kept.deviation1[i], blocks.norm1[i], dblocks.norm1[i], dx, T, C)
        limit, seen, count = rows.every_limit, rows.every_seen, T
    for t in range(T):
        for c in range(C):
            dends.position[t, c] += total(at(dx, t, c))
        for lane in range(LANES):
            for c in range(C):
                dends.embedding[rows.ids[t, lane], c] += dx[t, c, lane]


@numba.njit
def _gather(x, place, y, S, C):
    """The chosen positions of x."""
    for s in range(S):
        for c in range(C):
            for lane in range(LANES):
                y[s, c, lane] = x[place[s, lane], c, lane]


@numba.njit
def _scatter(y, place, x, S, C):
    """y added to the chosen positions of x."""
    for s in range(S):
        for c in range(C):
            for lane in range(LANES):
                x[place[s, lane], c, lane] += y[s, c, lane]
