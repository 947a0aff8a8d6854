"""The urns of `procdsl.grammars._urns`, made when a word first needs them.

Scratch is never cleared: `where[c]` says which urn context c has, and is believed only if that urn is in use
and says the same (Briggs & Torczon 1993).
"""

from __future__ import annotations

from typing import NamedTuple

from numba import int64, uint64

from procdsl.programs.markov import MarkovProgram
from runner.generators.compiling import kernel
from runner.generators.philox import LOW, S32, redrawn, slots
from runner.generators.rows import Prepared, sampler


class MarkovTables(NamedTuple):
    """The program's numbers; how many contexts there are."""

    symbols: int
    order: int
    more: int
    unit: int
    contexts: int


def prepare(program: MarkovProgram) -> Prepared:
    """Scratch: `where`, then a context and its shares, with their sum, for each urn."""
    longest, contexts = program.lengths.values[-1], program.count**program.order
    tables = MarkovTables(program.count, program.order, *program.prior, contexts)
    urns = min(contexts, longest)
    return Prepared(tables, slots=longest, scratch=contexts + urns * (program.count + 2))


@sampler(MarkovTables)
@kernel
def _word(tables, draws, scratch, out):
    slots(draws, out.size)
    k, contexts, context, used = tables.symbols, tables.contexts, 0, 0
    where, urns = scratch[:contexts], scratch[contexts:].reshape(-1, k + 2)
    for t in range(out.size):
        urn = 0
        if t >= tables.order:
            urn = where[context]
            if not (0 <= urn < used and urns[urn, 0] == context):
                urn = used
                where[context], urns[urn, 0], urns[urn, 1] = urn, context, k * tables.more
                urns[urn, 2:] = tables.more
                used += 1
        total = uint64(urns[urn, 1] if t >= tables.order else k)
        product = uint64(draws.buffer[t]) * total
        if (product & LOW) < total:
            product = redrawn(draws, total, product)
        symbol = int64(product >> S32)
        if t >= tables.order:
            shares, drawn, symbol = urns[urn, 2:], symbol, 0
            while drawn >= shares[symbol]:
                drawn -= shares[symbol]
                symbol += 1
            shares[symbol] += tables.unit
            urns[urn, 1] += tables.unit
        out[t] = symbol
        context = (context * k + symbol) % contexts
