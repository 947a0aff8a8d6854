"""Rows of tasks, as `procdsl.generate.task` says: draws, instructions and pieces as arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.groups import products
from procdsl.programs import TaskProgram
from procdsl.splits import empty_part
from procdsl.streams import ATTEMPTS
from runner.generators.address import Address
from runner.generators.compiling import kernel
from runner.generators.formulas import DEEPEST, OPERATORS, formula
from runner.generators.philox import (
    LOW,
    NEXT,
    S32,
    begin,
    below,
    below_from,
    new_draws,
    next32,
    redrawn,
    slots,
)
from runner.generators.splits import content
from runner.generators.task_words import rounds, words_of
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

KINDS = (
    *("uniform", "permutation", "weighted", "number", "mapping", "choice", "runs", "bag", "part"),
    *("among", "shuffle", "word"),
)
_WORD = KINDS.index("word")
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
        seen=np.zeros(program.symbols, np.bool_),
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
    derived = table.hashed.max() >= table.draws.shape[0]
    for b in range(ids.shape[0]):
        for attempt in range(attempts[0], attempts[1] if left[b] else 0):
            size, done = 0, 0
            for slot in range(table.draws.shape[0]):
                behind = table.draws[slot, 11]
                if behind > done:
                    run(table, registers, done, behind)
                    done = behind
                if table.draws[slot, 0] == _WORD:
                    _held(words, slot, b, registers)
                else:
                    begin(draws, key, start + b, attempt << 16 | slot)
                    _draw(table, draws, slot, pool, registers)
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
                prompt[size : size + word.size] = word
                prompt[size + word.size] = table.pad
                size += word.size + 1
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


@kernel
def _draw(table, draws, slot, pool, registers):
    """A random input into its register."""
    kind, first, count, begin_lengths, end_lengths = table.draws[slot, :5]
    memory, at = registers.memory, registers.first[slot]
    if kind == 5:
        memory[at] = _chosen(draws, table.draws[slot], value(registers, table.draws[slot, 9]))
        registers.length[slot] = 1
        return
    if kind == 8:
        of = value(registers, table.draws[slot, 9])
        registers.length[slot] = _part(draws, table.draws[slot], of, memory[at:])
        return
    if kind == 10:
        of = value(registers, table.draws[slot, 9])
        registers.length[slot] = copied(of, memory[at:])
        _shuffle(draws, memory[at : at + of.size])
        return
    place = begin_lengths
    if end_lengths - begin_lengths > 1:
        drawn = below(draws, table.edges[end_lengths - 1])
        while drawn >= table.edges[place]:
            place += 1
    length = table.lengths[place]
    registers.length[slot] = 2 * length if kind == 4 else length
    out, read = memory[at : at + length], draws.at[NEXT]
    if kind == 3:
        _number(draws, out)
        return
    if kind == 9:
        of = value(registers, table.draws[slot, 9])
        for t in range(length):
            out[t] = of[below(draws, of.size)]
        return
    if kind >= 6:
        _runs(draws, first, count, kind == 7, out)
        return
    slots(draws, read + length)
    words = draws.buffer[read : read + length]
    if kind == 0:
        _symbols(draws, words, first, count, out)
    elif kind == 2:
        thresholds = table.thresholds[table.draws[slot, 5] : table.draws[slot, 6]]
        for t in range(length):
            out[t] = first + np.searchsorted(thresholds, int64(words[t]), side="right")
    else:
        _choose(draws, words, first, pool[:count], out)
        if kind == 4:
            _valued(draws, table.draws[slot, 7], table.draws[slot, 8], memory[at : at + 2 * length])


@kernel
def _chosen(draws, draw, of):
    """A symbol of the word, or one of the pool that is not in it."""
    first, count, present = draw[1], draw[2], draw[10]
    if present == 2**32 or int64(next32(draws)) < present:
        return of[below(draws, of.size)]
    other = first + below(draws, count)
    while (of == other).any():
        other = first + below(draws, count)
    return other


@kernel
def _runs(draws, first, count, bag, out):
    """Runs of symbols, perhaps in any order."""
    n = out.size
    left = below(draws, n)
    out[0] = first + below(draws, count)
    for t in range(1, n):
        out[t] = out[t - 1]
        if left > 0 and below(draws, n - t) < left:
            left -= 1
            out[t] = first + below(draws, count)
    if bag:
        _shuffle(draws, out)


@kernel
def _shuffle(draws, word):
    for t in range(word.size - 1, 0, -1):
        other = below(draws, t + 1)
        word[t], word[other] = word[other], word[t]


@kernel
def _part(draws, draw, of, out):
    """Some of the word in one piece, or as many symbols of the pool that are nowhere in it; its length."""
    first, count, present = draw[1], draw[2], draw[10]
    size = 1 + below(draws, max(of.size // 2, 1))
    if present == 2**32 or int64(next32(draws)) < present:
        start = below(draws, of.size - size + 1)
        for t in range(size):
            out[t] = of[start + t]
        return size
    while True:
        for t in range(size):
            out[t] = first + below(draws, count)
        if not _within(of, out[:size]):
            return size


@kernel
def _within(word, part):
    """Whether a word stands in another in one piece."""
    for start in range(word.size - part.size + 1):
        same = 0
        while same < part.size and word[start + same] == part[same]:
            same += 1
        if same == part.size:
            return True
    return False


@kernel
def _number(draws, out):
    """Digits, the first not 0 unless it is alone."""
    out[0] = below(draws, 10) if out.size == 1 else 1 + below(draws, 9)
    for t in range(1, out.size):
        out[t] = below(draws, 10)


@kernel
def _valued(draws, first, count, out):
    """Keys at the head of a mapping, spread out, and a value behind each, drawn from the first on."""
    for t in range(out.size // 2 - 1, -1, -1):
        out[2 * t] = out[t]
    for t in range(out.size // 2):
        out[2 * t + 1] = first + below(draws, count)


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


@kernel
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
        registers.memory[at + count : at + count + word.size] = word
        registers.length[register] = count + word.size
        return
    place = at + room
    if count:
        held = registers.memory[at + count - 1]
        place = begins(held) + size_of(held)
    registers.memory[place : place + word.size] = word
    registers.memory[at + count] = handle(place, word.size)
    registers.length[register] = count + 1


@kernel
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
        for t in range(word.size):
            ids[at + t] = word[t] + shift
            scored[at + t] = counts
        for t in range(min(skip, word.size)):
            scored[at + t] = 0
        at += word.size
    ids[at:] = table.pad
    scored[at:] = 0
    if at < table.longest:
        scored[at] = 1
    scored[0] = 0
