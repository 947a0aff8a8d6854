"""Word functions that compare symbols: orders, sets, searches and counts."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from procdsl.grammars.words import Extent, as_long, at_most, joined, number, shorter, word_function

Word = list[int]


def _less_one(word: Extent, *_: Extent) -> Extent:
    return word._replace(least=max(word.least - 1, 0))


def _replaced(word: Extent, old: Extent, new: Extent) -> Extent:
    return word._replace(low=min(word.low, new.low), high=max(word.high, new.high))


def _united(*words: Extent) -> Extent:
    return joined(*words)._replace(least=min(max(word.least for word in words), 1))


def _counted(word: Extent, *_: Extent) -> Extent:
    return number(0, word.most)


@word_function("word -> word", as_long)
def sort(word: Word) -> Word:
    """The symbols in the order of the alphabet, repetitions kept.

    >>> sort([3, 1, 3, 2])
    [1, 2, 3, 3]
    """
    return sorted(word)


@word_function("word, word -> word", as_long)
def sort_by(word: Word, order: Word) -> Word:
    """The symbols in the order in which they stand in another word; those that do not last, as they were.

    >>> sort_by([3, 1, 4, 3, 2], [2, 3, 1])
    [2, 3, 3, 1, 4]
    """
    return sorted(word, key=lambda symbol: order.index(symbol) if symbol in order else len(order))


@word_function("word -> word", at_most)
def unique(word: Word) -> Word:
    """Each symbol once, in the order of first appearance.

    >>> unique([3, 1, 3, 2, 1])
    [3, 1, 2]
    """
    return list(dict.fromkeys(word))


@word_function("word... -> word", _united)
def union(*words: Word) -> Word:
    """Each symbol of the words once, in the order of first appearance.

    >>> union([3, 1], [2, 3])
    [3, 1, 2]
    """
    return list(dict.fromkeys(symbol for word in words for symbol in word))


@word_function("word, word -> word", shorter)
def intersect(word: Word, other: Word) -> Word:
    """Each symbol that both have once, in the order of the first word.

    >>> intersect([3, 1, 3, 2], [2, 3])
    [3, 2]
    """
    return list(dict.fromkeys(symbol for symbol in word if symbol in other))


@word_function("word, word -> word", shorter)
def difference(word: Word, other: Word) -> Word:
    """Each symbol that only the first word has once, in its order.

    >>> difference([3, 1, 3, 2], [2])
    [3, 1]
    """
    return list(dict.fromkeys(symbol for symbol in word if symbol not in other))


@word_function("word, word -> word", shorter)
def filter_(word: Word, kept: Word) -> Word:
    """The symbols that `kept` has too, repetitions kept.

    >>> filter_([3, 1, 3, 2], [2, 3])
    [3, 3, 2]
    """
    return [symbol for symbol in word if symbol in kept]


@word_function("word -> word", at_most)
def dedup_runs(word: Word) -> Word:
    """One symbol of each run of alike ones.

    >>> dedup_runs([3, 3, 1, 1, 3])
    [3, 1, 3]
    """
    return [symbol for symbol, _ in groupby(word)]


@word_function("word -> pairs", lambda word: at_most(word)._replace(inner=(1, max(word.most, 1))))
def run_length(word: Word) -> Word:
    """Each run of alike symbols as the symbol and its number.

    >>> run_length([3, 3, 1, 1, 1, 3])
    [3, 2, 1, 3, 3, 1]
    """
    return [part for symbol, run in groupby(word) for part in (symbol, len(list(run)))]


@word_function("word, one -> word", _less_one)
def delete_first(word: Word, symbol: int) -> Word:
    """The word without the first appearance of a symbol.

    >>> delete_first([3, 1, 3], 3)
    [1, 3]
    """
    at = word.index(symbol) if symbol in word else len(word)
    return word[:at] + word[at + 1 :]


@word_function("word, one -> word", shorter)
def delete_all(word: Word, symbol: int) -> Word:
    """The word without a symbol.

    >>> delete_all([3, 1, 3], 3)
    [1]
    """
    return [one for one in word if one != symbol]


@word_function("word, one, one -> word", _replaced)
def replace(word: Word, old: int, new: int) -> Word:
    """One symbol in place of another, wherever it stands.

    >>> replace([3, 1, 3], 3, 8)
    [8, 1, 8]
    """
    return [new if symbol == old else symbol for symbol in word]


@word_function("word, word -> number", lambda word, part: number(0, 1))
def search(word: Word, part: Word) -> int:
    """1 if the second word stands somewhere in the first, in one piece, else 0.

    >>> search([3, 1, 2], [1, 2])
    1
    """
    return int(any(word[at : at + len(part)] == part for at in range(len(word) - len(part) + 1)))


@word_function("word, word -> number", lambda word, part: number(0, word.most))
def find(word: Word, part: Word) -> int:
    """Where the second word first stands in the first, in one piece; the length of the first if nowhere.

    >>> find([3, 1, 2, 1, 2], [1, 2])
    1
    """
    places = range(len(word) - len(part) + 1)
    return next((at for at in places if word[at : at + len(part)] == part), len(word))


@word_function("word, word -> word", shorter)
def delete_part(word: Word, part: Word) -> Word:
    """The word without the first appearance of another.

    >>> delete_part([3, 1, 2, 1, 2], [1, 2])
    [3, 1, 2]
    """
    for at in range(len(word) - len(part) + 1):
        if word[at : at + len(part)] == part:
            return word[:at] + word[at + len(part) :]
    return list(word)


@word_function("word, word -> word", shorter)
def delete_parts(word: Word, part: Word) -> Word:
    """The word without the first appearance of another, again and again, until there is none.

    >>> delete_parts([3, 1, 1, 2, 2], [1, 2])
    [3]
    """
    while part and (at := find(word, part)) < len(word):
        word = word[:at] + word[at + len(part) :]
    return list(word)


@word_function("word, one -> number", _counted)
def count(word: Word, symbol: int) -> int:
    """How often a symbol appears.

    >>> count([3, 1, 3], 3)
    2
    """
    return word.count(symbol)


@word_function("list -> number", lambda word: number(word.least, word.most))
def length(word: Word) -> int:
    """How many symbols.

    >>> length([3, 1, 3])
    3
    """
    return len(word)


@word_function("word -> word", lambda word: word._replace(least=min(word.least, 1), most=min(word.most, 1)))
def majority(word: Word) -> Word:
    """The symbol that appears most often, the first of those as often; none of the empty word.

    >>> majority([3, 1, 1, 3, 2])
    [3]
    """
    return [symbol for symbol, _ in Counter(word).most_common(1)]


@word_function("word -> word", lambda word: word._replace(least=min(word.least, 1), most=min(word.most, 1)))
def max_(word: Word) -> Word:
    """The last symbol in the order of the alphabet; none of the empty word.

    >>> max_([3, 1, 7])
    [7]
    """
    return [max(word)] if word else []


@word_function("word -> word", lambda word: word._replace(least=min(word.least, 1), most=min(word.most, 1)))
def min_(word: Word) -> Word:
    """The first symbol in the order of the alphabet; none of the empty word.

    >>> min_([3, 1, 7])
    [1]
    """
    return [min(word)] if word else []
