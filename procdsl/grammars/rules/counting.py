"""How many words there are of each length, and of which lengths there are any: in whole numbers.

Ambiguous rules have more derivations than words: what is counted here is derivations.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from procdsl.grammars.rules.lowering import unweighted
from procdsl.programs.tree import TreeShape
from procdsl.trees import flattened, inside, intern, vector_inside

Shapes = tuple[TreeShape, ...]


class Skeleton(NamedTuple):
    """Shapes without their terminals: (head, slots, sequence) each once; sequences as (head, rest)."""

    symbols: int
    rules: list[tuple[int, int, int]]
    sequences: list[tuple[int, int]]


@lru_cache(maxsize=16)
def skeleton(shapes: Shapes) -> Skeleton:
    """What lengths depend on."""
    interned: dict[tuple[int, ...], int] = {(): 0}
    rules = {(s.head, len(s.members[0]), intern(s.children, interned)): None for s in shapes}
    chains = sorted(interned, key=interned.__getitem__)
    count = 1 + max(max((shape.head, *shape.children)) for shape in shapes)
    return Skeleton(count, list(rules), [(0, 0), *((c[0], interned[c[1:]]) for c in chains[1:])])


@lru_cache(maxsize=64)
def possible(shapes: Shapes, longest: int) -> tuple[int, ...]:
    """For each nonterminal, which lengths up to `longest` it derives: bit n stands for length n.

    Length by length: a sequence has length n where some bit of its first child meets one of the rest, read
    backwards. One AND of long integers tries all ways to share n out. What a nonterminal that turns out to
    have length n brings about at the same length is only looked for where the others beside it can be empty.
    """
    count, rules, sequences = skeleton(shapes)
    found, chains = [0] * count, [0] * len(sequences)
    chains[0] = 1
    ways: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for head, slots, chain in rules:
        ways[head].append((slots, chain))
    pairs, rests = list(enumerate(sequences))[1:], sorted({rest for _, rest in sequences})
    mirrored = dict.fromkeys(rests, 0)
    mirrored[0] = 1 << longest
    # Which sequences a length of one child passes on to: all, until it is known which children can be empty.
    passing = pairs
    for n in range(longest + 1):
        behind = {rest: mirrored[rest] >> longest - n for rest in rests}
        for q, (head, rest) in pairs:
            if found[head] & behind[rest] or found[head] & chains[rest] >> n & 1:
                chains[q] |= 1 << n
        wanting = list(range(count))
        while reached := [a for a in wanting if _reaches(ways[a], chains, n)]:
            for a in reached:
                found[a] |= 1 << n
            wanting = [a for a in wanting if not found[a] >> n & 1]
            for q, (head, rest) in passing:
                if found[head] >> n & chains[rest] & 1 or found[head] & chains[rest] >> n & 1:
                    chains[q] |= 1 << n
        if n == 0:
            passing = [(q, (head, rest)) for q, (head, rest) in pairs if found[head] & 1 or chains[rest] & 1]
        for rest in rests:
            mirrored[rest] |= (chains[rest] >> n & 1) << longest - n
    return tuple(found)


def _reaches(ways: list[tuple[int, int]], chains: list[int], n: int) -> bool:
    """Whether one of the ways, so many terminals and a sequence, has length n."""
    return any(n >= slots and chains[chain] >> n - slots & 1 for slots, chain in ways)


@lru_cache(maxsize=64)
def counts(shapes: Shapes, longest: int) -> tuple[int, ...]:
    """How many derivations the start symbol has of each length up to `longest`, exactly.

    ValueError where there are endlessly many.
    """
    flat = flattened(unweighted(shapes))
    whole = flat._replace(
        weight=[round(w) for w in flat.weight],
        inverse=[round(x) for x in flat.inverse],
        unit_by=[round(w) for w in flat.unit_by],
        empty=[round(w) for w in flat.empty],
    )
    alpha: list[list[Any]] = [[0] * (longest + 1) for _ in whole.empty]
    seq: list[list[Any]] = [[0] * (longest + 1) for _ in whole.head]
    inside(whole, [1] * len(whole.slots), alpha, seq, [0] * len(whole.head), [0] * len(whole.empty), 0)
    return tuple(alpha[0])


def plenty(shapes: Shapes, longest: int, enough: int) -> int:
    """Which lengths up to `longest` have at least so many derivations: bit n stands for length n."""
    import numpy as np

    flat = flattened(unweighted(shapes))
    alpha, _ = vector_inside(flat, 1.0, longest, ceiling=float(enough))
    return int.from_bytes(np.packbits(alpha[0] >= enough, bitorder="little").tobytes(), "little")
