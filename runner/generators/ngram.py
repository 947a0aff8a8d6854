"""Words of n-grams: a walk over the states of `procdsl.tables.followers`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numba import uint32, uint64

from procdsl.programs.ngram import Fit, NgramProgram
from procdsl.tables import Followers, followers
from runner import generators
from runner.generators.address import Address
from runner.generators.compiling import kernel
from runner.generators.philox import LOW, S32, redrawn, slots, stream
from runner.generators.rows import ABREAST, Prepared, sampler_abreast

SYMBOL, SYMBOL_BITS = np.uint32(0xFFFF), np.uint64(16)


class NgramTables(NamedTuple):
    """`records[j]` (uint32): what follows, and what is looked up behind it; the last one begins a word.

    The first number is the greatest word of the stream that chooses it, then come its symbol under the
    shift of its state, where the guide of that state begins, and how often anything followed there.
    `guide[begins + (w >> shift)]` is the first record of that state that a word with the same upper bits as
    w can choose.
    """

    records: Any
    guide: Any


def prepare(program: NgramProgram) -> Prepared:
    """Counted on the rows it is fitted on, which are made here."""
    records, guide = tabled(followers(_fitted(program.fit, program.count), program.order))
    return Prepared(NgramTables(records, guide), slots=program.lengths.values[-1], scratch=ABREAST)


def tabled(found: Followers) -> tuple[Any, Any]:
    """The records and guides of counts: one place of a guide, or two, for each of a state's followers."""
    offsets, counts = np.array(found.offsets, np.int64), np.array(found.cumulated, np.uint64)
    degrees, totals = np.diff(offsets), counts[offsets[1:] - 1]
    bits = np.ceil(np.log2(degrees)).astype(np.int64)
    places, shifts = 1 << bits, (32 - bits).astype(np.uint64)
    begins, states = np.cumsum(places) - places, np.arange(degrees.size, dtype=np.uint64)
    # A number is drawn as word * total >> 32.
    greatest = ((counts << S32) - np.uint64(1)) // np.repeat(totals, degrees)
    least = np.arange(places.sum()) - np.repeat(begins, places) << np.repeat(shifts, places).astype(np.int64)
    guide = np.searchsorted(
        np.repeat(states, degrees) << S32 | greatest,
        np.repeat(states, places) << S32 | least.astype(np.uint64),
    )
    symbols, targets = np.array([*found.symbols, 0], np.uint64), np.array([*found.targets, 0], np.int64)
    parts = [[*greatest, 0], symbols | shifts[targets] << SYMBOL_BITS, begins[targets], totals[targets]]
    return np.array(parts, np.uint32).T.copy(), guide.astype(np.uint32)


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


@sampler_abreast(NgramTables)
@kernel
def _words(tables, streams, scratch, ids, begins, lengths):
    records, guide, buffer, at, longest = tables.records, tables.guide, streams.buffer, scratch, 0
    for r in range(lengths.size):
        slots(stream(streams, r), lengths[r])
        at[r], longest = records.shape[0] - 1, max(longest, lengths[r])
    for t in range(longest):
        for r in range(lengths.size):
            if t >= lengths[r]:
                continue
            before, drawn = records[uint64(at[r])], uint64(buffer[r, t])
            shift, total = uint64(before[1]) >> SYMBOL_BITS, uint64(before[3])
            product = drawn * total
            if (product & LOW) < total:
                drawn = redrawn(stream(streams, r), total, product) // total
            chosen = guide[uint64(before[2]) + (drawn >> shift)]
            # The guide is right, or one too low, but for few words: adding has no branch to mispredict.
            chosen += uint32(drawn > records[chosen, 0])
            while drawn > records[chosen, 0]:
                chosen += uint32(1)
            at[r], ids[uint64(begins[r] + t)] = chosen, records[chosen, 1] & SYMBOL
