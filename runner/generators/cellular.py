"""Rows of cellular automata, as `procdsl.generate.cellular` says, on a grid with a border around it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.programs.cellular import CellularProgram
from procdsl.splits import empty_part
from procdsl.streams import ATTEMPTS
from runner.generators.address import Address
from runner.generators.compiling import kernel
from runner.generators.philox import begin, below, new_draws, slots
from runner.generators.splits import content


class Frames(NamedTuple):
    """A program as numbers, its rules as an array."""

    line: bool
    rules: Any
    height: int
    width: int
    high: int
    wide: int
    steps: int
    burn_in: int
    wraps: bool
    density: Any
    separated: bool
    scores_first: bool
    symbols: int
    ahead: int


def fill(program: CellularProgram, address: Address, ids: Any, scored: Any) -> None:
    """Rows from the address on. RunError where a part holds nothing that can be found."""
    frames = Frames(
        program.shape == "line",
        np.array(program.rules, np.int64),
        program.height,
        program.width,
        *program.patch,
        program.steps,
        program.burn_in,
        program.wraps,
        np.uint64(program.density),
        program.separated,
        program.scores_first,
        program.symbols,
        program.ahead,
    )
    low, high = address.bounds(program.split)
    place = (address.key, address.start, address.spelt, low, high)
    grids = np.zeros((2, program.height + 2, program.width + 2), np.uint8)
    failed = _fill(frames, new_draws(program.height * program.width), grids, place, ids, scored)
    if failed >= 0:
        raise empty_part(address.name, address.split, failed)


@kernel
def _fill(frames, draws, grids, place, ids, scored):
    """The index of the first row that cannot be had, or -1."""
    key, start, spelt, low, high = place
    size = frames.height // frames.high * (frames.width // frames.wide)
    for b in range(ids.shape[0]):
        now, after, rule = grids[0], grids[1], int64(0)
        for attempt in range(ATTEMPTS):
            begin(draws, key, start + b, attempt << 16)
            rule = _start(frames, draws, now)
            for _ in range(frames.burn_in):
                _change(frames, now, after, rule)
                now, after = after, now
            _write(frames, now, ids[b, :size])
            found = uint64(content(spelt, ids[b, :size]))
            if low <= found <= high:
                break
        else:
            return start + b
        at = 0
        for step in range(frames.steps + 1):
            if step:
                for _ in range(frames.ahead):
                    _change(frames, now, after, rule)
                    now, after = after, now
                _write(frames, now, ids[b, at : at + size])
            at += size
            if frames.separated:
                ids[b, at] = frames.symbols
                at += 1
            scored[b, at - size - frames.separated : at] = step > 0 or frames.scores_first
        scored[b, 0] = 0
        ids[b, at:] = frames.symbols + frames.separated
        scored[b, at:] = 0
    return -1


@kernel
def _start(frames, draws, cells):
    """Draws the cells; the row's rule."""
    slots(draws, frames.height * frames.width)
    at = 0
    for y in range(1, frames.height + 1):
        for x in range(1, frames.width + 1):
            cells[y, x] = uint64(draws.buffer[at]) < frames.density
            at += 1
    return frames.rules[below(draws, frames.rules.size)]


@kernel
def _change(frames, now, after, rule):
    """The next frame of `now` into `after`."""
    _border(frames, now)
    if frames.line:
        line, out = now[1], after[1]
        around = 2 * int64(line[0]) + line[1]
        for x in range(1, frames.width + 1):
            around = (around << 1 | line[x + 1]) & 7
            out[x] = rule >> around & 1
        return
    for y in range(1, frames.height + 1):
        above, line, under, out = now[y - 1], now[y], now[y + 1], after[y]
        left = int64(above[0]) + line[0] + under[0]
        middle = int64(above[1]) + line[1] + under[1]
        for x in range(1, frames.width + 1):
            right = int64(above[x + 1]) + line[x + 1] + under[x + 1]
            out[x] = rule >> (8 * int64(line[x]) + left + middle + right) & 1
            left, middle = middle, right


@kernel
def _border(frames, cells):
    """The cells beyond the border: the other side's, or none."""
    height, width = frames.height, frames.width
    for y in range(1, height + 1):
        cells[y, 0] = cells[y, width] if frames.wraps else 0
        cells[y, width + 1] = cells[y, 1] if frames.wraps else 0
    for x in range(width + 2):
        cells[0, x] = cells[height, x] if frames.wraps else 0
        cells[height + 1, x] = cells[1, x] if frames.wraps else 0


@kernel
def _write(frames, cells, out):
    """The ids of a frame, patch by patch."""
    if frames.high == 1 and frames.wide == 1 and frames.height == 1:
        for x in range(frames.width):
            out[x] = cells[1, x + 1]
        return
    at = 0
    for top in range(1, frames.height + 1, frames.high):
        for left in range(1, frames.width + 1, frames.wide):
            id = 0
            for y in range(top, top + frames.high):
                for x in range(left, left + frames.wide):
                    id = 2 * id + cells[y, x]
            out[at] = id
            at += 1
