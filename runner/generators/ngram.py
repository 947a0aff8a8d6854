"""Words of n-grams: a walk over the states of `procdsl.tables.followers`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.programs.ngram import Fit, NgramProgram
from procdsl.tables import followers
from runner import generators
from runner.generators.address import Address
from runner.generators.compiling import kernel
from runner.generators.philox import LOW, S32, redrawn, slots
from runner.generators.rows import Prepared, sampler


class NgramTables(NamedTuple):
    """As `procdsl.tables.Followers`."""

    offsets: Any
    symbols: Any
    cumulated: Any
    targets: Any


def prepare(program: NgramProgram) -> Prepared:
    """Counted on the rows it is fitted on, which are made here."""
    found = followers(_fitted(program.fit, program.count), program.order)
    tables = NgramTables(
        offsets=np.array(found.offsets, np.int64),
        symbols=np.array(found.symbols, np.int32),
        cumulated=np.array(found.cumulated, np.int64),
        targets=np.array(found.targets, np.int64),
    )
    return Prepared(tables, slots=program.lengths.values[-1])


def _fitted(fit: Fit, symbols: int) -> Iterator[list[int]]:
    """The stretches of the rows between their specials."""
    ids = np.empty((fit.rows, fit.context + 1), np.int32)
    address = Address(0, fit.name, "train", 0, fit.tokens)
    generators.fill_program(fit.of, address, ids, np.empty(ids.shape, np.uint8))
    for row in ids:
        for stretch in np.split(row, np.flatnonzero(row >= symbols)):
            word = stretch[stretch < symbols]
            if word.size:
                yield word.tolist()


@sampler(NgramTables)
@kernel
def _word(tables, draws, scratch, out):
    slots(draws, out.size)
    words, offsets, cumulated = draws.buffer, tables.offsets, tables.cumulated
    symbols, targets, state = tables.symbols, tables.targets, 0
    for t in range(out.size):
        begins, ends = offsets[state], offsets[state + 1]
        total = uint64(cumulated[ends - 1])
        product = uint64(words[t]) * total
        if (product & LOW) < total:
            product = redrawn(draws, total, product)
        drawn = int64(product >> S32)
        # The first place whose cumulated count passes the number drawn.
        last = ends - 1
        while begins < last:
            middle = (begins + last) // 2
            if drawn < cumulated[middle]:
                last = middle
            else:
                begins = middle + 1
        out[t] = symbols[begins]
        state = targets[begins]
