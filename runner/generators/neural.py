"""Rows of neural cellular automata, as `procdsl.generate.neural` says: whole numbers of 64 bits."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.programs import NeuralProgram
from procdsl.splits import empty_part
from procdsl.streams import ATTEMPTS
from runner.generators.address import Address
from runner.generators.compiling import kernel
from runner.generators.philox import begin, below_from, new_draws, slots
from runner.generators.splits import content


class Net(NamedTuple):
    """A program as numbers, and where a row's network lies: `around` by cell, state and channel."""

    states: int
    high: int
    wide: int
    steps: int
    burn_in: int
    activity: int
    scores_first: bool
    around: Any
    hidden: Any
    out: Any
    edges: Any


def fill(program: NeuralProgram, address: Address, ids: Any, scored: Any) -> None:
    """Rows from the address on. RunError where a part holds nothing that can be found."""
    net = Net(
        program.states,
        *program.patch,
        program.steps,
        program.burn_in,
        program.activity,
        program.scores_first,
        np.empty((9, program.states, program.channels), np.int64),
        np.empty((program.hidden, program.channels), np.int64),
        np.empty((program.states, program.hidden), np.int64),
        np.empty(program.states, np.int64),
    )
    low, high = address.bounds(program.split)
    place = (address.key, address.start, address.spelt, low, high)
    cells = np.zeros((2, program.height, program.width), np.int64)
    words = net.around.size + net.hidden.size + net.out.size + program.states + cells[0].size
    failed = _fill(net, new_draws(words), cells, words, place, ids, scored)
    if failed >= 0:
        raise empty_part(address.name, address.split, failed)


@kernel
def _fill(net, draws, cells, words, place, ids, scored):
    """The index of the first row that cannot be had, or -1."""
    key, start, spelt, low, high = place
    size = cells.shape[1] // net.high * (cells.shape[2] // net.wide)
    symbols = net.states ** (net.high * net.wide)
    for b in range(ids.shape[0]):
        now, after = cells[0], cells[1]
        for attempt in range(ATTEMPTS):
            begin(draws, key, start + b, attempt << 16)
            slots(draws, words)
            _draw(net, draws, now)
            for _ in range(net.burn_in):
                _change(net, now, after)
                now, after = after, now
            _write(net, now, ids[b, :size])
            found = uint64(content(spelt, ids[b, :size]))
            if low <= found <= high and _change(net, now, after) >= net.activity:
                break
        else:
            return start + b
        ids[b, size] = symbols
        at = size + 1
        for _ in range(net.steps):
            _change(net, now, after)
            now, after = after, now
            _write(net, now, ids[b, at : at + size])
            ids[b, at + size] = symbols
            at += size + 1
        scored[b, :at] = 1
        scored[b, : 1 if net.scores_first else size + 1] = 0
        ids[b, at:] = symbols + 1
        scored[b, at:] = 0
    return -1


@kernel
def _draw(net, draws, cells):
    """The row's network and its start."""
    words, at, total = draws.buffer, 0, 0
    for state in range(net.states):
        total += ((int64(words[at]) >> 16) ** 2 >> 16) + 1
        net.edges[state] = total
        at += 1
    for channel in range(net.around.shape[2]):
        for state in range(net.states):
            for cell in range(9):
                net.around[cell, state, channel] = _weight(words[at])
                at += 1
    for h in range(net.hidden.shape[0]):
        for channel in range(net.hidden.shape[1]):
            net.hidden[h, channel] = _weight(words[at])
            at += 1
    for state in range(net.states):
        for h in range(net.out.shape[1]):
            net.out[state, h] = _weight(words[at])
            at += 1
    for y in range(cells.shape[0]):
        for x in range(cells.shape[1]):
            drawn, state = below_from(draws, total, words[at]), 0
            while drawn >= net.edges[state]:
                state += 1
            cells[y, x] = state
            at += 1


@kernel
def _weight(word):
    word = int64(word)
    return (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24) - 510


@kernel
def _change(net, now, after):
    """The next frame of `now` into `after`; in how many cells they differ."""
    around, hidden, out = net.around, net.hidden, net.out
    height, width, differ = now.shape[0], now.shape[1], 0
    sums, acts = np.empty(hidden.shape[1], np.int64), np.empty(hidden.shape[0], np.int64)
    for y in range(height):
        for x in range(width):
            sums[:] = 0
            for cell in range(9):
                state = now[(y + cell // 3 - 1) % height, (x + cell % 3 - 1) % width]
                for channel in range(sums.size):
                    sums[channel] += around[cell, state, channel]
            for h in range(acts.size):
                total = int64(0)
                for channel in range(sums.size):
                    total += hidden[h, channel] * sums[channel]
                acts[h] = max(total, 0)
            best, chosen = int64(0), -1
            for state in range(net.states):
                total = int64(0)
                for h in range(acts.size):
                    total += out[state, h] * acts[h]
                if chosen < 0 or total > best:
                    best, chosen = total, state
            after[y, x] = chosen
            differ += chosen != now[y, x]
    return differ


@kernel
def _write(net, cells, out):
    """The ids of a frame, patch by patch."""
    at = 0
    for top in range(0, cells.shape[0], net.high):
        for left in range(0, cells.shape[1], net.wide):
            id = 0
            for y in range(top, top + net.high):
                for x in range(left, left + net.wide):
                    id = net.states * id + cells[y, x]
            out[at] = id
            at += 1
