"""Rows of tasks, as `procdsl.generate.task` says: draws, instructions and pieces as arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.groups import products
from procdsl.programs.task import TaskProgram
from procdsl.splits import empty_part
from procdsl.streams import ATTEMPTS
from runner.generators.address import Address
from runner.generators.compiling import allocating, kernel, merged
from runner.generators.formulas import DEEPEST, OPERATORS, formula
from runner.generators.philox import begin, new_draws
from runner.generators.splits import content
from runner.generators.task_draws import KINDS, WORD, draw_input
from runner.generators.task_words import rounds, words_of
from runner.generators.word_comparisons import largest
from runner.generators.word_functions import (
    LOOPS,
    NAMES,
    Registers,
    apply,
    begins,
    copied,
    handle,
    size_of,
    value,
)

_LOOPS, _FORMULA = len(NAMES), len(NAMES) + len(LOOPS)


class Table(NamedTuple):
    """`draws`: kind, first id, count, its slice of `lengths` and `edges` (cumulated shares), its slice of
    `thresholds`, first and count of values, the register chosen from, how often, what runs before.

    `code`: function, number, its slice of `arguments`, room, where its group begins; of a formula, instead of
    the last two, its slice of `operators` and `numbers`. `pieces`: token or -1, register, scored, shift,
    skip. `hashed`: registers, some behind all draws or none. Prompts for which register `where`, if that is
    one, holds 0 are drawn again. Rows shorter than `longest` have their first padding scored.
    """

    draws: Any
    lengths: Any
    edges: Any
    thresholds: Any
    code: Any
    arguments: Any
    operators: Any
    numbers: Any
    pieces: Any
    hashed: Any
    where: int
    pad: int
    longest: int


def fill(program: TaskProgram, address: Address, ids: Any, scored: Any) -> None:
    """Rows from the address on. RunError where a part holds nothing that can be found."""
    table, first, groups = tabled(program)
    registers = Registers(
        memory=np.empty(first[-1], np.int64),
        # Loops move the first of what they go through.
        first=first.copy(),
        length=np.zeros(len(first), np.int64),
        marks=np.zeros(program.symbols, np.int64),
        turn=np.zeros(len(first), np.int64),
        groups=groups,
    )
    low, high = address.bounds(program.split)
    place = (address.key, address.start, address.spelt, low, high)
    pool = np.empty(max(draw.count for draw in program.draws), np.int64)
    longest = max(draw.lengths.values[-1] for draw in program.draws)
    prompt = np.empty(first[-1] + len(program.prompt), np.int64)
    left, words = np.ones(len(ids), np.bool_), words_of(program, len(ids))
    draws, held = new_draws(longest + 8), words.held
    for attempts in rounds(words):
        if words.drawn:
            words.draw(address, attempts[0], left)
        _fill(table, draws, registers, pool, prompt, place, held, attempts, left, ids, scored)
        if not left.any():
            return
    raise empty_part(address.name, address.split, address.start + int(left.argmax()))


@lru_cache(maxsize=64)
def tabled(program: TaskProgram) -> tuple[Table, Any, Any]:
    """The program as arrays, where each register begins, and the products of its groups."""
    draws, lengths, edges, thresholds = list[Any](), list[int](), list[int](), list[int]()
    for draw in program.draws:
        span = (len(lengths), len(lengths) + len(draw.lengths.values))
        under = (len(thresholds), len(thresholds) + len(draw.thresholds))
        source = (*draw.values, draw.of, draw.present, draw.after)
        draws.append((KINDS.index(draw.kind), draw.first, draw.count, *span, *under, *source))
        lengths += draw.lengths.values
        edges += np.cumsum(draw.lengths.shares).tolist()
        thresholds += draw.thresholds
    groups = _Groups()
    code, arguments, formulas = list[Any](), list[int](), list[tuple[str, float]]()
    for one in program.code:
        span = (len(arguments), len(arguments) + len(one.arguments))
        function = (*NAMES, *LOOPS, "formula").index(one.function)
        last = (one.room, groups.place(one.group))
        if function == _FORMULA:
            last = (len(formulas), len(formulas) + len(one.formula))
        code.append((function, one.number, *span, *last))
        arguments += one.arguments
        formulas += one.formula
    pieces = [
        (-1 if p.token is None else p.token, -1 if p.word is None else p.word, p.scored, p.shift, p.skip)
        for p in program.pieces
    ]
    drawn = [d.lengths.values[-1] * (2 if d.kind == "mapping" else 1) for d in program.draws]
    table = Table(
        draws=np.array(draws, np.int64),
        lengths=np.array(lengths, np.int64),
        edges=np.array(edges, np.int64),
        thresholds=np.array(thresholds, np.int64),
        code=np.array(code, np.int64).reshape(-1, 6),
        arguments=np.array(arguments, np.int64),
        operators=np.array([OPERATORS.index(operator) for operator, _ in formulas], np.int64),
        numbers=np.array([number for _, number in formulas], np.float64),
        pieces=np.array(pieces, np.int64),
        hashed=np.array(program.prompt, np.int64),
        where=-1 if program.where is None else program.where,
        pad=program.pad,
        longest=program.longest if program.scores_pad else 0,
    )
    first = np.cumsum([0, *drawn, *(one.longest for one in program.code)])
    # One place more: a value that is always empty still has somewhere to be written.
    first[-1] += 1
    return table, first, np.array(groups.memory, np.int64)


class _Groups:
    """Tables of products behind one another, each behind the number of its elements."""

    def __init__(self) -> None:
        self.memory, self.places = [0], dict[str, int]()

    def place(self, name: str) -> int:
        """Where a group's table begins."""
        if name and name not in self.places:
            self.places[name] = len(self.memory)
            rows = products(name)
            self.memory += [len(rows), *(product for row in rows for product in row)]
        return self.places.get(name, 0)


@kernel
def _fill(table, draws, registers, pool, prompt, place, words, attempts, left, ids, scored):
    """Rows that are `left`, as far as one of these attempts gives them; stops where there are no more."""
    key, start, spelt, low, high = place
    whole = table.code.shape[0]
    derived = largest(table.hashed) >= table.draws.shape[0]
    for b in range(ids.shape[0]):
        for attempt in range(attempts[0], attempts[1] if left[b] else 0):
            size, done = 0, 0
            for slot in range(table.draws.shape[0]):
                behind = table.draws[slot, 11]
                if behind > done:
                    run(table, registers, done, behind)
                    done = behind
                if table.draws[slot, 0] == WORD:
                    _held(words, slot, b, registers)
                else:
                    begin(draws, key, start + b, attempt << 16 | slot)
                    draw_input(table, draws, slot, pool, registers)
            if table.where >= 0:
                judged = table.where - table.draws.shape[0] + 1
                run(table, registers, done, judged)
                done = judged
                if value(registers, table.where)[0] == 0:
                    continue
            if derived:
                run(table, registers, done, whole)
                done = whole
            for register in table.hashed:
                word = value(registers, register)
                size += copied(word, prompt[size:])
                prompt[size] = table.pad
                size += 1
            found = uint64(content(spelt, prompt[:size]))
            if low <= found <= high:
                run(table, registers, done, whole)
                write(table, registers, ids[b], scored[b])
                left[b] = False
                break
        if left[b] and attempts[1] == ATTEMPTS:
            return


@kernel
def _held(words, slot, b, registers):
    """The word that was drawn for this input of this row into its register."""
    which, at = words.of[slot], registers.first[slot]
    size = words.sizes[which, b]
    for t in range(size):
        registers.memory[at + t] = words.symbols[which, b, t]
    registers.length[slot] = size


@merged
def run(table, registers, start, stop):
    """Instructions start .. stop - 1, each into the register after those before it."""
    first, length, inputs = registers.first, registers.length, table.draws.shape[0]
    j = start
    while j < stop:
        function, number, begin_arguments, end_arguments, room, group = table.code[j]
        register, arguments = inputs + j, table.arguments[begin_arguments:end_arguments]
        if function < _LOOPS:
            length[register] = apply(function, number, group, registers, arguments, first[register])
        elif function == _FORMULA:
            registers.memory[first[register]] = _formula(table, registers, arguments, room, group)
            length[register] = 1
        elif function < _LOOPS + 2:
            length[number], registers.turn[register] = 0, 0
            if length[arguments[0]] == 0:
                j = number - inputs
            else:
                _item(registers, register, arguments[0], function == _LOOPS)
        else:
            _collect(registers, register, arguments[0], room, function == _LOOPS + 2)
            registers.turn[number] += 1
            if registers.turn[number] < length[arguments[1]]:
                _item(registers, number, arguments[1], table.code[number - inputs, 0] == _LOOPS)
                j = number - inputs
        j += 1


@allocating
def _formula(table, registers, arguments, first, last):
    """The whole number that a formula comes to."""
    sizes, stack = np.empty(arguments.size, np.int64), np.empty(DEEPEST)
    for j in range(arguments.size):
        sizes[j] = value(registers, arguments[j])[0]
    return int64(formula(table.operators, table.numbers, first, last, 0, 0, sizes, stack))


@kernel
def _item(registers, register, source, words):
    """Makes a loop's register stand for the next of what it goes through."""
    at = registers.first[source] + registers.turn[register]
    if words:
        held = registers.memory[at]
        registers.first[register], registers.length[register] = begins(held), size_of(held)
    else:
        registers.first[register], registers.length[register] = at, 1


@kernel
def _collect(registers, register, result, room, words):
    """Appends a loop's value: a word behind the handles and the words before it, or the symbols of one."""
    word, at, count = value(registers, result), registers.first[register], registers.length[register]
    if not words:
        registers.length[register] = count + copied(word, registers.memory[at + count :])
        return
    place = at + room
    if count:
        held = registers.memory[at + count - 1]
        place = begins(held) + size_of(held)
    registers.memory[at + count] = handle(place, copied(word, registers.memory[place:]))
    registers.length[register] = count + 1


@merged
def write(table, registers, ids, scored):
    """The pieces, then padding."""
    at = 0
    for j in range(table.pieces.shape[0]):
        token, register, counts, shift, skip = table.pieces[j]
        if token >= 0:
            ids[at], scored[at] = token, counts
            at += 1
            continue
        word = value(registers, register)
        part, flags = ids[at : at + word.size], scored[at : at + word.size]
        for t in range(word.size):
            part[t] = word[t] + shift
        flags[:] = counts
        flags[: min(skip, word.size)] = 0
        at += word.size
    ids[at:] = table.pad
    scored[at:] = 0
    if at < table.longest:
        scored[at] = 1
    scored[0] = 0
