"""Inputs of tasks that are drawn, as `procdsl.generate.task` says: each into its register."""

from __future__ import annotations

import numpy as np
from numba import int64, uint64

from runner.generators.compiling import kernel, merged
from runner.generators.philox import LOW, S32, ahead, below, below_from, next32, redrawn
from runner.generators.word_comparisons import first_of, has
from runner.generators.word_functions import copied, value

KINDS = (
    *("uniform", "permutation", "weighted", "number", "mapping", "choice", "runs", "bag", "part"),
    *("among", "shuffle", "word"),
)
_UNIFORM, _, _WEIGHTED, _NUMBER, _MAPPING, _CHOICE, _RUNS, _BAG, _PART, _AMONG, _SHUFFLE, WORD = range(12)


@merged
def draw_input(table, draws, slot, pool, registers):
    """A random input into its register."""
    kind, first, count, begin_lengths, end_lengths = table.draws[slot, :5]
    memory, at = registers.memory, registers.first[slot]
    if kind == _CHOICE:
        memory[at] = _chosen(draws, table.draws[slot], value(registers, table.draws[slot, 9]))
        registers.length[slot] = 1
        return
    if kind == _PART:
        of = value(registers, table.draws[slot, 9])
        registers.length[slot] = _part(draws, table.draws[slot], of, memory[at:])
        return
    if kind == _SHUFFLE:
        of = value(registers, table.draws[slot, 9])
        registers.length[slot] = copied(of, memory[at:])
        _shuffle(draws, memory[at : at + of.size])
        return
    place = begin_lengths
    if end_lengths - begin_lengths > 1:
        drawn = below(draws, table.edges[end_lengths - 1])
        while drawn >= table.edges[place]:
            place += 1
    length = table.lengths[place]
    registers.length[slot] = 2 * length if kind == _MAPPING else length
    out = memory[at : at + length]
    if kind == _NUMBER:
        _number(draws, out)
        return
    if kind == _AMONG:
        of = value(registers, table.draws[slot, 9])
        for t in range(length):
            out[t] = of[below(draws, of.size)]
        return
    if kind in (_RUNS, _BAG):
        _runs(draws, first, count, kind == _BAG, out)
        return
    read = ahead(draws, length)
    words = draws.buffer[read : read + length]
    if kind == _UNIFORM:
        _symbols(draws, words, first, count, out)
    elif kind == _WEIGHTED:
        thresholds = table.thresholds[table.draws[slot, 5] : table.draws[slot, 6]]
        for t in range(length):
            out[t] = first + np.searchsorted(thresholds, int64(words[t]), side="right")
    else:
        _choose(draws, words, first, pool[:count], out)
        if kind == _MAPPING:
            _valued(draws, table.draws[slot, 7], table.draws[slot, 8], memory[at : at + 2 * length])


@kernel
def _chosen(draws, draw, of):
    """A symbol of the word, or one of the pool that is not in it."""
    first, count, present = draw[1], draw[2], draw[10]
    if present == 2**32 or int64(next32(draws)) < present:
        return of[below(draws, of.size)]
    other = first + below(draws, count)
    while has(of, other):
        other = first + below(draws, count)
    return other


@kernel
def _runs(draws, first, count, bag, out):
    """Runs of symbols, perhaps in any order."""
    n = out.size
    left = below(draws, n)
    out[0] = first + below(draws, count)
    for t in range(1, n):
        out[t] = out[t - 1]
        if left > 0 and below(draws, n - t) < left:
            left -= 1
            out[t] = first + below(draws, count)
    if bag:
        _shuffle(draws, out)


@kernel
def _shuffle(draws, word):
    for t in range(word.size - 1, 0, -1):
        other = below(draws, t + 1)
        word[t], word[other] = word[other], word[t]


@kernel
def _part(draws, draw, of, out):
    """Some of the word in one piece, or as many symbols of the pool that are nowhere in it; its length."""
    first, count, present = draw[1], draw[2], draw[10]
    size = 1 + below(draws, max(of.size // 2, 1))
    if present == 2**32 or int64(next32(draws)) < present:
        start = below(draws, of.size - size + 1)
        for t in range(size):
            out[t] = of[start + t]
        return size
    while True:
        for t in range(size):
            out[t] = first + below(draws, count)
        if first_of(of, out[:size]) == of.size:
            return size


@kernel
def _number(draws, out):
    """Digits, the first not 0 unless it is alone."""
    out[0] = below(draws, 10) if out.size == 1 else 1 + below(draws, 9)
    for t in range(1, out.size):
        out[t] = below(draws, 10)


@kernel
def _valued(draws, first, count, out):
    """Keys at the head of a mapping, spread out, and a value behind each, drawn from the first on."""
    for t in range(out.size // 2 - 1, -1, -1):
        out[2 * t] = out[t]
    for t in range(out.size // 2):
        out[2 * t + 1] = first + below(draws, count)


@kernel
def _symbols(draws, words, first, count, out):
    for t in range(out.size):
        product = uint64(words[t]) * uint64(count)
        if (product & LOW) < uint64(count):
            product = redrawn(draws, uint64(count), product)
        out[t] = first + int64(product >> S32)


@kernel
def _choose(draws, words, first, pool, out):
    """Different symbols, by the beginning of a Fisher and Yates shuffle."""
    for id in range(pool.size):
        pool[id] = first + id
    for t in range(out.size):
        other = t + below_from(draws, pool.size - t, words[t])
        pool[t], pool[other] = pool[other], pool[t]
        out[t] = pool[t]
