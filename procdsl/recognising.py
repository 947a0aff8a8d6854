"""Words as people type them, and where and why they are no words of a grammar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from procdsl.grammars.base import END, Grammar


@dataclass(frozen=True)
class Judgement:
    """A word is one of the language if there is no `reason` why not; `place` counts symbols from one.

    A word that ends too early goes wrong one behind its last symbol.
    """

    word: tuple[str, ...]
    accepted: bool
    reason: str | None
    place: int | None


def read(grammar: Grammar, text: str) -> tuple[str, ...]:
    """The symbols of a text: parted by blanks, or one by one where every symbol is one character."""
    parts = text.split()
    known = grammar.alphabet()
    if len(parts) == 1 and text not in known and all(len(symbol) == 1 for symbol in known):
        return tuple(parts[0])
    return tuple(parts)


def judge(grammar: Grammar, word: Sequence[str]) -> Judgement:
    """Whether this is a word; if not, why and where."""
    reason = grammar.reason(word)
    return Judgement(tuple(word), reason is None, reason, None if reason is None else _place(grammar, word))


def _place(grammar: Grammar, word: Sequence[str]) -> int:
    """The first symbol that no word goes on with, by halves: what begins a word, so do its prefixes."""
    low, high = 0, len(word) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if word[middle - 1] in grammar.legal_next(word[: middle - 1]):
            low = middle
        else:
            high = middle
    return high


def ordered(grammar: Grammar, legal: Iterable[str]) -> tuple[str, ...]:
    """Symbols in the order of the alphabet, other tokens behind them, the end last."""
    order = {symbol: place for place, symbol in enumerate(grammar.tokens())}
    return tuple(sorted(legal, key=lambda symbol: (symbol == END, order.get(symbol, len(order)))))
