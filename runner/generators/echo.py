"""Words that repeat themselves, as `procdsl.generate.echo` says."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.programs.echo import EchoProgram
from runner.generators.compiling import kernel
from runner.generators.philox import LOW, S32, redrawn, slots
from runner.generators.rows import Prepared, sampler


class EchoTables(NamedTuple):
    """Parts as arrays; `marks` is 1 where a mark stands between them."""

    drawn: int
    backward: Any
    shifts: Any
    marks: int
    mark: int


def prepare(program: EchoProgram) -> Prepared:
    """Nothing to look up but the parts."""
    backward = np.array([part.backward for part in program.parts])
    shifts = np.array([part.shift for part in program.parts], np.int64)
    tables = EchoTables(program.count, backward, shifts, int(program.mark), program.symbols - 1)
    return Prepared(tables, slots=program.lengths.values[-1])


@sampler(EchoTables)
@kernel
def _word(tables, draws, scratch, out):
    backward, shifts, count = tables.backward, tables.shifts, uint64(tables.drawn)
    size = (out.size - tables.marks * (shifts.size - 1)) // shifts.size
    slots(draws, size)
    words = draws.buffer
    for t in range(size):
        product = uint64(words[t]) * count
        if (product & LOW) < count:
            product = redrawn(draws, count, product)
        out[t] = int64(product >> S32)
    # The first part is read while later ones are written, and shifted last.
    at = size
    for p in range(1, shifts.size):
        if tables.marks:
            out[at] = tables.mark
            at += 1
        shift = shifts[p]
        for t in range(size):
            out[at + t] = shift + (out[size - 1 - t] if backward[p] else out[t])
        at += size
