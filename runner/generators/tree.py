"""The trees of `procdsl.generate.tree`, grown and written in one pass where yields keep their order.

Tables are the doubles of `procdsl.trees`, computed by the same routine under numba: no fused or reordered
arithmetic, so every comparison falls as it does in the reference.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.programs import TreeProgram, TreeShape
from procdsl.tables import alias
from procdsl.trees import FANOUT, Structure, inside, structure, tilt, tilts
from runner.generators.compiling import inlined, kernel
from runner.generators.philox import BEHIND, FIRST, LOW, NEXT, S32, WINDOW, redrawn, refill
from runner.generators.rows import Prepared, sampler

# Nodes a word may have: rules without terminals add some, chains of them ever fewer with their number.
NODES_PER_SYMBOL, NODES_BESIDE = 24, 4096
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


def prepare(program: TreeProgram) -> Prepared:
    """The tables up to the longest word: O(S N²) time and O((K + S) N) memory."""
    longest = program.lengths.values[-1]
    flat = structure(program)
    alpha, seq, powers = _inside(flat, tilt(program), longest)
    shapes = sorted(program.shapes, key=lambda shape: shape.head)
    nodes = NODES_PER_SYMBOL * longest + NODES_BESIDE
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
        child, children, component, part, codes, in_order, nodes,
    )  # fmt: skip
    return Prepared(tables, slots=0, scratch=8 * nodes)


def _inside(flat: Structure, step: float, longest: int) -> tuple[Any, Any, Any]:
    floats = {"weight", "inverse", "unit_by", "empty"}
    arrays = Structure(
        *(
            np.array(part, np.float64 if name in floats else np.int64)
            for name, part in zip(Structure._fields, flat, strict=True)
        )
    )
    alpha, seq = np.zeros((len(flat.empty), longest + 1)), np.zeros((len(flat.head), longest + 1))
    powers = np.array(tilts(step, flat.slots))
    compiled_inside(arrays, powers, alpha, seq, np.zeros(len(seq)), np.zeros(len(alpha)), 0.0)
    return alpha, seq, powers


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
    if tables.in_order:
        _grow_and_write(tables, draws, scratch, out)
    else:
        _grow(tables, draws, scratch, out.size)
        _write(tables, scratch, out)


# What follows takes arrays one by one: reaching into a tuple of arrays counts references, with a lock.


@inlined
def _next(buffer, at, draws):
    """`next32`, with the stream's two arrays in hand."""
    here = at[NEXT]
    if here >= at[BEHIND] or here < at[FIRST]:
        refill(draws, here)
    at[NEXT] = here + 1
    return uint64(buffer[buffer.size - WINDOW + here - at[FIRST]])


@inlined
def _unit(buffer, at, draws):
    high = _next(buffer, at, draws)
    return float((high << S32 | _next(buffer, at, draws)) >> ELEVEN) * UNIT


@inlined
def _shape(first, slots, weight, chain, seq, tilts, alpha, a, n, buffer, at, draws):
    begin, end = first[a], first[a + 1]
    found = begin
    if end - begin > 1:
        drawn, total, found = _unit(buffer, at, draws) * alpha[a, n], 0.0, -1
        for g in range(begin, end):
            m = n - slots[g]
            if m >= 0:
                share = weight[g] * seq[chain[g], m] * tilts[slots[g]]
                if share > 0:
                    found = g
                    total += share
                if drawn < total:
                    break
    return found


@inlined
def _member(member, threshold, other, g, buffer, at, draws):
    begin, count = member[g], uint64(member[g + 1] - member[g])
    found = begin
    if count > 1:
        product = _next(buffer, at, draws) * count
        if (product & LOW) < count:
            product = redrawn(draws, count, product)
        found = begin + int64(product >> S32)
        gives_way = begin + other[found]
        if gives_way != found:
            drawn, bound = _next(buffer, at, draws), threshold[found]
            under = drawn < bound >> S32
            if drawn == bound >> S32:
                under = _next(buffer, at, draws) < bound & LOW
            if not under:
                found = gives_way
    return found


@inlined
def _split(alpha, seq, head, rest, sequence, length, buffer, at, draws):
    """How much of the length the first child of a sequence takes; the ends are tried before the middle."""
    a, r = head[sequence], rest[sequence]
    drawn, total, found = _unit(buffer, at, draws) * seq[sequence, length], 0.0, 0
    low, high = 0, length
    while low <= high:
        share = alpha[a, low] * seq[r, length - low]
        if share > 0:
            found = low
            total += share
        if drawn < total:
            break
        if high > low:
            share = alpha[a, high] * seq[r, length - high]
            if share > 0:
                found = high
                total += share
            if drawn < total:
                break
        low, high = low + 1, high - 1
    return found


@inlined
def _share_out(alpha, seq, head, rest, sequence, left, shares, buffer, at, draws):
    """The lengths of a sequence's children into `shares`; how many there are."""
    count = 0
    while sequence != 0:
        taken = left
        if rest[sequence] != 0:
            taken = _split(alpha, seq, head, rest, sequence, left, buffer, at, draws)
        shares[count] = taken
        left, sequence, count = left - taken, rest[sequence], count + 1
    return count


@kernel
def _grow_and_write(tables, draws, scratch, out):
    """Two stacks: codes still to write (terminals as ~id), and the lengths of nonterminals."""
    first, slots, weight, chain = tables.first, tables.slots, tables.weight, tables.chain
    head, rest, alpha, seq, tilts = tables.head, tables.rest, tables.alpha, tables.seq, tables.tilts
    member, threshold, other = tables.member, tables.threshold, tables.other
    terminal, terminals, child, children = tables.terminal, tables.terminals, tables.child, tables.children
    component, part, codes = tables.component, tables.part, tables.codes
    buffer, at = draws.buffer, draws.at
    symbols, lengths = scratch[: tables.nodes], scratch[tables.nodes : 2 * tables.nodes]
    shares = scratch[2 * tables.nodes :]
    symbols[0], lengths[0], top, written = 0, out.size, 0, 0
    while top >= 0:
        a, n = symbols[top], lengths[top]
        top -= 1
        if a < 0:
            out[written] = ~a
            written += 1
            continue
        g = _shape(first, slots, weight, chain, seq, tilts, alpha, a, n, buffer, at, draws)
        begins = terminal[_member(member, threshold, other, g, buffer, at, draws)]
        count = _share_out(alpha, seq, head, rest, chain[g], n - slots[g], shares, buffer, at, draws)
        only = component[g]
        for c in range(part[only + 1] - 1, part[only] - 1, -1):
            code = codes[c]
            top += 1
            if code >= 0:
                symbols[top] = ~terminals[begins + code]
            else:
                count -= 1
                symbols[top], lengths[top] = children[child[g] + count], shares[count]


@kernel
def _grow(tables, draws, scratch, length):
    """Nodes as they are drawn: shape, where its terminals begin, where its children's numbers begin."""
    first, slots, weight, chain = tables.first, tables.slots, tables.weight, tables.chain
    head, rest, alpha, seq, tilts = tables.head, tables.rest, tables.alpha, tables.seq, tables.tilts
    member, threshold, other = tables.member, tables.threshold, tables.other
    terminal, child, children, size = tables.terminal, tables.child, tables.children, tables.nodes
    buffer, at = draws.buffer, draws.at
    shape, begins, kids = scratch[:size], scratch[size : 2 * size], scratch[2 * size : 3 * size]
    numbers, stack, shares = scratch[3 * size : 4 * size], scratch[4 * size : 7 * size], scratch[7 * size :]
    # The stack holds triples: nonterminal, length, and the place in `numbers` where the node's own goes.
    stack[0], stack[1], stack[2], top = 0, length, 0, 3
    node, free = 0, 1
    while top > 0:
        a, n, place = stack[top - 3], stack[top - 2], stack[top - 1]
        top -= 3
        g = _shape(first, slots, weight, chain, seq, tilts, alpha, a, n, buffer, at, draws)
        numbers[place] = node
        shape[node], kids[node] = g, free
        begins[node] = terminal[_member(member, threshold, other, g, buffer, at, draws)]
        count = _share_out(alpha, seq, head, rest, chain[g], n - slots[g], shares, buffer, at, draws)
        for i in range(count - 1, -1, -1):
            stack[top], stack[top + 1], stack[top + 2] = children[child[g] + i], shares[i], free + i
            top += 3
        node, free = node + 1, free + count


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
