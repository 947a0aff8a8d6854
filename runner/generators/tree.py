"""The trees of `procdsl.generate.tree`, grown and written in one pass where yields keep their order.

Tables are the doubles of `procdsl.trees`, computed by the same routine under numba: no fused or reordered
arithmetic, so every comparison falls as it does in the reference.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.errors import RunError
from procdsl.programs.tree import TreeProgram, TreeShape
from procdsl.tables import alias
from procdsl.trees import FANOUT, Structure, inside, structure, tilt, tilts
from runner.generators.compiling import inlined, kernel
from runner.generators.philox import LOW, S32, blocks
from runner.generators.rows import Prepared, sampler

# Nodes a word may have: rules without terminals add some, chains of them ever fewer with their number.
NODES_PER_SYMBOL, NODES_BESIDE = 24, 4096
# Words of the stream made at a time.
AHEAD = 448
ELEVEN, UNIT = np.uint64(11), 2.0**-53

compiled_inside = kernel(inside)


class TreeTables(NamedTuple):
    """`Structure`, its inside weights, and the members and yields of every shape, flat."""

    first: Any
    slots: Any
    weight: Any
    chain: Any
    head: Any
    rest: Any
    alpha: Any
    seq: Any
    tilts: Any
    member: Any
    threshold: Any
    other: Any
    terminal: Any
    terminals: Any
    child: Any
    children: Any
    component: Any
    part: Any
    codes: Any
    in_order: bool
    nodes: int
    need: int
    room: int


def prepare(program: TreeProgram) -> Prepared:
    """The tables up to the longest word: O(S N²) time and O((K + S) N) memory."""
    flat, shapes = structure(program), sorted(program.shapes, key=lambda shape: shape.head)
    prepared = prepare_shapes(shapes, flat, tilts(tilt(program), flat.slots), program.lengths.values[-1])
    alpha = prepared.tables.alpha
    if lost := [n for n in program.lengths.values if not 0 < alpha[0, n] < np.inf]:
        raise too_unlikely(lost[0])
    return prepared


def too_unlikely(length: int) -> RunError:
    """What is raised where a word's weight is no ordinary number."""
    return RunError(f"words of length {length} are too unlikely for the tables to hold", reason="tables")


def prepare_shapes(shapes: list[TreeShape], flat: Structure, tilts: list[float], longest: int) -> Prepared:
    """As `prepare`, of shapes by head, with the tilt of each."""
    powers = np.array(tilts)
    alpha, seq = _inside(flat, powers, longest)
    nodes = NODES_PER_SYMBOL * longest + NODES_BESIDE
    # Two words for the shape, four for the member and then some (a rejected word has a chance of 2**-12 at
    # most), two for each child.
    need = 24 + 2 * max(len(shape.children) for shape in shapes)
    # What a node puts on the stack, in threes: its codes, or its children.
    room = 3 * max(len(s.children) + len(s.members[0]) for s in shapes)
    integers = [
        np.array(part, np.int64) for part in (flat.first, flat.slots, flat.chain, flat.head, flat.rest)
    ]
    first, slots, chain, head, rest = integers
    member, threshold, other, terminal, terminals = _members(shapes)
    child, children, component, part, codes = _yields(shapes)
    in_order = all(map(_keeps_order, shapes))
    tables = TreeTables(
        first, slots, np.array(flat.weight), chain, head, rest, alpha, seq, powers,
        member, threshold, other, terminal, terminals,
        child, children, component, part, codes, in_order, nodes, need, room,
    )  # fmt: skip
    return Prepared(tables, slots=AHEAD + need // 4 * 4, scratch=8 * nodes)


def _inside(flat: Structure, tilts: Any, longest: int) -> tuple[Any, Any]:
    floats = {"weight", "inverse", "unit_by", "empty"}
    arrays = Structure(
        *(
            np.array(part, np.float64 if name in floats else np.int64)
            for name, part in zip(Structure._fields, flat, strict=True)
        )
    )
    alpha, seq = np.zeros((len(flat.empty), longest + 1)), np.zeros((len(flat.head), longest + 1))
    compiled_inside(arrays, tilts, alpha, seq, np.zeros(len(seq)), np.zeros(len(alpha)), 0.0)
    return alpha, seq


def _members(shapes: list[TreeShape]) -> tuple[Any, Any, Any, Any, Any]:
    """Where each shape's members begin, their alias tables, where their terminals begin, the terminals."""
    tables = [pair for shape in shapes for pair in alias(shape.weights)]
    offsets = np.concatenate([np.arange(len(shape.members)) * len(shape.members[0]) for shape in shapes])
    sizes = np.cumsum([0, *(len(shape.members) * len(shape.members[0]) for shape in shapes)])
    begins = np.repeat(sizes[:-1], [len(shape.members) for shape in shapes]) + offsets
    flat = [terminal for shape in shapes for member in shape.members for terminal in member]
    return (
        np.cumsum([0, *(len(shape.members) for shape in shapes)]),
        np.array([threshold for threshold, _ in tables], np.uint64),
        np.array([other for _, other in tables], np.int64),
        begins.astype(np.int64),
        np.array(flat or [0], np.int64),
    )


def _yields(shapes: list[TreeShape]) -> tuple[Any, Any, Any, Any, Any]:
    """Children of each shape; components of each shape, codes of each component."""
    components = [codes for shape in shapes for codes in shape.yields]
    return (
        np.cumsum([0, *(len(shape.children) for shape in shapes)]),
        np.array([child for shape in shapes for child in shape.children] or [0], np.int64),
        np.cumsum([0, *(len(shape.yields) for shape in shapes)]),
        np.cumsum([0, *(len(codes) for codes in components)]),
        np.array([code for codes in components for code in codes] or [0], np.int64),
    )


def _keeps_order(shape: TreeShape) -> bool:
    """Whether one pass from left to right can write it: one component, the children in their order."""
    found = [code for code in shape.yields[0] if code < 0]
    return len(shape.yields) == 1 and found == [-1 - FANOUT * i for i in range(len(shape.children))]


@sampler(TreeTables)
@kernel
def _word(tables, draws, scratch, out):
    write_tree(tables, 0, 0, draws, scratch, out)


@kernel
def write_tree(tables, start, read, draws, scratch, out):
    """A word that a nonterminal derives, by the stream behind its first `read` words; how many are read then.

    The whole buffer is used, the window of `next32` included.
    """
    read = _grow(tables, start, read, draws, scratch, out)
    if not tables.in_order:
        _write(tables, scratch, out)
    return read


@kernel
def _grow(tables, start, read, draws, scratch, out):
    """Draws the tree. Where yields keep their order it is written at once, else its nodes are kept.

    The stack holds triples: nonterminal (~id for a terminal to write), length, and the place in `numbers`
    where the node's own goes. Of a node is kept: its shape, where its terminals begin, where its children's
    numbers begin. All in one function: its parts share most of what they read and write.
    """
    first, slots, weight, chain = tables.first, tables.slots, tables.weight, tables.chain
    head, rest, alpha, seq, tilts = tables.head, tables.rest, tables.alpha, tables.seq, tables.tilts
    member, threshold, other = tables.member, tables.threshold, tables.other
    terminal, terminals, child, children = tables.terminal, tables.terminals, tables.child, tables.children
    component, part, codes = tables.component, tables.part, tables.codes
    buffer, at, need, size, in_order = draws.buffer, draws.at, tables.need, tables.nodes, tables.in_order
    room = tables.room
    shape, begins, kids = scratch[:size], scratch[size : 2 * size], scratch[2 * size : 3 * size]
    numbers, shares, stack = scratch[3 * size : 4 * size], scratch[4 * size : 5 * size], scratch[5 * size :]
    # Words of the stream lie ready in `buffer`, from block `block` on; `i` is the next.
    block, i = read // 4, read % 4
    blocks(at, block, buffer.size // 4, buffer)
    stack[0], stack[1], stack[2], top = start, out.size, 0, 3
    node, free, written = 0, 1, 0
    while top > 0:
        top -= 3
        a, n = stack[top], stack[top + 1]
        if a < 0:
            out[written] = ~a
            written += 1
            continue
        if top + room > stack.size or node == size:
            raise RuntimeError("a tree of this word is larger than there is room for")
        if i + need > buffer.size:
            block, i = block + i // 4, i % 4
            blocks(at, block, buffer.size // 4, buffer)
        # Which shape.
        g, last = first[a], first[a + 1]
        if last - g > 1:
            drawn = _unit(buffer[i], buffer[i + 1]) * alpha[a, n]
            i, total, found = i + 2, 0.0, g
            for g in range(found, last):
                if n >= slots[g]:
                    share = weight[g] * seq[chain[g], n - slots[g]] * tilts[g]
                    if share > 0:
                        found = g
                        total += share
                    if drawn < total:
                        break
            g = found
        # Which member.
        one, count = member[g], uint64(member[g + 1] - member[g])
        if count > 1:
            product, i = uint64(buffer[i]) * count, i + 1
            while (product & LOW) < count and (product & LOW) < (uint64(1) << S32) % count:
                product, i = uint64(buffer[i]) * count, i + 1
            place = int64(product >> S32)
            if other[one + place] != place:
                bound, high, i = threshold[one + place], uint64(buffer[i]), i + 1
                under = high < bound >> S32
                if high == bound >> S32:
                    under, i = uint64(buffer[i]) < bound & LOW, i + 1
                if not under:
                    place = other[one + place]
            one += place
        # How the children share the length: of each sequence, how much the first takes.
        q, left, count_children = chain[g], n - slots[g], 0
        while q != 0:
            r, taken = rest[q], left
            if r != 0:
                b = head[q]
                drawn = _unit(buffer[i], buffer[i + 1]) * seq[q, left]
                i, total, taken, low, high_end = i + 2, 0.0, 0, 0, left
                while low <= high_end:
                    share = alpha[b, low] * seq[r, left - low]
                    if share > 0:
                        taken = low
                        total += share
                    if drawn < total:
                        break
                    if high_end > low:
                        share = alpha[b, high_end] * seq[r, left - high_end]
                        if share > 0:
                            taken = high_end
                            total += share
                        if drawn < total:
                            break
                    low, high_end = low + 1, high_end - 1
            shares[count_children] = taken
            left, q, count_children = left - taken, r, count_children + 1
        # What is still to do: the codes of the one component, or the children.
        if in_order:
            only, c = component[g], count_children
            for code_at in range(part[only + 1] - 1, part[only] - 1, -1):
                if codes[code_at] >= 0:
                    stack[top] = ~terminals[terminal[one] + codes[code_at]]
                else:
                    c -= 1
                    stack[top], stack[top + 1] = children[child[g] + c], shares[c]
                top += 3
        else:
            numbers[stack[top + 2]] = node
            shape[node], begins[node], kids[node] = g, terminal[one], free
            for c in range(count_children - 1, -1, -1):
                stack[top], stack[top + 1], stack[top + 2] = children[child[g] + c], shares[c], free + c
                top += 3
            node, free = node + 1, free + count_children
    return 4 * block + i


@inlined
def _unit(high, low):
    """A multiple of 2**-53 on [0, 1), as `Stream.unit`."""
    return float((uint64(high) << S32 | uint64(low)) >> ELEVEN) * UNIT


@kernel
def _write(tables, scratch, out):
    """Component 0 of the root, with a stack of (node, component's next code, its last)."""
    component, part, codes, terminals = tables.component, tables.part, tables.codes, tables.terminals
    size = tables.nodes
    shape, begins, kids = scratch[:size], scratch[size : 2 * size], scratch[2 * size : 3 * size]
    numbers, stack = scratch[3 * size : 4 * size], scratch[4 * size : 7 * size]
    root = component[shape[0]]
    stack[0], stack[1], stack[2], top, written = 0, part[root], part[root + 1], 3, 0
    while top > 0:
        node, place, last = stack[top - 3], stack[top - 2], stack[top - 1]
        if place == last:
            top -= 3
            continue
        stack[top - 2] = place + 1
        code = codes[place]
        if code >= 0:
            out[written] = terminals[begins[node] + code]
            written += 1
            continue
        number = numbers[kids[node] + (-1 - code) // FANOUT]
        wanted = component[shape[number]] + (-1 - code) % FANOUT
        stack[top], stack[top + 1], stack[top + 2] = number, part[wanted], part[wanted + 1]
        top += 3
