"""A row of another source with its symbols permuted: the same symbols, and none of the structure."""

from __future__ import annotations

from dataclasses import replace

from procdsl import generate
from procdsl.generate.address import Address, Row
from procdsl.programs.shuffled import ShuffledProgram
from procdsl.streams import ATTEMPTS, Stream


def row(program: ShuffledProgram, address: Address) -> Row:
    """Drawn again until the permuted row too belongs to the part."""
    ids, scored = generate.row(program.of, replace(address, name=program.name))
    places = [place for place, id in enumerate(ids) if id < program.alphabet]
    for attempt in range(ATTEMPTS):
        symbols = [ids[place] for place in places]
        permute(symbols, address.stream(attempt=attempt))
        if address.holds(program.split, symbols):
            return _merged(ids, places, symbols), scored
    raise address.nothing()


def permute(symbols: list[int], stream: Stream) -> None:
    """Every order alike (Fisher and Yates), in place. Fixed slots: word j chooses for place size - 1 - j."""
    words = stream.words(max(len(symbols) - 1, 0))
    for last, word in zip(range(len(symbols) - 1, 0, -1), words, strict=True):
        other = stream.below(last + 1, word)
        symbols[last], symbols[other] = symbols[other], symbols[last]


def _merged(ids: list[int], places: list[int], symbols: list[int]) -> list[int]:
    merged = list(ids)
    for place, symbol in zip(places, symbols, strict=True):
        merged[place] = symbol
    return merged
