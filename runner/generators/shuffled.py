"""Permuted rows, as `procdsl.generate.shuffled` says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numba import uint64

from procdsl.programs.shuffled import ShuffledProgram
from procdsl.splits import empty_part
from procdsl.streams import ATTEMPTS, ROW_SLOT
from runner import generators
from runner.generators.address import Address
from runner.generators.compiling import kernel
from runner.generators.philox import begin, new_draws, permute, slots
from runner.generators.splits import content


def fill(program: ShuffledProgram, address: Address, ids: Any, scored: Any) -> None:
    """The other source's rows, permuted in place."""
    generators.fill_program(program.of, replace(address, name=program.name), ids, scored)
    low, high = address.bounds(program.split)
    place = (address.key, address.start, address.spelt, low, high)
    symbols = np.empty(ids.shape[1], np.int32)
    failed = _permuted(program.alphabet, new_draws(ids.shape[1]), symbols, place, ids)
    if failed >= 0:
        raise empty_part(address.name, address.split, failed)


@kernel
def _permuted(alphabet, draws, symbols, place, ids):
    """The index of the first row that cannot be had, or -1."""
    key, start, spelt, low, high = place
    for b in range(ids.shape[0]):
        row, count = ids[b], 0
        for attempt in range(ATTEMPTS):
            count = 0
            for id in row:
                symbols[count] = id
                count += id < alphabet
            begin(draws, key, start + b, attempt << 16 | ROW_SLOT)
            slots(draws, max(count - 1, 0))
            permute(draws, draws.buffer, symbols[:count])
            found = uint64(content(spelt, symbols[:count]))
            if low <= found <= high:
                break
        else:
            return start + b
        count = 0
        for t in range(row.size):
            if row[t] < alphabet:
                row[t] = symbols[count]
                count += 1
    return -1
