"""All derivations of a tree program, one by one: slow, and written without the tables it is to check."""

from __future__ import annotations

import math
from functools import cache
from itertools import product
from typing import Any

Strings = tuple[tuple[int, ...], ...]


def derivations(shapes: Any, length: int) -> list[tuple[float, tuple[int, ...]]]:
    """The weight and the word of every derivation of a length from the start symbol."""

    open_now: set[tuple[int, int]] = set()

    @cache
    def grown(a: int, n: int) -> list[tuple[float, Strings]]:
        """Where derivations are finite in number, nothing holds itself: what is open counts as nothing."""
        found: list[tuple[float, Strings]] = []
        open_now.add((a, n))
        for shape in (shape for shape in shapes if shape.head == a):
            for parts in product(range(n + 1), repeat=len(shape.children)):
                wanted = set(zip(shape.children, parts, strict=True))
                if sum(parts) + len(shape.members[0]) != n or wanted & open_now:
                    continue
                for chosen in product(*(grown(c, m) for c, m in zip(shape.children, parts, strict=True))):
                    for member, weight in zip(shape.members, shape.weights, strict=True):
                        yielded = tuple(written(codes, member, chosen) for codes in shape.yields)
                        found.append((weight * math.prod(w for w, _ in chosen), yielded))
        open_now.discard((a, n))
        return found

    return [(weight, strings[0]) for weight, strings in grown(0, length)]


def written(codes: Any, member: Any, chosen: Any) -> tuple[int, ...]:
    out: tuple[int, ...] = ()
    for code in codes:
        child, component = divmod(-1 - code, 8)
        out += (member[code],) if code >= 0 else chosen[child][1][component]
    return out
