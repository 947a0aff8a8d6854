"""Word functions of group elements. Elements are 0, 1, ... here; in a task, a group's symbols."""

from __future__ import annotations

from itertools import accumulate

from procdsl.grammars.words import Extent, as_long, word_function
from procdsl.groups import Table, products

Word = list[int]
S3 = products("S3")


def _one(word: Extent, *_: Extent) -> Extent:
    return word._replace(least=min(word.least, 1), most=min(word.most, 1))


@word_function("elements -> elements", as_long)
def scan_compose(word: Word, table: Table) -> Word:
    """The product of the elements up to each: `scan(compose)`.

    >>> scan_compose([1, 2, 2], S3)
    [1, 3, 1]
    """
    return list(accumulate(word, lambda a, b: table[a][b]))


@word_function("elements -> elements", _one)
def fold_compose(word: Word, table: Table) -> Word:
    """The product of all elements: `fold(compose)`.

    >>> fold_compose([1, 2, 2, 1], S3)
    [0]
    """
    return list(accumulate(word, lambda a, b: table[a][b]))[-1:]


@word_function("elements -> elements", as_long)
def inverse(word: Word, table: Table) -> Word:
    """The inverse of each element.

    >>> inverse([3, 1], S3)
    [4, 1]
    """
    return [next(b for b, product in enumerate(table[a]) if product == 0) for a in word]
