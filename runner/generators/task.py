"""Rows of tasks, as `procdsl.generate.task` says: draws, instructions and pieces as arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.programs import TaskProgram
from procdsl.splits import empty_part
from procdsl.streams import ATTEMPTS
from runner.generators.address import Address
from runner.generators.compiling import kernel
from runner.generators.philox import LOW, NEXT, S32, begin, below, below_from, new_draws, redrawn, slots
from runner.generators.splits import content
from runner.generators.word_functions import NAMES, Registers, apply, value


class Table(NamedTuple):
    """`draws`: kind, first id, count, its slice of `lengths` and `edges` (cumulated shares).

    `code`: function, number, its slice of `arguments`. `pieces`: token or -1, register, scored.
    """

    draws: Any
    lengths: Any
    edges: Any
    code: Any
    arguments: Any
    pieces: Any
    pad: int


def fill(program: TaskProgram, address: Address, ids: Any, scored: Any) -> None:
    """Rows from the address on. RunError where a part holds nothing that can be found."""
    table, first = _table(program)
    registers = Registers(
        np.empty(first[-1], np.int64),
        first,
        np.zeros(len(first), np.int64),
        np.zeros(program.symbols, np.bool_),
    )
    low, high = address.bounds(program.split)
    place = (address.key, address.start, address.spelt, low, high)
    pool = np.empty(max(draw.count for draw in program.draws), np.int64)
    longest = max(draw.lengths.values[-1] for draw in program.draws)
    prompt = np.empty(first[-1] + len(program.draws), np.int64)
    failed = _fill(table, new_draws(longest + 8), registers, pool, prompt, place, ids, scored)
    if failed >= 0:
        raise empty_part(address.name, address.split, failed)


@lru_cache(maxsize=64)
def _table(program: TaskProgram) -> tuple[Table, Any]:
    """The program as arrays, and where each register begins."""
    draws, lengths, edges = list[Any](), list[int](), list[int]()
    for draw in program.draws:
        span = (len(lengths), len(lengths) + len(draw.lengths.values))
        draws.append((draw.kind == "permutation", draw.first, draw.count, *span))
        lengths += draw.lengths.values
        edges += np.cumsum(draw.lengths.shares).tolist()
    code, arguments = list[Any](), list[int]()
    for one in program.code:
        span = (len(arguments), len(arguments) + len(one.arguments))
        code.append((NAMES.index(one.function), one.number, *span))
        arguments += one.arguments
    pieces = [
        (-1 if p.token is None else p.token, -1 if p.word is None else p.word, p.scored)
        for p in program.pieces
    ]
    longest = [d.lengths.values[-1] for d in program.draws] + [one.longest for one in program.code]
    table = Table(
        draws=np.array(draws, np.int64),
        lengths=np.array(lengths, np.int64),
        edges=np.array(edges, np.int64),
        code=np.array(code, np.int64),
        arguments=np.array(arguments, np.int64),
        pieces=np.array(pieces, np.int64),
        pad=program.pad,
    )
    return table, np.cumsum([0, *longest])


@kernel
def _fill(table, draws, registers, pool, prompt, place, ids, scored):
    """The index of the first row that cannot be had, or -1."""
    key, start, spelt, low, high = place
    for b in range(ids.shape[0]):
        for attempt in range(ATTEMPTS):
            size = 0
            for slot in range(table.draws.shape[0]):
                begin(draws, key, start + b, attempt << 16 | slot)
                _draw(table, draws, slot, pool, registers)
                word = value(registers, slot)
                prompt[size : size + word.size] = word
                prompt[size + word.size] = table.pad
                size += word.size + 1
            found = uint64(content(spelt, prompt[:size]))
            if low <= found <= high:
                break
        else:
            return start + b
        _run(table, registers)
        _write(table, registers, ids[b], scored[b])
    return -1


@kernel
def _draw(table, draws, slot, pool, registers):
    """A random input into its register."""
    permutes, first, count, begins, ends = table.draws[slot]
    place = begins
    if ends - begins > 1:
        drawn = below(draws, table.edges[ends - 1])
        while drawn >= table.edges[place]:
            place += 1
    length = table.lengths[place]
    registers.length[slot] = length
    out, read = value(registers, slot), draws.at[NEXT]
    slots(draws, read + length)
    words = draws.buffer[read : read + length]
    if permutes:
        _choose(draws, words, first, pool[:count], out)
    else:
        _symbols(draws, words, first, count, out)


@kernel
def _symbols(draws, words, first, count, out):
    for t in range(out.size):
        product = uint64(words[t]) * uint64(count)
        if (product & LOW) < uint64(count):
            product = redrawn(draws, uint64(count), product)
        out[t] = first + int64(product >> S32)


@kernel
def _choose(draws, words, first, pool, out):
    """Different symbols, by the beginning of a Fisher and Yates shuffle."""
    for id in range(pool.size):
        pool[id] = first + id
    for t in range(out.size):
        other = t + below_from(draws, pool.size - t, words[t])
        pool[t], pool[other] = pool[other], pool[t]
        out[t] = pool[t]


@kernel
def _run(table, registers):
    """Every instruction into the register after those before it."""
    for j in range(table.code.shape[0]):
        function, number, begins, ends = table.code[j]
        register = table.draws.shape[0] + j
        out = registers.memory[registers.first[register] :]
        arguments = table.arguments[begins:ends]
        registers.length[register] = apply(function, number, registers, arguments, out)


@kernel
def _write(table, registers, ids, scored):
    """The pieces, then padding."""
    at = 0
    for j in range(table.pieces.shape[0]):
        token, register, counts = table.pieces[j]
        if token >= 0:
            ids[at], scored[at] = token, counts
            at += 1
            continue
        word = value(registers, register)
        ids[at : at + word.size] = word
        scored[at : at + word.size] = counts
        at += word.size
    ids[at:] = table.pad
    scored[at:] = 0
    scored[0] = 0
