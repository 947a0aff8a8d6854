"""Word functions of mappings: words of keys and values by turns."""

from __future__ import annotations

from procdsl.grammars.words import Extent, word_function

Word = list[int]


def _substituted(word: Extent, mapping: Extent) -> Extent:
    low, high = mapping.inner
    return word._replace(low=min(word.low, low), high=max(word.high, high))


@word_function("mapping -> key", lambda mapping: mapping._replace(inner=(0, 0)))
def keys(mapping: Word) -> Word:
    """The keys in their order.

    >>> keys([3, 70, 1, 71])
    [3, 1]
    """
    return mapping[::2]


@word_function("mapping -> value", lambda mapping: Extent(mapping.least, mapping.most, *mapping.inner))
def values(mapping: Word) -> Word:
    """The values in the order of their keys.

    >>> values([3, 70, 1, 71])
    [70, 71]
    """
    return mapping[1::2]


@word_function("mapping, key -> value", lambda mapping, asked: Extent(0, asked.most, *mapping.inner))
def lookup(mapping: Word, asked: Word) -> Word:
    """The values of the symbols that are keys.

    >>> lookup([3, 70, 1, 71], [1])
    [71]
    """
    known = dict(zip(reversed(mapping[::2]), reversed(mapping[1::2]), strict=True))
    return [known[symbol] for symbol in asked if symbol in known]


@word_function("word, mapping -> word", _substituted)
def substitute(word: Word, mapping: Word) -> Word:
    """The symbols that are keys give way to their values.

    >>> substitute([5, 3, 1, 3], [3, 70, 1, 71])
    [5, 70, 71, 70]
    """
    known = dict(zip(reversed(mapping[::2]), reversed(mapping[1::2]), strict=True))
    return [known.get(symbol, symbol) for symbol in word]
