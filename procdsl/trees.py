"""How many trees there are of each length, weighted: what the sampler of tree-shaped words looks up.

alpha[A][n] is the weight of all derivations of length n from A, seq[s][n] that of a sequence of children.
Lengths add, so seq is a convolution and alpha a sum over productions (Flajolet, Zimmermann, Van Cutsem 1994).
Rules without terminals make alpha[.][n] depend on itself, linearly: through children with empty siblings.
Strongly connected parts of that dependency are solved by their inverse, the rest in order, so that ε and unit
rules need no change of the grammar. Values are tilted by `tilt` ** n, which cancels in every ratio and keeps
them in the range of doubles.

`inside` is the one routine of + - * / on doubles, in one order, that plain Python and numba both run.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from procdsl.programs.tree import TreeProgram, TreeShape
from procdsl.silent import components, empty_words, inverses, total_of, unit_edges

FANOUT = 8
# Up to so many terms, products of many rows are made at once: gathering the rows costs less than the calls.
_GATHERED = 256
# Of longer ones so many may be enough, where there is a ceiling.
_FIRST = 32


class Structure(NamedTuple):
    """A program as flat sequences: shapes by head, interned sequences of children, the order of solving.

    Shapes first[A] .. first[A + 1] - 1 belong to A; shape g writes slots[g] terminals, has the children of
    sequence chain[g] and all its members' weight[g]. Sequence s is nonterminal head[s], then sequence
    rest[s]; 0 is the empty one. `order` lists the nonterminals so that what one needs at its own length
    comes before it, parts[i] .. parts[i + 1] - 1 together; `inverse` holds (I - U)^-1 of each part, row by
    row, from block[i]; unit[A] .. unit[A + 1] - 1 are the edges A → unit_to of weight unit_by. empty[A] is
    alpha[A][0].
    """

    first: Any
    slots: Any
    weight: Any
    chain: Any
    head: Any
    rest: Any
    order: Any
    parts: Any
    inverse: Any
    block: Any
    unit: Any
    unit_to: Any
    unit_by: Any
    empty: Any


def inside(structure: Any, tilt: Any, alpha: Any, seq: Any, whole: Any, sums: Any, zero: Any) -> None:
    """Fills alpha (K, N + 1) and seq (S, N + 1), column by column. `whole` (S) and `sums` (K) are scratch.

    `tilt` holds the power of the tilt that each shape needs. `zero` is that of the numbers in use: doubles,
    or whole numbers of any size.
    """
    s = structure
    nonterminals, sequences, longest = len(s.empty), len(s.head), len(alpha[0]) - 1
    for a in range(nonterminals):
        alpha[a][0] = s.empty[a]
    seq[0][0] = zero + 1
    for q in range(1, sequences):
        seq[q][0] = alpha[s.head[q]][0] * seq[s.rest[q]][0]
    for n in range(1, longest + 1):
        for q in range(1, sequences):
            # What the first child and the rest share between them, both taking something.
            left, right, total = alpha[s.head[q]], seq[s.rest[q]], zero
            if s.rest[q] != 0:
                for k in range(1, n):
                    total += left[k] * right[n - k]
            seq[q][n] = total
            whole[q] = total + left[0] * whole[s.rest[q]] if s.rest[q] != 0 else zero
        for a in range(nonterminals):
            total = zero
            for g in range(s.first[a], s.first[a + 1]):
                if s.slots[g] == 0:
                    total += s.weight[g] * whole[s.chain[g]]
                elif n >= s.slots[g]:
                    total += s.weight[g] * seq[s.chain[g]][n - s.slots[g]] * tilt[g]
            sums[a] = total
        for i in range(len(s.parts) - 1):
            begin, end = s.parts[i], s.parts[i + 1]
            for j in range(begin, end):
                a = s.order[j]
                for e in range(s.unit[a], s.unit[a + 1]):
                    sums[a] += s.unit_by[e] * alpha[s.unit_to[e]][n]
            for j in range(begin, end):
                total = zero
                for k in range(begin, end):
                    place = s.block[i] + (j - begin) * (end - begin) + (k - begin)
                    total += s.inverse[place] * sums[s.order[k]]
                alpha[s.order[j]][n] = total
        for q in range(1, sequences):
            a, r = s.head[q], s.rest[q]
            seq[q][n] += alpha[a][0] * seq[r][n] + alpha[a][n] * seq[r][0]


# ---------------------------------------------------------------- from a program


@lru_cache(maxsize=32)
def structure(program: TreeProgram) -> Structure:
    """The flat form of a program's shapes. ValueError where the weights of a word's derivations diverge."""
    return flattened(program.shapes)


def flattened(shapes: Sequence[TreeShape]) -> Structure:
    """The flat form of shapes. ValueError where the weights of a word's derivations diverge."""
    count = 1 + max(max((shape.head, *shape.children)) for shape in shapes)
    flat = sorted(shapes, key=lambda shape: shape.head)
    interned: dict[tuple[int, ...], int] = {(): 0}
    chain = [intern(shape.children, interned) for shape in flat]
    sequences = sorted(interned, key=interned.__getitem__)
    slots = [len(shape.members[0]) for shape in flat]
    weight = [total_of(shape.weights) for shape in flat]
    heads = Counter(shape.head for shape in flat)
    first = _starts([heads[a] for a in range(count)])
    silent = [g for g in range(len(flat)) if slots[g] == 0]
    rules = [(flat[g].head, flat[g].children, weight[g]) for g in silent]
    empty = empty_words(count, rules)
    edges = unit_edges(count, rules, empty)
    parts = components(count, edges)
    inverse, block = inverses(parts, edges)
    outside = [[(b, w) for b, w in edges[a].items() if b not in part] for part in parts for a in part]
    order = [a for part in parts for a in part]
    ordered = dict(zip(order, outside, strict=True))
    return Structure(
        first=first,
        slots=slots,
        weight=weight,
        chain=chain,
        head=[0, *(s[0] for s in sequences[1:])],
        rest=[0, *(interned[s[1:]] for s in sequences[1:])],
        order=order,
        parts=_starts([len(part) for part in parts]),
        inverse=inverse,
        block=block,
        unit=_starts([len(ordered[a]) for a in range(count)]),
        unit_to=[b for a in range(count) for b, _ in ordered[a]],
        unit_by=[w for a in range(count) for _, w in ordered[a]],
        empty=empty,
    )


def tilts(step: float, slots: Sequence[int]) -> list[float]:
    """The power of the tilt that each shape needs, by repeated multiplication."""
    powers = [1.0]
    for _ in range(max(slots, default=0)):
        powers.append(powers[-1] * step)
    return [powers[slot] for slot in slots]


def plain_inside(
    structure: Structure, tilts: Sequence[float], longest: int
) -> tuple[list[list[float]], list[list[float]]]:
    """`inside` in plain Python: alpha and seq up to the longest length, given the tilt of every shape."""
    alpha = [[0.0] * (longest + 1) for _ in structure.empty]
    seq = [[0.0] * (longest + 1) for _ in structure.head]
    scratch = [0.0] * len(structure.head), [0.0] * len(structure.empty)
    inside(structure, tilts, alpha, seq, *scratch, 0.0)
    return alpha, seq


def vector_inside(
    flat: Structure, step: float, longest: int, *, ceiling: float | None = None, number: Any = float
) -> tuple[Any, Any]:
    """As `plain_inside` by NumPy, sums in whatever order; no value above the ceiling, if there is one."""
    import numpy as np

    def capped(value: Any) -> Any:
        return value if ceiling is None else np.minimum(value, ceiling)

    tilted, head, rest = np.array(tilts(step, flat.slots)), np.array(flat.head), np.array(flat.rest)
    alpha, seq = (np.zeros((len(part), longest + 1), number) for part in (flat.empty, flat.head))
    alpha[:, 0], seq[0, 0] = capped(np.array(flat.empty)), 1
    levels, loops = _levels(flat.rest), _loops(flat)
    for q in levels:
        seq[q, 0] = alpha[head[q], 0] * seq[rest[q], 0]
    pairs = np.flatnonzero(rest)
    weight, chain, slots = np.array(flat.weight), np.array(flat.chain), np.array(flat.slots)
    heads = np.repeat(np.arange(len(flat.empty)), np.diff(flat.first))
    writing = slots > 0
    whole = np.zeros(len(flat.head), number)
    for n in range(1, longest + 1):
        _shared(alpha, seq, pairs, head, rest, n, ceiling)
        for q in levels[1:]:
            whole[q] = seq[q, n] + alpha[head[q], 0] * whole[rest[q]]
        fits = writing & (slots <= n)
        terms = np.where(fits, seq[chain, np.maximum(n - slots, 0)] * tilted, whole[chain]) * weight
        sums = np.zeros(len(flat.empty), number)
        np.add.at(sums, heads, np.where(fits | ~writing, terms, 0))
        for part, edges, inverse in loops:
            for a, b, by in edges:
                sums[a] += by * sums[b]
            sums[part] = inverse @ sums[part]
        alpha[:, n] = capped(sums)
        for q in levels:
            a, r = head[q], rest[q]
            seq[q, n] = capped(seq[q, n] + alpha[a, 0] * seq[r, n] + alpha[a, n] * seq[r, 0])
    return alpha, seq


def _levels(rest: Sequence[int]) -> list[Any]:
    """Sequences of one child, of two, …: each looks only at what is before it."""
    import numpy as np

    depth = [0] * len(rest)
    for q in range(1, len(rest)):
        depth[q] = depth[rest[q]] + 1
    return [np.flatnonzero(np.array(depth) == level) for level in range(1, max(depth) + 1)]


def _shared(alpha: Any, seq: Any, pairs: Any, head: Any, rest: Any, n: int, ceiling: float | None) -> None:
    """seq[q, n], where the first child and the rest of every pair share the length and both take something.

    Short rows are gathered, which copies them; of long ones each product is worth a call of its own, but for
    those that reach the ceiling by their first terms.
    """
    import numpy as np

    terms = n if n <= _GATHERED else 0 if ceiling is None else _FIRST
    found = np.einsum("qk,qk->q", alpha[head[pairs], 1:terms], seq[rest[pairs], n - 1 : n - terms : -1])
    seq[pairs, n] = found
    if terms < n:
        for q in pairs if ceiling is None else pairs[found < ceiling]:
            seq[q, n] = alpha[head[q], 1:n] @ seq[rest[q], n - 1 : 0 : -1]


def _loops(flat: Structure) -> list[tuple[Any, list[tuple[int, int, Any]], Any]]:
    """The parts that children of the same length pass something on to: members, edges into them, inverse."""
    import numpy as np

    found = []
    for i, (begin, end) in enumerate(pairwise(flat.parts)):
        part, size = flat.order[begin:end], end - begin
        inverse = np.reshape(flat.inverse[flat.block[i] : flat.block[i] + size**2], (size, -1))
        edges = [
            (a, flat.unit_to[e], flat.unit_by[e]) for a in part for e in range(flat.unit[a], flat.unit[a + 1])
        ]
        if edges or size > 1 or inverse[0, 0] != 1:
            found.append((np.array(part), edges, inverse))
    return found


@lru_cache(maxsize=32)
def tilt(program: TreeProgram) -> float:
    """How to scale lengths so that alpha[start][n] hardly grows or shrinks: about the radius of convergence.

    Fitted on words of up to 64 symbols and rounded to seven bits, so that no library's last bit decides.
    """
    flat, step = structure(program), 1.0
    for _ in range(3):
        start = vector_inside(flat, step, min(64, program.lengths.values[-1]))[0][0]
        alive = [n for n in range(1, len(start)) if start[n] > 0]
        if len(alive) < 2:
            break
        low, high = alive[len(alive) // 2 - 1], alive[-1]
        slope = (math.log(start[high] / start[low]) + 1.5 * math.log(high / low)) / (high - low)
        step = _rounded(step * math.exp(-slope))
    return step


def _rounded(value: float) -> float:
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(mantissa * 128) / 128, exponent)


def intern(children: tuple[int, ...], interned: dict[tuple[int, ...], int]) -> int:
    for length in range(1, len(children) + 1):
        interned.setdefault(children[len(children) - length :], len(interned))
    return interned[children]


def _starts(counts: Sequence[int]) -> list[int]:
    starts = [0]
    for count in counts:
        starts.append(starts[-1] + count)
    return starts
