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
    backwards. One AND of long integers tries all ways to share n out.
    """
    count, rules, sequences = skeleton(shapes)
    found, chains = [0] * count, [0] * len(sequences)
    chains[0] = 1
    mirrored = [0] * len(sequences)
    mirrored[0] = 1 << longest
    for n in range(longest + 1):
        for q, (head, rest) in enumerate(sequences):
            if q and (found[head] & (mirrored[rest] >> longest - n) or found[head] & chains[rest] >> n & 1):
                chains[q] |= 1 << n
        changed = True
        while changed:
            changed = False
            for head, slots, chain in rules:
                if n >= slots and chains[chain] >> (n - slots) & 1 and not found[head] >> n & 1:
                    found[head] |= 1 << n
                    changed = True
            if changed:
                for q, (head, rest) in enumerate(sequences):
                    whole = found[head] >> n & chains[rest] | found[head] & chains[rest] >> n
                    if q and whole & 1:
                        chains[q] |= 1 << n
        for q in range(len(sequences)):
            mirrored[q] |= (chains[q] >> n & 1) << longest - n
    return tuple(found)


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
