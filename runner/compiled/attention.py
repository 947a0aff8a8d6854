"""Causal attention of chosen positions over lanes, and its derivative, which makes the weights again.

Query s of a lane stands at position `limit[s]` of it and sees the keys up to there; `seen[s]` is how many the
lanes see at most. Keys are taken in pairs: what is beyond a limit weighs nothing.
"""

from __future__ import annotations

import numba

from runner.compiled.functions import exp
from runner.compiled.lanes import at, every, larger, put, where_less

_NEVER = -1e30


@numba.njit
def attend(q, k, v, limit, seen, row, kept, y, rows, heads, size, scale):
    """y = softmax(scale · q kᵀ) v for each head of `size` features; maximum and 1 / sum are kept."""
    for s in range(rows):
        place = at(limit, s, 0)
        for head in range(heads):
            first = head * size
            top, mass = every(_NEVER), every(0.0)
            for j in range(0, seen[s], 2):
                a0 = a1 = every(0.0)
                for d in range(first, first + size, 4):
                    q0, q1, q2, q3 = at(q, s, d), at(q, s, d + 1), at(q, s, d + 2), at(q, s, d + 3)
                    a0 = a0 + q0 * at(k, j, d) + q1 * at(k, j, d + 1)
                    a1 = a1 + q0 * at(k, j + 1, d) + q1 * at(k, j + 1, d + 1)
                    a0 = a0 + q2 * at(k, j, d + 2) + q3 * at(k, j, d + 3)
                    a1 = a1 + q2 * at(k, j + 1, d + 2) + q3 * at(k, j + 1, d + 3)
                a0 = where_less(place, every(j), every(_NEVER), a0 * scale)
                a1 = where_less(place, every(j + 1), every(_NEVER), a1 * scale)
                top = larger(top, larger(a0, a1))
                put(row, j, 0, a0), put(row, j + 1, 0, a1)
            for j in range(0, seen[s], 2):
                a0, a1 = exp(at(row, j, 0) - top), exp(at(row, j + 1, 0) - top)
                mass = mass + a0 + a1
                put(row, j, 0, a0), put(row, j + 1, 0, a1)
            inverse = every(1.0) / mass
            put(kept, s, 2 * head, top), put(kept, s, 2 * head + 1, inverse)
            for d in range(first, first + size, 4):
                a0 = a1 = a2 = a3 = c0 = c1 = c2 = c3 = every(0.0)
                for j in range(0, seen[s], 2):
                    p0, p1 = at(row, j, 0), at(row, j + 1, 0)
                    a0, a1 = a0 + p0 * at(v, j, d), a1 + p0 * at(v, j, d + 1)
                    a2, a3 = a2 + p0 * at(v, j, d + 2), a3 + p0 * at(v, j, d + 3)
                    c0, c1 = c0 + p1 * at(v, j + 1, d), c1 + p1 * at(v, j + 1, d + 1)
                    c2, c3 = c2 + p1 * at(v, j + 1, d + 2), c3 + p1 * at(v, j + 1, d + 3)
                put(y, s, d, (a0 + c0) * inverse), put(y, s, d + 1, (a1 + c1) * inverse)
                put(y, s, d + 2, (a2 + c2) * inverse), put(y, s, d + 3, (a3 + c3) * inverse)


@numba.njit
def attend_back(q, k, v, limit, seen, row, kept, y, g, dq, dk, dv, rows, heads, size, scale):
    """dq, and dk and dv added to, from g, the gradient of y."""
    for s in range(rows):
        place = at(limit, s, 0)
        for head in range(heads):
            first = head * size
            top, inverse = at(kept, s, 2 * head), at(kept, s, 2 * head + 1)
            mean = every(0.0)
            for d in range(first, first + size):
                mean = mean + at(g, s, d) * at(y, s, d)
            for j in range(seen[s]):
                score = slope = every(0.0)
                for d in range(first, first + size, 4):
                    score = score + at(q, s, d) * at(k, j, d) + at(q, s, d + 1) * at(k, j, d + 1)
                    slope = slope + at(g, s, d) * at(v, j, d) + at(g, s, d + 1) * at(v, j, d + 1)
                    score = score + at(q, s, d + 2) * at(k, j, d + 2) + at(q, s, d + 3) * at(k, j, d + 3)
                    slope = slope + at(g, s, d + 2) * at(v, j, d + 2) + at(g, s, d + 3) * at(v, j, d + 3)
                weight = exp(where_less(place, every(j), every(_NEVER), score * scale) - top) * inverse
                put(row, j, 0, weight), put(row, j, 1, weight * (slope - mean) * scale)
            for d in range(first, first + size, 2):
                q0, q1, g0, g1 = at(q, s, d), at(q, s, d + 1), at(g, s, d), at(g, s, d + 1)
                a0 = a1 = every(0.0)
                for j in range(seen[s]):
                    weight, slope = at(row, j, 0), at(row, j, 1)
                    a0, a1 = a0 + slope * at(k, j, d), a1 + slope * at(k, j, d + 1)
                    put(dk, j, d, at(dk, j, d) + slope * q0), put(dk, j, d + 1, at(dk, j, d + 1) + slope * q1)
                    (
                        put(dv, j, d, at(dv, j, d) + weight * g0),
                        put(dv, j, d + 1, at(dv, j, d + 1) + weight * g1),
                    )
                put(dq, s, d, a0), put(dq, s, d + 1, a1)
