"""The walks of `procdsl.generate.automaton`, side by side: arrows are found by counting, without a branch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.programs.automaton import AutomatonProgram
from procdsl.tables import alias
from procdsl.walks import Arrows, arrows, ends, rows, slots_a_symbol, thresholds
from runner.generators.compiling import kernel
from runner.generators.philox import LOW, S32, next32, redrawn, slots, stream
from runner.generators.rows import ABREAST, Prepared, sampler_abreast
from runner.generators.uppers import LOW_BITS, upper_rows

# From so many arrows on, halving the interval beats comparing with all of them.
MANY = 48

compiled_thresholds = kernel(thresholds)


class AutomatonTables(NamedTuple):
    """Thresholds by steps to go and arrow; letters and their alias tables, flat; slots for each symbol.

    `goes[arrow]` says where the arrows of its target begin, and which is the last; its own last row begins a
    word.
    """

    thresholds: Any
    uppers: Any
    which: Any
    goes: Any
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
    entered = np.array([*targets, 0])
    uppers, which = upper_rows(table)
    tables = [alias(one.weights or (1.0,) * len(one.symbols)) for one in program.letters]
    sizes = np.array([len(one.symbols) for one in program.letters], np.int64)
    begins, writes = np.cumsum(sizes) - sizes, np.array(program.writes, np.int64)
    per = slots_a_symbol(program)
    made = AutomatonTables(
        thresholds=table,
        uppers=uppers,
        which=which,
        goes=np.stack([offsets[entered], offsets[entered + 1] - 1], axis=1).astype(np.uint32),
        begins=begins[writes],
        sizes=sizes[writes].astype(np.uint64),
        letters=np.array([symbol for one in program.letters for symbol in one.symbols], np.int32),
        stays=np.array([stays for one in tables for stays, _ in one], np.uint64),
        others=np.array([other for one in tables for _, other in one], np.int64),
        slots=per,
    )
    return Prepared(made, slots=per * program.lengths.values[-1], scratch=ABREAST)


def _thresholds(program: AutomatonProgram, flat: Arrows, offsets: Any, targets: Any) -> Any:
    values, states = np.array(ends(program)), program.states
    table = np.zeros((rows(program) + 1, len(targets)), np.int64)
    arrays = Arrows(offsets, targets, np.array(flat.weights), np.array(flat.halves))
    scratch = np.ones(states, np.int64), np.zeros(states), np.zeros(states, np.int64), np.zeros(len(targets))
    compiled_thresholds(arrays, values, *scratch, table)
    return table


@sampler_abreast(AutomatonTables)
@kernel
def _words(tables, streams, scratch, ids, places, lengths):
    buffer, goes, per = streams.buffer, tables.goes, tables.slots
    table, uppers, which, most = tables.thresholds, tables.uppers, tables.which, tables.which.size - 1
    begins, sizes, letters = tables.begins, tables.sizes, tables.letters
    stays, others, at, longest = tables.stays, tables.others, scratch, 0
    for r in range(lengths.size):
        slots(stream(streams, r), per * lengths[r])
        at[r], longest = goes.shape[0] - 1, max(longest, lengths[r])
    for t in range(longest):
        for r in range(lengths.size):
            length = lengths[r]
            if t >= length:
                continue
            before, left, first = uint64(at[r]), min(length - t, most), buffer[r, t]
            begin, last, row = uint64(goes[before, 0]), uint64(goes[before, 1]), which[left]
            # No number passes the threshold of a state's last arrow: it is looked at as a tie.
            arrow, tie = begin + uint64(first >= uppers[row, begin]), first == uppers[row, begin]
            if last > begin + uint64(MANY):
                arrow, tie = _halved(uppers[row], begin, last, first)
            elif last > begin + uint64(1):
                for e in range(begin + uint64(1), last):
                    arrow += uint64(first >= uppers[row, e])
                    tie |= first == uppers[row, e]
            if tie:
                arrow = _tied(stream(streams, r), table[left], begin, last, first)
            letter = uint64(begins[arrow])
            if per > 1:
                size = sizes[arrow]
                product = uint64(buffer[r, uint64(length + t)]) * size
                if (product & LOW) < size:
                    product = redrawn(stream(streams, r), size, product)
                letter += product >> S32
            if per > 2:
                word, high = uint64(buffer[r, uint64(2 * length + t)]), stays[letter] >> S32
                other, under = uint64(begins[arrow] + others[letter]), word < high
                if word == high:
                    under = next32(stream(streams, r)) < (stays[letter] & LOW)
                # Written as a choice it becomes a branch, taken at random.
                letter = other + uint64(under) * (letter - other)
            ids[uint64(places[r] + t)], at[r] = letters[letter], arrow


@kernel
def _halved(uppers, low, high, first):
    """The first arrow from `low` to `high` whose threshold has an upper part above; whether one is equal."""
    begin = low
    while low < high:
        middle = (low + high) // uint64(2)
        if uppers[middle] > first:
            high = middle
        else:
            low = middle + uint64(1)
    return low, low > begin and uppers[low - uint64(1)] == first


@kernel
def _tied(draws, thresholds, begin, last, first):
    """As the reference, step by step."""
    low = int64(-1)
    for e in range(begin, last):
        high = thresholds[e] >> LOW_BITS
        if first == high and low < 0:
            low = int64(next32(draws) >> uint64(2))
        if first < high or (first == high and low < thresholds[e] & ((1 << LOW_BITS) - 1)):
            return e
    return last
