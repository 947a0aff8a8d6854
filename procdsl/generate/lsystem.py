"""Rows of L-systems. The axiom reads first; then each generation, symbol by symbol."""

from __future__ import annotations

from procdsl.generate.address import Address, Row
from procdsl.grammars._lengths import drawn_length
from procdsl.grammars._rewriting import rewritten
from procdsl.programs.lsystem import LsystemProgram
from procdsl.streams import ATTEMPTS


def row(program: LsystemProgram, address: Address) -> Row:
    """Generations, each with its separator, until one belongs to the part; then padding."""
    for attempt in range(ATTEMPTS):
        stream = address.stream(0, attempt)
        symbols = list(program.axiom)
        if program.drawn:
            length, heads = drawn_length(program.drawn, stream), program.heads
            symbols = [heads[stream.below(len(heads))] for _ in range(length)]
            if not address.holds(program.split, symbols):
                continue
        ids, first = [*symbols, program.symbols], len(symbols) + 1
        for _ in range(program.generations):
            symbols = rewritten(program, symbols, stream)
            ids += [*symbols, program.symbols]
        if program.drawn or address.holds(program.split, symbols):
            break
    else:
        raise address.nothing()
    blank, begins = address.context + 1 - len(ids), 1 if program.scores_first else first
    pad = program.symbols + 1
    return [*ids, *[pad] * blank], [0] * begins + [1] * (len(ids) - begins) + [0] * blank
