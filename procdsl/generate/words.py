"""Rows of words: one word that fills the row, or whole words packed, each followed by ``<end>``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from procdsl.generate.address import Address, Row
from procdsl.grammars._lengths import drawn_lengths
from procdsl.programs.base import Lengths, WordProgram
from procdsl.streams import ATTEMPTS, Stream

P = TypeVar("P", bound=WordProgram)
Word = Callable[[P, Stream, int], list[int]]


def word_row(program: P, word: Word[P], address: Address) -> Row:
    """``<bos>``, then the row's words; padding is not scored."""
    lengths = drawn_lengths(program.lengths, address.context, address.stream())
    by_word = program.split.by in ("word", "rank")
    words = (_words_by_word if by_word else _words_by_row)(program, word, lengths, address)
    return laid_out(words, program.symbols, program.lengths, address.context)


def laid_out(words: Sequence[Sequence[int]], symbols: int, lengths: Lengths, context: int) -> Row:
    """Words as a row: the one that fills it, or each followed by its end."""
    bos, end, pad = range(symbols, symbols + 3)
    if lengths.values == (context,):
        return [bos, *words[0]], [0] + [1] * context
    body = [id for word in words for id in (*word, end)]
    blank = context - len(body)
    return [bos, *body, *[pad] * blank], [0] + [1] * len(body) + [0] * blank


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
            lengths = drawn_lengths(program.lengths, address.context, address.stream(attempt=attempt))
        words = [word(program, address.stream(slot, attempt), n) for slot, n in enumerate(lengths)]
        if address.holds(program.split, (id for word in words for id in (*word, *end))):
            return words
    raise address.nothing()
