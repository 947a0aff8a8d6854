"""The functions of a transformer and their derivatives, over arrays of positions × features × lanes.

Features come in fours and positions may be worked on in fours: arrays are that much longer than what they
hold, and what is beyond is finite and of no consequence. `rows` counts the positions that matter.
"""

from __future__ import annotations

import numba

from runner.compiled.lanes import at, every, nearest, power_of_two, put, root, total, where_less

EPSILON = 1e-5  # that of torch.nn.LayerNorm
_SLOPE, _CUBE = 1.5957691216057308, 0.044715  # 2 √(2/π), and the cubic term of the tanh GELU


@numba.njit
def exp(x):
    """eˣ within 2 units of the last place (Cephes' expf); 0 below -87, e⁸⁸ above 88, nan for nan."""
    low, high = every(-87.0), every(88.0)
    y = where_less(x, low, low, where_less(high, x, high, x))
    n = nearest(y * 1.44269504088896341)
    r = y - n * 0.693359375 + n * 2.12194440e-4
    p = r * 1.9875691500e-4 + 1.3981999507e-3
    p = p * r + 8.3334519073e-3
    p = p * r + 4.1665795894e-2
    p = p * r + 1.6666665459e-1
    p = p * r + 5.0000001201e-1
    return where_less(x, low, every(0.0), (p * (r * r) + r + 1.0) * power_of_two(n))


@numba.njit
def wipe(x, t):
    """x = 0 at a position."""
    for c in range(x.shape[1]):
        put(x, t, c, every(0.0))


@numba.njit
def clear(x, rows):
    """x = 0 at so many positions."""
    for t in range(rows):
        wipe(x, t)


@numba.njit
def linear(w, b, x, y, rows, onto):
    """y = w x + b at each position; y += w x + b where `onto` is true."""
    outputs, inputs = w.shape
    for t in range(0, rows, 2):
        for o in range(0, outputs, 4):
            a0, a1, a2, a3 = every(b[o]), every(b[o + 1]), every(b[o + 2]), every(b[o + 3])
            c0, c1, c2, c3 = a0, a1, a2, a3
            if onto:
                a0, a1, a2, a3 = (
                    a0 + at(y, t, o),
                    a1 + at(y, t, o + 1),
                    a2 + at(y, t, o + 2),
                    a3 + at(y, t, o + 3),
                )
                c0, c1 = c0 + at(y, t + 1, o), c1 + at(y, t + 1, o + 1)
                c2, c3 = c2 + at(y, t + 1, o + 2), c3 + at(y, t + 1, o + 3)
            for i in range(inputs):
                x0, x1 = at(x, t, i), at(x, t + 1, i)
                w0, w1, w2, w3 = w[o, i], w[o + 1, i], w[o + 2, i], w[o + 3, i]
                a0, a1, a2, a3 = a0 + w0 * x0, a1 + w1 * x0, a2 + w2 * x0, a3 + w3 * x0
                c0, c1, c2, c3 = c0 + w0 * x1, c1 + w1 * x1, c2 + w2 * x1, c3 + w3 * x1
            put(y, t, o, a0), put(y, t, o + 1, a1), put(y, t, o + 2, a2), put(y, t, o + 3, a3)
            put(y, t + 1, o, c0), put(y, t + 1, o + 1, c1)
            put(y, t + 1, o + 2, c2), put(y, t + 1, o + 3, c3)


@numba.njit
def outer(g, x, dw, rows):
    """dw += g xᵀ, summed over positions and lanes."""
    outputs, inputs = dw.shape
    for o in range(0, outputs, 4):
        for i in range(0, inputs, 2):
            a0 = a1 = a2 = a3 = c0 = c1 = c2 = c3 = every(0.0)
            for t in range(rows):
                x0, x1 = at(x, t, i), at(x, t, i + 1)
                g0, g1, g2, g3 = at(g, t, o), at(g, t, o + 1), at(g, t, o + 2), at(g, t, o + 3)
                a0, a1, a2, a3 = a0 + g0 * x0, a1 + g1 * x0, a2 + g2 * x0, a3 + g3 * x0
                c0, c1, c2, c3 = c0 + g0 * x1, c1 + g1 * x1, c2 + g2 * x1, c3 + g3 * x1
            dw[o, i] += total(a0)
            dw[o + 1, i] += total(a1)
            dw[o + 2, i] += total(a2)
            dw[o + 3, i] += total(a3)
            dw[o, i + 1] += total(c0)
            dw[o + 1, i + 1] += total(c1)
            dw[o + 2, i + 1] += total(c2)
            dw[o + 3, i + 1] += total(c3)


@numba.njit
def sums(g, db, rows):
    """db += g, summed over positions and lanes."""
    for o in range(len(db)):
        a0 = every(0.0)
        for t in range(rows):
            a0 = a0 + at(g, t, o)
        db[o] += total(a0)


@numba.njit
def linear_back(turned, none, x, g, dx, dw, db, rows, onto):
    """dx = wᵀ g (dx += where `onto` is true), dw += g xᵀ, db += g."""
    outer(g, x, dw, rows)
    sums(g, db, rows)
    linear(turned, none, g, dx, rows, onto)


@numba.njit
def norm(x, affinity, hat, deviation, y, rows, width):
    """Layer norm: y = gain · hat + bias, hat of mean 0 and variance 1 over the features; keeps 1 / σ."""
    for t in range(rows):
        mean = variance = every(0.0)
        for c in range(width):
            mean = mean + at(x, t, c)
        mean = mean / width
        for c in range(width):
            off = at(x, t, c) - mean
            variance = variance + off * off
        inverse = every(1.0) / root(variance / width + EPSILON)
        put(deviation, t, 0, inverse)
        for c in range(width):
            put(hat, t, c, (at(x, t, c) - mean) * inverse)
    affine(hat, affinity, y, rows, width)


@numba.njit
def affine(hat, affinity, y, rows, width):
    """y = gain · hat + bias; `affinity` holds both."""
    for t in range(rows):
        for c in range(width):
            put(y, t, c, at(hat, t, c) * affinity[0, c] + affinity[1, c])


@numba.njit
def norm_back(g, hat, deviation, affinity, daffinity, dx, rows, width):
    """dx += the gradient of what was normed, from g, that of y."""
    for t in range(rows):
        mean = along = every(0.0)
        for c in range(width):
            part = at(g, t, c) * affinity[0, c]
            mean, along = mean + part, along + part * at(hat, t, c)
        mean, along, inverse = mean / width, along / width, at(deviation, t, 0)
        for c in range(width):
            change = (at(g, t, c) * affinity[0, c] - mean - at(hat, t, c) * along) * inverse
            put(dx, t, c, at(dx, t, c) + change)
    for c in range(width):
        a0 = a1 = every(0.0)
        for t in range(rows):
            a0, a1 = a0 + at(g, t, c) * at(hat, t, c), a1 + at(g, t, c)
        daffinity[0, c] += total(a0)
        daffinity[1, c] += total(a1)


@numba.njit
def gelu(u, y, rows, features):
    """The tanh GELU, u · sigmoid(2 √(2/π) (u + 0.044715 u³))."""
    for t in range(rows):
        for c in range(features):
            x = at(u, t, c)
            put(y, t, c, x / (exp(x * (x * x * (-_SLOPE * _CUBE) - _SLOPE)) + 1.0))


@numba.njit
def gelu_back(u, g, y, rows, features):
    """The GELU again into y, and g, the gradient of it, to that of u."""
    for t in range(rows):
        for c in range(features):
            x = at(u, t, c)
            square = x * x
            gate = every(1.0) / (exp(x * (square * (-_SLOPE * _CUBE) - _SLOPE)) + 1.0)
            inner = square * (3 * _SLOPE * _CUBE) + _SLOPE
            put(y, t, c, x * gate)
            put(g, t, c, at(g, t, c) * (gate + x * gate * (1.0 - gate) * inner))
