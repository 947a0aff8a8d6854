"""Rows of neural cellular automata, as `procdsl.generate.neural` says: whole numbers of 64 bits."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64
from numba.extending import register_jitable

from procdsl import deflate, streams
from procdsl.programs.neural import NeuralProgram
from procdsl.splits import empty_part, empty_pool
from procdsl.streams import ATTEMPTS
from procdsl.tables import pooled_shares, pooled_weights
from runner.generators.address import Address
from runner.generators.compiling import allocating, kernel
from runner.generators.philox import begin, below_from, new_draws, slots
from runner.generators.splits import content

for part in deflate.PARTS:
    register_jitable(part)
_gzipped = allocating(deflate.gzipped)


class Net(NamedTuple):
    """A program as numbers, and where a row's network lies: `around` by cell, state and channel.

    Where there is a pool: what its networks weigh and its starts' shares are by a word's first 12 bits, and
    which attempt at each of its networks is the first that is compressible, or -1.
    """

    states: int
    high: int
    wide: int
    row: int
    unscored: int
    burn_in: int
    activity: int
    ahead: int
    pooled: bool
    frames: int
    least: int
    most: int
    weights: Any
    shares: Any
    attempts: Any
    around: Any
    hidden: Any
    out: Any
    edges: Any


def fill(program: NeuralProgram, address: Address, ids: Any, scored: Any) -> None:
    """Rows from the address on. RunError where a part holds nothing that can be found."""
    key = streams.key(address.seed, address.name, address.split, "rules")
    net = Net(
        program.states,
        program.patch[0],
        program.patch[1],
        program.row,
        program.unscored,
        program.burn_in,
        program.activity,
        program.ahead,
        *_pool(program, key),
        np.empty((9, program.states, program.channels), np.int64),
        np.empty((program.hidden, program.channels), np.int64),
        np.empty((program.states, program.hidden), np.int64),
        np.empty(program.states, np.int64),
    )
    low, high = address.bounds(program.split)
    place = (address.key, np.uint64(key).astype(np.int64), address.start, address.spelt, low, high)
    cells = np.zeros((2, program.height, program.width), np.int64)
    failed = _fill(net, new_draws(sum(_words(net, cells[0]))), cells, place, ids, scored)
    if failed >= 0:
        raise empty_part(address.name, address.split, failed)
    if failed < -1:
        raise empty_pool(address.name, -2 - failed)


def _pool(program: NeuralProgram, key: int) -> tuple[bool, int, int, int, Any, Any, Any]:
    """The fields of `Net` that say what a pool is."""
    pool = program.pool
    if pool is None:
        nothing = np.zeros(0, np.int64)
        return False, 0, 0, 0, nothing, nothing, nothing.astype(np.int32)
    weights, shares = (np.array(table, np.int64) for table in (pooled_weights(), pooled_shares()))
    return True, pool.frames, pool.least, pool.most, weights, shares, _attempts(program, key)


@lru_cache(maxsize=8)
def _attempts(program: NeuralProgram, key: int) -> Any:
    """What is known already of the networks of a pool: each is searched for once."""
    assert program.pool
    return np.full(program.pool.rules, -1, np.int32)


@kernel
def _words(net, cells):
    """How many words of a stream a network takes, and a start."""
    inputs = net.around.shape[1] + 2 * net.pooled
    around = net.around.shape[0] * inputs * net.around.shape[2]
    return around + net.hidden.size + net.out.size, net.states + cells.size


@allocating
def _fill(net, draws, cells, place, ids, scored):
    """The index of the first row that cannot be had, or -1; of a pool's network i, -2 - i."""
    key, pool_key, start, spelt, low, high = place
    size = cells.shape[1] // net.high * (cells.shape[2] // net.wide)
    begins, end = int64(net.pooled), net.states ** (net.high * net.wide) + net.pooled
    frame = np.empty(size + 1 + begins, np.int32)
    frame[0], frame[-1] = end - 1, end
    patches = frame[begins:-1]
    for b in range(ids.shape[0]):
        if net.pooled:
            rule = (start + b) % net.attempts.size
            if not _search(net, draws, cells, pool_key, rule, patches):
                return -2 - rule
        now, after = cells[0], cells[1]
        for attempt in range(ATTEMPTS):
            begin(draws, key, start + b, attempt << 16)
            _draw(net, draws, now, not net.pooled)
            for _ in range(net.burn_in):
                _change(net, now, after)
                now, after = after, now
            _write(net, now, patches)
            found = uint64(content(spelt, patches))
            if low <= found <= high and _change(net, now, after) >= net.activity:
                break
        else:
            return start + b
        for at in range(0, net.row, frame.size):
            if at:
                for _ in range(net.ahead):
                    _change(net, now, after)
                    now, after = after, now
                _write(net, now, patches)
            last = min(frame.size, net.row - at)
            ids[b, at : at + last] = frame[:last]
        ids[b, net.row :] = end + 1
        scored[b, : net.unscored] = 0
        scored[b, net.unscored : net.row] = 1
        scored[b, net.row :] = 0
    return -1


@allocating
def _search(net, draws, cells, key, rule, patches):
    """Leaves a pool's network in its place: the first attempt at it that is compressible; whether one is."""
    known = net.attempts[rule]
    data = np.empty((net.frames, patches.size, 4), np.uint8)
    for attempt in range(max(known, 0), ATTEMPTS):
        now, after = cells[0], cells[1]
        begin(draws, key, rule, attempt << 16)
        _draw(net, draws, now, True)
        if known >= 0:
            return True
        for _ in range(net.burn_in):
            _change(net, now, after)
            now, after = after, now
        for step in range(net.frames):
            _write(net, now, patches)
            for at in range(patches.size):
                for byte in range(4):
                    data[step, at, byte] = patches[at] >> 8 * byte & 255
            _change(net, now, after)
            now, after = after, now
        if net.least <= _gzipped(data.ravel()) <= net.most:
            net.attempts[rule] = attempt
            return True
    return False


@kernel
def _draw(net, draws, cells, anew):
    """A start, and, if it is to be another one, the network."""
    network, start = _words(net, cells)
    slots(draws, start + (network if anew else 0))
    words, at, total = draws.buffer, 0, 0
    for state in range(net.states):
        word = int64(words[at])
        total += net.shares[word >> 20] if net.pooled else ((word >> 16) ** 2 >> 16) + 1
        net.edges[state] = total
        at += 1
    if anew:
        _weigh(net, words[at:])
        at += network
    for y in range(cells.shape[0]):
        for x in range(cells.shape[1]):
            drawn, state = below_from(draws, total, words[at]), 0
            while drawn >= net.edges[state]:
                state += 1
            cells[y, x] = state
            at += 1


@kernel
def _weigh(net, words):
    """The network that these words stand for."""
    at = 0
    net.around[:] = 0
    for channel in range(net.around.shape[2]):
        for place in range(net.states + 2 * net.pooled):
            state = (place - net.pooled) % net.states
            for cell in range(9):
                net.around[cell, state, channel] += _weight(net, words[at])
                at += 1
    for h in range(net.hidden.shape[0]):
        for channel in range(net.hidden.shape[1]):
            net.hidden[h, channel] = _weight(net, words[at])
            at += 1
    for state in range(net.states):
        for h in range(net.out.shape[1]):
            net.out[state, h] = _weight(net, words[at])
            at += 1


@kernel
def _weight(net, word):
    word = int64(word)
    if net.pooled:
        return net.weights[word >> 20]
    return (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24) - 510


@allocating
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
