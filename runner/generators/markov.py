"""The urns of `procdsl.grammars._urns`, made when a word first needs them.

Scratch is never cleared: `where[c]` says which urn context c has, and is believed only if that urn is in use
and says the same (Briggs & Torczon 1993).
"""

from __future__ import annotations

from typing import NamedTuple

from numba import int64, uint64

from procdsl.programs.markov import MarkovProgram
from runner.generators.compiling import kernel
from runner.generators.philox import LOW, S32, redrawn, slots, stream
from runner.generators.rows import ABREAST, Prepared, sampler_abreast

# With so many symbols at most all shares are looked at: no branch that a processor could mispredict.
FEW = 32


class MarkovTables(NamedTuple):
    """The program's numbers; how many contexts there are."""

    symbols: int
    order: int
    more: int
    unit: int
    contexts: int


def prepare(program: MarkovProgram) -> Prepared:
    """Scratch of each word: context, number of urns, `where`; a context, a sum and shares for each urn."""
    longest, contexts = program.lengths.values[-1], program.count**program.order
    tables = MarkovTables(program.count, program.order, *program.prior, contexts)
    room = 2 + contexts + min(contexts, longest) * (program.count + 2)
    return Prepared(tables, slots=longest, scratch=ABREAST * room)


@sampler_abreast(MarkovTables)
@kernel
def _words(tables, streams, scratch, ids, begins, lengths):
    k, order, more, unit = tables.symbols, tables.order, tables.more, tables.unit
    buffer, held, contexts, longest = streams.buffer, scratch.reshape(ABREAST, -1), tables.contexts, 0
    # What of a context is in the next: dividing while a symbol is drawn, not when it is.
    kept = max(contexts // k, 1)
    for r in range(lengths.size):
        slots(stream(streams, r), lengths[r])
        held[r, :2], longest = 0, max(longest, lengths[r])
    for t in range(longest):
        for r in range(lengths.size):
            if t >= lengths[r]:
                continue
            mine, at, total = held[r], uint64(0), uint64(k)
            context = mine[0]
            if t >= order:
                urn, used = mine[uint64(2 + context)], mine[1]
                at = uint64(2 + contexts + urn * (k + 2))
                if not (0 <= urn < used and mine[at] == context):
                    mine[1], mine[2 + context], new = used + 1, used, 2 + contexts + used * (k + 2)
                    mine[new], mine[new + 1], at = context, k * more, uint64(new)
                    mine[new + 2 : new + 2 + k] = more
                total = uint64(mine[at + uint64(1)])
            product = uint64(buffer[r, t]) * total
            if (product & LOW) < total:
                product = redrawn(stream(streams, r), total, product)
            symbol = int64(product >> S32)
            if t >= order:
                drawn, symbol, shares = symbol, 0, at + uint64(2)
                if k <= FEW:
                    for place in range(uint64(k - 1)):
                        drawn -= mine[shares + place]
                        symbol += int64(drawn >= 0)
                else:
                    while drawn >= mine[shares + uint64(symbol)]:
                        drawn -= mine[shares + uint64(symbol)]
                        symbol += 1
                mine[shares + uint64(symbol)] += unit
                mine[at + uint64(1)] += unit
            ids[uint64(begins[r] + t)] = symbol
            mine[0] = context % kept * k + symbol if contexts > 1 else 0
