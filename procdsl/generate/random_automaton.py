"""Rows of automata that each row draws for itself, until one belongs to the part."""

from __future__ import annotations

from procdsl.generate.address import Address, Row
from procdsl.generate.words import laid_out
from procdsl.grammars._automata import Ways, draw, spelt, walk
from procdsl.grammars._lengths import drawn_lengths
from procdsl.programs.random_automaton import RandomAutomatonProgram
from procdsl.streams import ATTEMPTS, LANGUAGE_SLOT


def row(program: RandomAutomatonProgram, address: Address) -> Row:
    """Words of one automaton, packed."""
    automaton, lengths = (
        _automaton(program, address),
        drawn_lengths(program.lengths, address.context, address.stream()),
    )
    words = [walk(automaton, address.stream(slot), length) for slot, length in enumerate(lengths)]
    return laid_out(words, program.count, program.lengths, address.context)


def _automaton(program: RandomAutomatonProgram, address: Address) -> list[Ways]:
    for attempt in range(ATTEMPTS):
        drawn = draw(program, address.stream(LANGUAGE_SLOT, attempt))
        if address.owns(program.split, spelt(drawn, address.spelt)):
            return drawn
    raise address.nothing()
