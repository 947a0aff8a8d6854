"""Permuted rows, as `procdsl.generate.shuffled` says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numba import int64, uint64

from procdsl.programs import ShuffledProgram
from procdsl.splits import empty_part
from procdsl.streams import ATTEMPTS, ROW_SLOT
from runner import generators
from runner.generators.address import Address
from runner.generators.compiling import kernel
from runner.generators.philox import LOW, S32, begin, new_draws, redrawn, slots
from runner.generators.splits import content


def fill(program: ShuffledProgram, address: Address, ids: Any, scored: Any) -> None:
    """The other source's rows, permuted in place."""
    generators.fill_program(program.of, replace(address, name=program.name), ids, scored)
    low, high = address.bounds(program.split)
    place = (address.key, address.start, address.spelt, low, high)
    failed = _permuted(program.alphabet, new_draws(ids.shape[1]), place, ids)
    if failed >= 0:
        raise empty_part(address.name, address.split, failed)


@kernel
def _permuted(symbols, draws, place, ids):
    """The index of the first row that cannot be had, or -1."""
    key, start, spelt, low, high = place
    places, before = np.empty(ids.shape[1], np.int64), np.empty(ids.shape[1], np.int32)
    for b in range(ids.shape[0]):
        count = 0
        for t in range(ids.shape[1]):
            if ids[b, t] < symbols:
                places[count], before[count] = t, ids[b, t]
                count += 1
        found = uint64(0)
        for attempt in range(ATTEMPTS):
            begin(draws, key, start + b, attempt << 16 | ROW_SLOT)
            after = before[:count].copy()
            _permute(draws, after)
            found = content(spelt, after)
            if low <= found <= high:
                for j in range(count):
                    ids[b, places[j]] = after[j]
                break
        else:
            return start + b
    return -1


@kernel
def _permute(draws, symbols):
    slots(draws, max(symbols.size - 1, 0))
    for j in range(symbols.size - 1):
        last = symbols.size - 1 - j
        product = uint64(draws.buffer[j]) * uint64(last + 1)
        if (product & LOW) < uint64(last + 1):
            product = redrawn(draws, uint64(last + 1), product)
        other = int64(product >> S32)
        symbols[last], symbols[other] = symbols[other], symbols[last]
