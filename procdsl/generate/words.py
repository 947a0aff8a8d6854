"""Rows of words: one word that fills the row, or whole words packed, each followed by ``<end>``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from procdsl.generate.address import Address, Row
from procdsl.programs import Lengths, WordProgram, fillable
from procdsl.streams import ATTEMPTS, Stream

P = TypeVar("P", bound=WordProgram)
Word = Callable[[P, Stream, int], list[int]]


def word_row(program: P, word: Word[P], address: Address) -> Row:
    """``<bos>``, then the row's words; padding is not scored."""
    lengths = row_lengths(program.lengths, address)
    words = (_words_by_word if program.split.by == "word" else _words_by_row)(program, word, lengths, address)
    bos, end, pad = range(program.symbols, program.symbols + 3)
    if program.lengths.values == (address.context,):
        return [bos, *words[0]], [0] + [1] * address.context
    body = [id for word in words for id in (*word, end)]
    blank = address.context - len(body)
    return [bos, *body, *[pad] * blank], [0] + [1] * len(body) + [0] * blank


def row_lengths(lengths: Lengths, address: Address, attempt: int = 0) -> list[int]:
    """The lengths of a row's words: drawn by the law among those after which the row can still be filled."""
    if lengths.values == (address.context,):
        return [address.context]
    stream, exact = address.stream(attempt=attempt), fillable(lengths, address.context)
    left, drawn = exact.bit_length() - 1, list[int]()
    while left:
        shares = [
            share if length < left and exact >> (left - length - 1) & 1 else 0
            for length, share in zip(lengths.values, lengths.shares, strict=True)
        ]
        drawn.append(lengths.values[_pick(shares, stream)])
        left -= drawn[-1] + 1
    return drawn


def _words_by_word(program: P, word: Word[P], lengths: Sequence[int], address: Address) -> list[list[int]]:
    return [_word_of_part(program, word, length, slot, address) for slot, length in enumerate(lengths)]


def _word_of_part(program: P, word: Word[P], length: int, slot: int, address: Address) -> list[int]:
    for attempt in range(ATTEMPTS):
        drawn = word(program, address.stream(slot, attempt), length)
        if address.holds(program.split, drawn):
            return drawn
    raise address.nothing()


def _words_by_row(program: P, word: Word[P], lengths: Sequence[int], address: Address) -> list[list[int]]:
    # A word that fills its row has no end behind it.
    end = () if list(lengths) == [address.context] else (program.symbols + 1,)
    for attempt in range(ATTEMPTS):
        if attempt and program.split.by == "layout":
            lengths = row_lengths(program.lengths, address, attempt)
        words = [word(program, address.stream(slot, attempt), n) for slot, n in enumerate(lengths)]
        if address.holds(program.split, (id for word in words for id in (*word, *end))):
            return words
    raise address.nothing()


def _pick(shares: Sequence[int], stream: Stream) -> int:
    """The place of one of the shares, drawn in proportion."""
    drawn = stream.below(sum(shares))
    for place, share in enumerate(shares):
        if drawn < share:
            return place
        drawn -= share
    raise AssertionError("a number below the sum falls to some share")
