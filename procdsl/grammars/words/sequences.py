"""Word functions that rearrange, choose and join, whatever their symbols are."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from procdsl.grammars.words import Extent, as_long, joined, word_function

Word = list[Any]


def _first(word: Extent, count: Extent) -> Extent:
    return word._replace(least=min(word.least, count.low), most=min(word.most, count.high))


def _rest(word: Extent, count: Extent) -> Extent:
    return word._replace(least=max(word.least - count.high, 0), most=max(word.most - count.low, 0))


def _times(word: Extent, count: Extent) -> Extent:
    return word._replace(least=word.least * count.low, most=word.most * count.high)


def _half(word: Extent, *_: Extent) -> Extent:
    return word._replace(least=(word.least + 1) // 2, most=(word.most + 1) // 2)


def _at_most_one(word: Extent) -> Extent:
    return word._replace(least=min(word.least, 1), most=min(word.most, 1))


def _zipped(a: Extent, b: Extent) -> Extent:
    both = joined(a, b)
    return both._replace(least=min(a.least, b.least), most=min(a.most, b.most), inner=(2, 2))


def _chunked(word: Extent, size: Extent) -> Extent:
    least, most = max(size.low, 1), max(size.high, 1)
    inner = (min(word.least, 1), min(most, word.most))
    if least == most and word.least == word.most and word.least % most == 0:
        inner = (inner[1], inner[1])
    return word._replace(least=-(-word.least // most), most=-(-word.most // least), inner=inner)


def _cut(word: Extent, sizes: Extent) -> Extent:
    least = sizes.low if word.least >= sizes.most * sizes.high else 0
    return word._replace(least=sizes.least, most=sizes.most, inner=(least, min(sizes.high, word.most)))


def _split(word: Extent, mark: Extent) -> Extent:
    return word._replace(least=min(word.least, 1), inner=(0, word.most))


def _gathered(*words: Extent) -> Extent:
    inner = (min(word.least for word in words), max(word.most for word in words))
    return joined(*words)._replace(least=len(words), most=len(words), inner=inner)


def _picked(order: Extent, *words: Extent) -> Extent:
    there = order.high < len(words) and min(word.least for word in words) >= order.most
    return joined(*words)._replace(least=order.least if there else 0, most=order.most)


def _put(word: Extent, places: Extent, new: Extent) -> Extent:
    return joined(word, new)._replace(least=word.least, most=word.most)


def _rewritten(word: Extent, names: Extent, words: Extent) -> Extent:
    least, most = word.least * min(words.inner[0], 1), word.most * max(words.inner[1], 1)
    return joined(word, words)._replace(least=least, most=most, inner=(0, 0))


def _permuted(word: Extent, order: Extent) -> Extent:
    least = order.least if order.high < word.least else 0
    return word._replace(least=least, most=order.most)


def _flattened(words: Extent) -> Extent:
    return Extent(words.least * words.inner[0], words.most * words.inner[1], words.low, words.high)


def _on_the_way(edges: Extent, start: Extent, goal: Extent) -> Extent:
    ends = (edges, start, goal)
    low, high = min(one.low for one in ends), max(one.high for one in ends)
    return Extent(0, edges.most // 2 + 1, low, high)


@word_function("list -> list", as_long)
def identity(word: Word) -> Word:
    """The word itself.

    >>> identity([3, 1, 3])
    [3, 1, 3]
    """
    return list(word)


@word_function("list -> list", as_long)
def reverse(word: Word) -> Word:
    """The symbols from last to first.

    >>> reverse([3, 1, 2])
    [2, 1, 3]
    """
    return word[::-1]


@word_function("list... -> list", joined)
def concat(*words: Word) -> Word:
    """Words one after another.

    >>> concat([3, 1], [3])
    [3, 1, 3]
    """
    return [symbol for word in words for symbol in word]


@word_function("list, number -> list", _first)
def take(word: Word, count: int) -> Word:
    """The first symbols, at most `count` of them.

    >>> take([3, 1, 2], 2)
    [3, 1]
    """
    return word[:count]


@word_function("list, number -> list", _rest)
def drop(word: Word, count: int) -> Word:
    """All but the first `count` symbols.

    >>> drop([3, 1, 2], 2)
    [2]
    """
    return word[count:]


@word_function("list, number -> list", as_long)
def rotate(word: Word, count: int) -> Word:
    """The first `count` symbols moved behind the others, around and around.

    >>> rotate([3, 1, 2], 4)
    [1, 2, 3]
    """
    cut = count % len(word) if word else 0
    return word[cut:] + word[:cut]


@word_function("list, number -> list", _times)
def repeat(word: Word, count: int) -> Word:
    """The word `count` times, one after another.

    >>> repeat([3, 1], 2)
    [3, 1, 3, 1]
    """
    return word * count


@word_function("list, number -> list", _times)
def duplicate(word: Word, count: int) -> Word:
    """Each symbol `count` times.

    >>> duplicate([3, 1], 2)
    [3, 3, 1, 1]
    """
    return [symbol for symbol in word for _ in range(count)]


@word_function("list, list -> list", joined)
def interleave(a: Word, b: Word) -> Word:
    """Symbols of both by turns, and what is left of the longer.

    >>> interleave([3, 1, 2], [7])
    [3, 7, 1, 2]
    """
    paired = [symbol for pair in zip(a, b, strict=False) for symbol in pair]
    shorter = min(len(a), len(b))
    return paired + a[shorter:] + b[shorter:]


@word_function("list -> list", as_long)
def odds_first(word: Word) -> Word:
    """The first, third, fifth ... symbols, then the second, fourth ...

    >>> odds_first([3, 1, 2, 9])
    [3, 2, 1, 9]
    """
    return word[::2] + word[1::2]


@word_function("list -> list", _half)
def every_other(word: Word) -> Word:
    """The first, third, fifth ... symbols.

    >>> every_other([3, 1, 2])
    [3, 2]
    """
    return word[::2]


@word_function("list, numbers -> list", _permuted)
def permute(word: Word, order: list[int]) -> Word:
    """The symbols at these places, counted from 0; places that are not there are passed over.

    >>> permute([7, 8, 9], [2, 0, 1])
    [9, 7, 8]
    """
    return [word[place] for place in order if place < len(word)]


@word_function("word -> word", _at_most_one)
def first(word: Word) -> Word:
    """The first symbol; none of the empty word.

    >>> first([3, 1, 2])
    [3]
    """
    return word[:1]


@word_function("word -> word", _at_most_one)
def last(word: Word) -> Word:
    """The last symbol; none of the empty word.

    >>> last([3, 1, 2])
    [2]
    """
    return word[-1:]


@word_function("word, number -> word", lambda word, place: word._replace(least=0, most=1))
def nth(word: Word, place: int) -> Word:
    """The symbol at a place, counted from 0; none where the word is shorter.

    >>> nth([3, 1, 2], 1)
    [1]
    """
    return word[place : place + 1]


@word_function("word, number -> words", _chunked)
def chunk(word: Word, size: int) -> list[Word]:
    """The word cut into words of `size`, the last one perhaps shorter.

    >>> chunk([3, 1, 2, 9, 4], 2)
    [[3, 1], [2, 9], [4]]
    """
    step = max(size, 1)
    return [word[at : at + step] for at in range(0, len(word), step)]


@word_function("word, word -> words", _zipped)
def zip_(a: Word, b: Word) -> list[Word]:
    """Words of two: a symbol of each, as long as both last.

    >>> zip_([3, 1, 2], [7, 8])
    [[3, 7], [1, 8]]
    """
    return [list(pair) for pair in zip(a, b, strict=False)]


@word_function("words -> word", _flattened)
def flatten(words: list[Word]) -> Word:
    """Words one after another, as one.

    >>> flatten([[3, 1], [], [2]])
    [3, 1, 2]
    """
    return [symbol for word in words for symbol in word]


@word_function("words -> word", lambda words: Extent(0, words.inner[1], words.low, words.high))
def longest_word(words: list[Word]) -> Word:
    """The longest of the words, the first of those as long.

    >>> longest_word([[3, 1], [4, 4, 4], [2, 2, 2]])
    [4, 4, 4]
    """
    return max(words, key=len, default=[])


@word_function("word, numbers -> words", _cut)
def cut(word: Word, sizes: list[int]) -> list[Word]:
    """The word cut into words of these lengths, shorter where it has come to its end.

    >>> cut([3, 1, 2, 9, 4], [2, 1, 1])
    [[3, 1], [2], [9]]
    """
    ends = list(accumulate(sizes))
    return [word[end - size : end] for end, size in zip(ends, sizes, strict=True)]


@word_function("word, one -> words", _split)
def split(word: Word, mark: int) -> list[Word]:
    """The words between the marks; a mark at the end has none behind it.

    >>> split([3, 1, 0, 2, 0], 0)
    [[3, 1], [2]]
    """
    words: list[Word] = [[]]
    for symbol in word:
        if symbol == mark:
            words.append([])
        else:
            words[-1].append(symbol)
    return words if words[-1] else words[:-1]


@word_function("word... -> words", _gathered)
def words(*words: Word) -> list[Word]:
    """These words, as a word of words.

    >>> words([3, 1], [3])
    [[3, 1], [3]]
    """
    return list(words)


@word_function("list -> numbers", lambda word: word._replace(low=0, high=max(word.most - 1, 0), inner=(0, 0)))
def places(word: Word) -> list[int]:
    """The places of the symbols, counted from 0.

    >>> places([7, 8, 9])
    [0, 1, 2]
    """
    return list(range(len(word)))


@word_function("list, numbers, list -> list", _put)
def put(word: Word, places: list[int], new: Word) -> Word:
    """Other symbols at these places, counted from 0; places that are not there are passed over.

    >>> put([7, 8, 9], [2, 0], [5, 6])
    [6, 8, 5]
    """
    made = list(word)
    for place, symbol in zip(places, new, strict=False):
        if place < len(word):
            made[place] = symbol
    return made


@word_function("numbers, word... -> word", _picked)
def pick(order: list[int], *words: Word) -> Word:
    """At each place the symbol that stands there in the word of this number, counted from 0.

    >>> pick([0, 1, 0], [7, 8, 9], [1, 2, 3])
    [7, 2, 9]
    """
    chosen = [words[number] if number < len(words) else [] for number in order]
    return [word[place] for place, word in enumerate(chosen) if place < len(word)]


@word_function("word, word, words -> word", _rewritten)
def rewrite(word: Word, names: Word, words: list[Word]) -> Word:
    """The symbols that are names give way to their words: the word at the same place.

    >>> rewrite([3, 1, 3, 2], [3, 2], [[7, 8], []])
    [7, 8, 1, 7, 8]
    """
    known = dict(zip(reversed(names[: len(words)]), reversed(words[: len(names)]), strict=True))
    return [new for symbol in word for new in known.get(symbol, [symbol])]


@word_function("word, words -> words", lambda wanted, words: words._replace(least=0))
def holding(wanted: Word, words: list[Word]) -> list[Word]:
    """The words that hold one of the symbols.

    >>> holding([3, 9], [[3, 1], [2], [4, 9, 3]])
    [[3, 1], [4, 9, 3]]
    """
    return [word for word in words if not set(word).isdisjoint(wanted)]


@word_function("word, one, one -> word", _on_the_way)
def shortest_path(edges: Word, start: int, goal: int) -> Word:
    """The symbols of a shortest path in a graph, from one to another; none where there is no way.

    Each two symbols are an edge, to be gone either way. Of paths as short it is the one that a search in
    breadth finds first, which goes from a symbol to its neighbours in the order their edges are written.

    >>> shortest_path([1, 2, 1, 3, 3, 4, 2, 4], 1, 4)
    [1, 2, 4]
    """
    found: dict[int, int | None] = {start: None}
    for node in (queue := [start]):
        for one, other in zip(edges[::2], edges[1::2], strict=False):
            after = other if one == node else one if other == node else node
            if after not in found:
                found[after] = node
                queue.append(after)
    path, place = list[int](), goal if goal in found else None
    while place is not None:
        path.append(place)
        place = found[place]
    return path[::-1]
