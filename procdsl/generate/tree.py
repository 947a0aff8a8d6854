"""Words read off random trees of an exact length: top down, by the weight of what is left to derive.

At a nonterminal and a length, first a shape is drawn, then its member, then how its children share the
length, one after another; then come the children, from left to right. What the tree yields is written last.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from procdsl.programs.tree import TreeProgram, TreeShape
from procdsl.streams import Stream
from procdsl.tables import alias
from procdsl.trees import FANOUT, Structure, plain_inside, structure, tilt, tilts

Aliases = list[tuple[int, int]]


class Tables(NamedTuple):
    """All that drawing a word looks up."""

    shapes: list[TreeShape]
    flat: Structure
    alpha: list[list[float]]
    seq: list[list[float]]
    tilts: list[float]
    aliases: list[Aliases]


class Tree(NamedTuple):
    """A node: its shape, which member, its children."""

    shape: TreeShape
    member: int
    children: list[Tree]


def word(program: TreeProgram, stream: Stream, length: int) -> list[int]:
    """A word of exactly `length` symbols."""
    return drawn(_tables(program), 0, stream, length)


def drawn(tables: Tables, start: int, stream: Stream, length: int) -> list[int]:
    """A word of exactly `length` symbols that a nonterminal derives."""
    root: list[Tree] = []
    waiting = [(start, length, root)]
    while waiting:
        a, n, siblings = waiting.pop()
        g = _shape(tables, a, n, stream)
        member = _member(tables.aliases[g], stream)
        lengths = _split(tables, tables.flat.chain[g], n - tables.flat.slots[g], stream)
        tree = Tree(tables.shapes[g], member, [])
        siblings.append(tree)
        children = zip(tree.shape.children, lengths, strict=True)
        waiting += [(child, m, tree.children) for child, m in reversed(list(children))]
    return _yield(root[0])


def _shape(tables: Tables, a: int, n: int, stream: Stream) -> int:
    """Which of a nonterminal's shapes begins a derivation of length n."""
    flat = tables.flat
    first, last = flat.first[a], flat.first[a + 1]
    if last - first == 1:
        return int(first)
    drawn, total, found = stream.unit() * tables.alpha[a][n], 0.0, -1
    for g in range(first, last):
        if n < flat.slots[g]:
            continue
        share = flat.weight[g] * tables.seq[flat.chain[g]][n - flat.slots[g]] * tables.tilts[g]
        if share > 0:
            found, total = g, total + share
        if drawn < total:
            break
    return found


def _member(aliases: Aliases, stream: Stream) -> int:
    """One of a shape's members, by its alias table."""
    if len(aliases) == 1:
        return 0
    place = stream.below(len(aliases))
    threshold, other = aliases[place]
    return place if other == place or stream.under(threshold) else other


def _split(tables: Tables, sequence: int, length: int, stream: Stream) -> list[int]:
    """How the children of a sequence share a length, the ends tried before the middle.

    Looking from both ends at once finds the small part of a split in as many steps as it has symbols.
    """
    flat, lengths = tables.flat, list[int]()
    while sequence:
        rest = flat.rest[sequence]
        if rest == 0:
            lengths.append(length)
            break
        left, right = tables.alpha[flat.head[sequence]], tables.seq[rest]
        drawn, total, found = stream.unit() * tables.seq[sequence][length], 0.0, 0
        for k in _from_both_ends(length):
            share = left[k] * right[length - k]
            if share > 0:
                found, total = k, total + share
            if drawn < total:
                break
        lengths.append(found)
        sequence, length = rest, length - found
    return lengths


def _from_both_ends(length: int) -> Sequence[int]:
    """0, n, 1, n - 1, …

    >>> _from_both_ends(4)
    [0, 4, 1, 3, 2]
    """
    return [k // 2 if k % 2 == 0 else length - k // 2 for k in range(length + 1)]


def _yield(tree: Tree) -> list[int]:
    """What component 0 of a tree writes."""
    out, waiting = list[int](), [(tree, 0, 0)]
    while waiting:
        node, component, place = waiting.pop()
        codes = node.shape.yields[component]
        if place == len(codes):
            continue
        waiting.append((node, component, place + 1))
        code = codes[place]
        if code >= 0:
            out.append(node.shape.members[node.member][code])
        else:
            child, part = divmod(-1 - code, FANOUT)
            waiting.append((node.children[child], part, 0))
    return out


@lru_cache(maxsize=8)
def _tables(program: TreeProgram) -> Tables:
    flat = structure(program)
    shapes = sorted(program.shapes, key=lambda shape: shape.head)
    return tables(shapes, flat, tilts(tilt(program), flat.slots), program.lengths.values[-1])


def tables(shapes: list[TreeShape], flat: Structure, tilts: list[float], longest: int) -> Tables:
    """What words of up to `longest` symbols are looked up in, given the shapes by head and their tilts."""
    alpha, seq = plain_inside(flat, tilts, longest)
    return Tables(shapes, flat, alpha, seq, tilts, [alias(shape.weights) for shape in shapes])
