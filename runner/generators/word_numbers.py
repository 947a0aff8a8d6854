"""The word functions of numbers, digits and group elements, on arrays."""

from __future__ import annotations

import numpy as np

from runner.generators.compiling import allocating, kernel


@kernel
def apply(function, number, group, groups, a, b, c, out):
    """The function at this place among `word_functions.NUMBERS`.

    `groups` holds products: row x, of as many as the group has elements, begins at `group` + x times that,
    behind the one place that says how many.
    """
    if function == 0:
        out[0] = number
        return 1
    if function in (1, 4):
        out[0] = 0
        for one in a:
            out[0] += one
        if function == 4:
            out[0] %= 2
        return 1
    if function == 2:
        total = 0
        for place in range(a.size):
            total += a[place]
            out[place] = total
        return a.size
    if function == 3:
        for place in range(a.size):
            out[place] = a[place] % b[0] if b[0] else a[place]
        return a.size
    if function == 5:
        out[0] = a[0] + b[0]
        return 1
    if function == 6:
        out[0] = abs(a[0] - b[0])
        return 1
    if function == 7:
        out[0] = a[0] * b[0]
        return 1
    if function == 8:
        return _digits(a[0], out)
    if function == 9:
        return _add(a, b, out)
    if function == 10:
        return _subtract(a, b, out)
    if function == 11:
        return _multiply(a, b, out)
    if function == 15:
        out[0] = _evaluated(a, max(b[0], 1), c)
        return 1
    order = groups[group]
    table = groups[group + 1 : group + 1 + order * order]
    if function == 14:
        return _inverse(a, number, order, table, out)
    return _compose(a, number, order, table, function == 12, out)


@kernel
def _compose(word, first, order, table, all, out):
    """The products of the elements up to each, or the last of them."""
    product = 0
    for place in range(word.size):
        element = word[place] - first
        product = element if place == 0 else table[product * order + element]
        out[place if all else 0] = first + product
    return word.size if all else min(word.size, 1)


@kernel
def _inverse(word, first, order, table, out):
    for place in range(word.size):
        row, other = (word[place] - first) * order, 0
        while table[row + other] != 0:
            other += 1
        out[place] = first + other
    return word.size


@allocating
def _evaluated(word, by, signs):
    """The value of an expression; `outside` holds, for each open parenthesis, a sum and a factor."""
    outside = np.empty(2 * word.size, np.int64)
    plus, minus, times, opens, closes = signs[0], signs[1], signs[2], signs[3], signs[4]
    depth, total, factor, current, due = 0, 0, 1, 0, True
    for symbol in word:
        if symbol == times:
            factor, current, due = factor * current % by, 0, True
        elif symbol in (plus, minus):
            if not due:
                total, factor, current, due = (total + factor * current) % by, 1, 0, True
            factor = factor if symbol == plus else (by - factor) % by
        elif symbol == opens:
            outside[2 * depth], outside[2 * depth + 1] = total, factor
            depth, total, factor, current, due = depth + 1, 0, 1, 0, True
        elif symbol == closes and depth > 0:
            current, due, depth = (total + factor * current) % by, False, depth - 1
            total, factor = outside[2 * depth], outside[2 * depth + 1]
        elif symbol <= 9:
            current, due = (10 * current + symbol) % by, False
    while depth > 0:
        depth -= 1
        current = (total + factor * current) % by
        total, factor = outside[2 * depth], outside[2 * depth + 1]
    return (total + factor * current) % by


@kernel
def _digits(value, out):
    size = 1
    left = value // 10
    while left:
        size += 1
        left //= 10
    for place in range(size - 1, -1, -1):
        out[place] = value % 10
        value //= 10
    return size


@kernel
def _trimmed(out, size):
    """Without leading zeros."""
    zeros = 0
    while zeros < size - 1 and out[zeros] == 0:
        zeros += 1
    for place in range(zeros, size):
        out[place - zeros] = out[place]
    return size - zeros


@kernel
def _add(a, b, out):
    size = max(a.size, b.size, 1) + 1
    carry = 0
    for place in range(size):
        if place < a.size:
            carry += a[a.size - 1 - place]
        if place < b.size:
            carry += b[b.size - 1 - place]
        out[size - 1 - place] = carry % 10
        carry //= 10
    return _trimmed(out, size)


@kernel
def _subtract(a, b, out):
    """The word that comes out negative, from above, is taken the other way round."""
    size = max(a.size, b.size, 1)
    for _ in range(2):
        borrow = 0
        for place in range(size):
            digit = -borrow
            if place < a.size:
                digit += a[a.size - 1 - place]
            if place < b.size:
                digit -= b[b.size - 1 - place]
            borrow = 1 if digit < 0 else 0
            out[size - 1 - place] = digit + 10 * borrow
        if not borrow:
            break
        a, b = b, a
    return _trimmed(out, size)


@kernel
def _multiply(a, b, out):
    size = max(a.size + b.size, 1)
    out[:size] = 0
    for i in range(a.size - 1, -1, -1):
        carry = 0
        for j in range(b.size - 1, -1, -1):
            carry += out[i + j + 1] + a[i] * b[j]
            out[i + j + 1] = carry % 10
            carry //= 10
        out[i] = carry
    return _trimmed(out, size)
