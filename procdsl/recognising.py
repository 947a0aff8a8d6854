"""Words as people type them, and where and why they are no words of a grammar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from procdsl.grammars.base import END, Grammar, WordGrammar
from procdsl.programs.base import SPECIALS


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


def words(grammar: Grammar, row: str | Sequence[str] | Sequence[int]) -> list[tuple[str, ...]]:
    """The words in a row of somebody's data: a text, symbols or ids, perhaps with `<bos>`, `<end>`, `<pad>`.

    Of grammars whose words these tokens belong to, what follows `<end>` is the next word. ValueError for an
    id that is none of the grammar's.
    """
    tokens = grammar.tokens()
    if isinstance(row, str):
        symbols: Iterable[str] = read(grammar, row)
    else:
        symbols = [one if isinstance(one, str) else _spelt(one, tokens) for one in row]
    owns = not isinstance(grammar, WordGrammar)
    found, word = list[tuple[str, ...]](), list[str]()
    for symbol in symbols:
        if symbol not in SPECIALS or (owns and symbol == END):
            word.append(symbol)
        if symbol in (END, "<bos>") and word:
            found.append(tuple(word))
            word = []
    return [*found, tuple(word)] if word else found


def _spelt(id: int, tokens: Sequence[str]) -> str:
    if not 0 <= id < len(tokens):
        raise ValueError(f"{id} is no id: the grammar has {len(tokens)} tokens")
    return tokens[id]
