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
from runner.compiled.functions import affine, clear, exp, gelu, gelu_back, linear, norm, norm_back, outer, sums, wipe
from runner.compiled.lanes import LANES, at, every, larger, put, total
from runner.generators.compiling import kernel


@kernel
def losses(ids, places, targets, ends, blocks, rows, kept, scratch, sizes, loss, hit):
    """The loss of each scored position, and whether no id is likelier than its target.

    ids: B × T; places: the scored positions in the flattened rows, ascending; targets: their ids.
    sizes: heads, features of a head, width, and ids of the vocabulary.
    """
    done = 0
    for first in range(0, len(ids), LANES):
        T, S, done = _group(ids, places, targets, first, done, rows, 1.0)
        _forward(ends, blocks, rows, kept, scratch, T, S, sizes)
        for s in range(0, S, HEAD):
            _score(ends, rows, scratch, s, min(HEAD, S - s), sizes[3], loss, hit, 1.0)


@kernel
def learn(ids, places, targets, ends, blocks, rows, kept, scratch, sizes, loss, hit, scale, turned, dends, dblocks):
    """As `losses`; the gradients of `scale` × the summed loss are added to `dends` and `dblocks`."""
    done = 0
    for first in range(0, len(ids), LANES):
        T, S, done = _group(ids, places, targets, first, done, rows, scale)
        _forward(ends, blocks, rows, kept, scratch, T, S, sizes)
        for s in range(0, S, HEAD):
            count = min(HEAD, S - s)
            _score(ends, rows, scratch, s, count, sizes[3], loss, hit, scale)
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
    for l in range(len(blocks.up)):
        norm(x, blocks.norm1[l], kept.hat1[l], kept.deviation1[l], n, T, C)
        wipe(n, T)  # attention takes keys in pairs: it may read this one, and gives it no weight
        linear(blocks.key[l], blocks.key_bias[l], n, kept.k[l], T, False)
        linear(blocks.value[l], blocks.value_bias[l], n, kept.v[l], T, False)
        queries, limit, seen = n, rows.every_limit, rows.every_seen
        if l == len(blocks.up) - 1 and S < T:
            _gather(x, rows.place, scratch.chosen, S, C)
            _gather(n, rows.place, scratch.m, S, C)
            x, queries, limit, seen, count = scratch.chosen, scratch.m, rows.limit, rows.seen, S
        linear(blocks.query[l], blocks.query_bias[l], queries, kept.q[l], count, False)
        attend(
            kept.q[l], kept.k[l], kept.v[l], limit, seen, scratch.row, kept.top[l], kept.y[l], count,
            heads, size, 1 / math.sqrt(C // heads),
        )  # fmt: skip
        linear(blocks.out[l], blocks.out_bias[l], kept.y[l], x, count, True)
        norm(x, blocks.norm2[l], kept.hat2[l], kept.deviation2[l], n, count, C)
        linear(blocks.up[l], blocks.up_bias[l], n, kept.u[l], count, False)
        gelu(kept.u[l], wide, count, blocks.up.shape[1])
        linear(blocks.down[l], blocks.down_bias[l], wide, x, count, True)
    norm(x, ends.norm, scratch.hat, scratch.deviation, scratch.m, S, C)


@numba.njit
def _score(ends, rows, scratch, first, count, V, loss, hit, scale):
    """Loss and hit at `count` chosen positions from `first`; the gradients of the logits, into their place."""
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
                target = logits[s, rows.target[first + s, lane], lane]
                loss[n], hit[n] = line[0, 0, lane] - target, target >= line[0, 0, lane]
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
    for l in range(len(blocks.up) - 1, -1, -1):
        linear(turned.down[l], none, dx, dwide, count, False)
        gelu_back(kept.u[l], dwide, wide, count, blocks.up.shape[1])
        outer(dx, wide, dblocks.down[l], count)
        sums(dx, dblocks.down_bias[l], count)
        affine(kept.hat2[l], blocks.norm2[l], n, count, C)
        outer(dwide, n, dblocks.up[l], count)
        sums(dwide, dblocks.up_bias[l], count)
        linear(turned.up[l], none, dwide, dn, count, False)
        norm_back(dn, kept.hat2[l], kept.deviation2[l], blocks.norm2[l], dblocks.norm2[l], dx, count, C)

        linear(turned.out[l], none, dx, dy, count, False)
        outer(dx, kept.y[l], dblocks.out[l], count)
        sums(dx, dblocks.out_bias[l], count)
        clear(dk, T + 1)
        clear(dv, T + 1)
        attend_back(
            kept.q[l], kept.k[l], kept.v[l], limit, seen, scratch.row, kept.top[l], kept.y[l], dy, dq, dk, dv,
            count, heads, size, 1 / math.sqrt(C // heads),
        )  # fmt: skip
        affine(kept.hat1[l], blocks.norm1[l], n, T, C)
        outer(dk, n, dblocks.key[l], T)
        sums(dk, dblocks.key_bias[l], T)
        outer(dv, n, dblocks.value[l], T)
        sums(dv, dblocks.value_bias[l], T)
        linear(turned.key[l], none, dk, dn, T, False)
        linear(turned.value[l], none, dv, dn, T, True)
        sums(dq, dblocks.query_bias[l], count)
        if count == T:
            outer(dq, n, dblocks.query[l], T)
            linear(turned.query[l], none, dq, dn, T, True)
        else:
            _gather(n, rows.place, m, S, C)
            outer(dq, m, dblocks.query[l], S)
            linear(turned.query[l], none, dq, dy, S, False)
            _scatter(dy, rows.place, dn, S, C)
            clear(scratch.dx, T)
            _scatter(dx, rows.place, scratch.dx, S, C)
            dx = scratch.dx
        norm_back(dn, kept.hat1[l], kept.deviation1[l], blocks.norm1[l], dblocks.norm1[l], dx, T, C)
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
