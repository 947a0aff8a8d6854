"""Word functions that rearrange, choose and join symbols."""

from __future__ import annotations

from procdsl.grammars.words import Bounds, as_long, at_most, word_function

Word = list[int]


def _joined(*words: Bounds) -> Bounds:
    return sum(least for least, _ in words), sum(most for _, most in words)


def _first(word: Bounds, count: Bounds) -> Bounds:
    return min(word[0], count[0]), min(word[1], count[1])


def _rest(word: Bounds, count: Bounds) -> Bounds:
    return max(word[0] - count[1], 0), max(word[1] - count[0], 0)


@word_function("word -> word", as_long)
def identity(word: Word) -> Word:
    """The word itself.

    >>> identity([3, 1, 3])
    [3, 1, 3]
    """
    return list(word)


@word_function("word -> word", as_long)
def reverse(word: Word) -> Word:
    """The symbols from last to first.

    >>> reverse([3, 1, 2])
    [2, 1, 3]
    """
    return word[::-1]


@word_function("word -> word", as_long)
def sort(word: Word) -> Word:
    """The symbols in the order of the alphabet, repetitions kept.

    >>> sort([3, 1, 3, 2])
    [1, 2, 3, 3]
    """
    return sorted(word)


@word_function("word -> word", at_most)
def unique(word: Word) -> Word:
    """Each symbol once, in the order of first appearance.

    >>> unique([3, 1, 3, 2, 1])
    [3, 1, 2]
    """
    return list(dict.fromkeys(word))


@word_function("word... -> word", _joined)
def concat(*words: Word) -> Word:
    """Words one after another.

    >>> concat([3, 1], [3])
    [3, 1, 3]
    """
    return [symbol for word in words for symbol in word]


@word_function("word, number -> word", _first)
def take(word: Word, count: int) -> Word:
    """The first symbols, at most `count` of them.

    >>> take([3, 1, 2], 2)
    [3, 1]
    """
    return word[:count]


@word_function("word, number -> word", _rest)
def drop(word: Word, count: int) -> Word:
    """All but the first `count` symbols.

    >>> drop([3, 1, 2], 2)
    [2]
    """
    return word[count:]
