"""The walks of `procdsl.generate.automaton`: an arrow is found by counting thresholds, without a branch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.programs.automaton import AutomatonProgram
from procdsl.tables import alias
from procdsl.walks import Arrows, arrows, ends, rows, slots_a_symbol, thresholds
from runner.generators.compiling import kernel
from runner.generators.philox import LOW, S32, next32, redrawn, slots, under_from
from runner.generators.rows import Prepared, sampler

LOW_BITS = 30
# From so many arrows on, halving the interval beats comparing with all of them.
MANY = 48

compiled_thresholds = kernel(thresholds)


class AutomatonTables(NamedTuple):
    """Thresholds by steps to go and arrow; letters and their alias tables, flat; slots for each symbol."""

    offsets: Any
    targets: Any
    thresholds: Any
    begins: Any
    sizes: Any
    letters: Any
    stays: Any
    others: Any
    slots: int


def prepare(program: AutomatonProgram) -> Prepared:
    """Thresholds up to the longest word: O(arrows · length) time and memory."""
    flat = arrows(program)
    offsets, targets = np.array(flat.offsets, np.int64), np.array(flat.targets, np.int64)
    table = _thresholds(program, flat, offsets, targets)
    tables = [alias(one.weights or (1.0,) * len(one.symbols)) for one in program.letters]
    sizes = np.array([len(one.symbols) for one in program.letters], np.int64)
    begins, writes = np.cumsum(sizes) - sizes, np.array(program.writes, np.int64)
    per = slots_a_symbol(program)
    made = AutomatonTables(
        offsets=offsets,
        targets=targets,
        thresholds=table,
        begins=begins[writes],
        sizes=sizes[writes].astype(np.uint64),
        letters=np.array([symbol for one in program.letters for symbol in one.symbols], np.int32),
        stays=np.array([stays for one in tables for stays, _ in one], np.uint64),
        others=np.array([other for one in tables for _, other in one], np.int64),
        slots=per,
    )
    return Prepared(made, slots=per * program.lengths.values[-1])


def _thresholds(program: AutomatonProgram, flat: Arrows, offsets: Any, targets: Any) -> Any:
    values, states = np.array(ends(program)), program.states
    table = np.zeros((rows(program) + 1, len(targets)), np.int64)
    arrays = Arrows(offsets, targets, np.array(flat.weights), np.array(flat.halves))
    scratch = np.ones(states, np.int64), np.zeros(states), np.zeros(states, np.int64), np.zeros(len(targets))
    compiled_thresholds(arrays, values, *scratch, table)
    return table


@sampler(AutomatonTables)
@kernel
def _word(tables, draws, scratch, out):
    length, per = out.size, tables.slots
    slots(draws, per * length)
    words, offsets, targets, table = draws.buffer, tables.offsets, tables.targets, tables.thresholds
    begins, sizes, letters = tables.begins, tables.sizes, tables.letters
    stays, others, state, most = tables.stays, tables.others, 0, table.shape[0] - 1
    for t in range(length):
        left, first = min(length - t, most), int64(words[t])
        begin, end = offsets[state], offsets[state + 1]
        arrow, tie = begin, False
        if end - begin > MANY:
            arrow, tie = _halved(table, left, begin, end - 1, first)
        else:
            for e in range(begin, end - 1):
                high = table[left, e] >> LOW_BITS
                arrow += int64(first >= high)
                tie |= first == high
        if tie:
            arrow = _tied(draws, table, left, begin, end, first)
        place = int64(0)
        if per > 1:
            size = sizes[arrow]
            product = uint64(words[length + t]) * size
            if (product & LOW) < size:
                product = redrawn(draws, size, product)
            place = int64(product >> S32)
        at = begins[arrow] + place
        if per > 2 and not under_from(draws, stays[at], words[2 * length + t]):
            at = begins[arrow] + others[at]
        out[t] = letters[at]
        state = targets[arrow]


@kernel
def _halved(table, left, low, high, first):
    """The first arrow from `low` to `high` whose threshold has an upper part above; whether one is equal."""
    begin = low
    while low < high:
        middle = (low + high) // 2
        if table[left, middle] >> LOW_BITS > first:
            high = middle
        else:
            low = middle + 1
    return low, low > begin and table[left, low - 1] >> LOW_BITS == first


@kernel
def _tied(draws, table, left, begin, end, first):
    """As the reference, step by step."""
    low = int64(-1)
    for e in range(begin, end - 1):
        high = table[left, e] >> LOW_BITS
        if first == high and low < 0:
            low = int64(next32(draws) >> uint64(2))
        if first < high or (first == high and low < table[left, e] & ((1 << LOW_BITS) - 1)):
            return e
    return end - 1
