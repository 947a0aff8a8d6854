"""Words that look like those of another source as far as a few symbols can see.

Fixed slots: word t chooses the symbol at position t.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from procdsl import generate
from procdsl.generate.address import Address
from procdsl.programs.ngram import Fit, NgramProgram
from procdsl.splits import spelling
from procdsl.streams import Stream
from procdsl.tables import Followers, followers


def word(program: NgramProgram, stream: Stream, length: int) -> list[int]:
    """`length` symbols, each drawn by those before it."""
    table, state, word = _table(program.fit, program.count, program.order), 0, list[int]()
    for first in stream.words(length):
        begins, ends = table.offsets[state], table.offsets[state + 1]
        drawn = stream.below(table.cumulated[ends - 1], first)
        chosen = next(j for j in range(begins, ends) if drawn < table.cumulated[j])
        word.append(table.symbols[chosen])
        state = table.targets[chosen]
    return word


@lru_cache(maxsize=4)
def _table(fit: Fit, symbols: int, order: int) -> Followers:
    spelt = tuple(map(spelling, fit.tokens))
    rows = (
        generate.row(fit.of, Address(0, fit.name, "train", index, fit.context, spelt))[0]
        for index in range(fit.rows)
    )
    return followers((word for row in rows for word in words_of(row, symbols)), order)


def words_of(row: Sequence[int], symbols: int) -> Iterator[list[int]]:
    """The stretches of a row between its specials."""
    word = list[int]()
    for id in (*row, symbols):
        if id < symbols:
            word.append(id)
        elif word:
            yield word
            word = []
