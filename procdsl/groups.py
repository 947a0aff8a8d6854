"""Finite groups by name: S3, A5, Z60, and products of them as in ``S3 x Z4``. Elements are 0, 1, ...

Permutations are numbered in lexicographic order and composed from left to right: ``a b`` is first a, then b.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import permutations

LARGEST = 1_000
Table = tuple[tuple[int, ...], ...]


def spellings(name: str) -> tuple[str, ...]:
    """How the elements are spelt inside the brackets: permutations by their images, residues as numbers.

    >>> spellings("A3")
    ('012', '120', '201')
    """
    found: tuple[str, ...] = ("",)
    for factor in _factors(name):
        found = tuple(f"{a},{b}" if a else b for a in found for b in _elements(*factor))
    return found


@cache
def products(name: str) -> Table:
    """Row a holds a b for every b.

    >>> products("Z3")
    ((0, 1, 2), (1, 2, 0), (2, 0, 1))
    """
    table: Table = ((0,),)
    for factor in _factors(name):
        table = _product(table, _products(*factor))
    return table


def _factors(name: str) -> list[tuple[str, int]]:
    factors, order = list[tuple[str, int]](), 1
    for part in name.split(" x "):
        match = re.fullmatch(r"([SAZ])([1-9]\d{0,3})", part.strip(), re.ASCII)
        if match is None:
            raise ValueError(f"{part.strip()!r} is no group: S5, A5, Z60, S3 x Z4")
        factors.append((match[1], int(match[2])))
        order *= _order(*factors[-1])
        if order > LARGEST:
            raise ValueError(f"{name} has more than {LARGEST:,} elements")
    return factors


def _order(letter: str, n: int) -> int:
    order = 1
    for factor in range(2, (n if letter != "Z" else 1) + 1):
        order *= factor
        if order > 2 * LARGEST:
            break
    return n if letter == "Z" else order if letter == "S" else max(order // 2, 1)


def _elements(letter: str, n: int) -> tuple[str, ...]:
    if letter == "Z":
        return tuple(map(str, range(n)))
    return tuple("".join(map(str, images)) for images in _permutations(letter, n))


def _products(letter: str, n: int) -> Table:
    if letter == "Z":
        return tuple(tuple((a + b) % n for b in range(n)) for a in range(n))
    members = _permutations(letter, n)
    places = {images: place for place, images in enumerate(members)}
    return tuple(tuple(places[tuple(b[i] for i in a)] for b in members) for a in members)


def _permutations(letter: str, n: int) -> list[tuple[int, ...]]:
    return [images for images in permutations(range(n)) if letter == "S" or _even(images)]


def _even(images: tuple[int, ...]) -> bool:
    return sum(a > b for i, a in enumerate(images) for b in images[i + 1 :]) % 2 == 0


def _product(one: Table, other: Table) -> Table:
    size = len(other)
    return tuple(
        tuple(a * size + b for a in one_row for b in other_row) for one_row in one for other_row in other
    )
