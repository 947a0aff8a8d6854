"""Runs of machines, as `procdsl.generate.machine` says; answers and layout as those of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.errors import RunError
from procdsl.programs.base import Lengths
from procdsl.programs.machine import MachineProgram, Memory, Trace
from procdsl.programs.task import Draw, TaskProgram
from procdsl.splits import empty_part
from procdsl.streams import ATTEMPTS
from runner.generators.address import Address
from runner.generators.compiling import kernel
from runner.generators.formulas import DEEPEST, OPERATORS, formula
from runner.generators.philox import begin, below, new_draws
from runner.generators.splits import content
from runner.generators.task import run, tabled, write
from runner.generators.word_functions import Registers

KINDS = ("stack", "queue", "set", "counter", "register", "map")
DOES = ("push", "pop", "remove", "add", "set", "swap", "put", "pass")
_STACK, _QUEUE, _SET, _COUNTER, _REGISTER, _MAP = range(len(KINDS))
_PUSH, _POP, _REMOVE, _ADD, _ASSIGN, _SWAP, _PUT, _PASS = range(len(DOES))
_UNIT = 2.0**20
_STUCK = -(2**40)


class Machine(NamedTuple):
    """`moves`: token or -1, does, memory, amount, slices of `takes` and of `operands`; `guards`: slices of
    the guard and the weight in `operators` and `numbers`; `traces`: from and to which instruction, the
    register that is written or -1, and what ends it or -1.

    `takes`: first id, count, slices of the memories inside and outside in `members`. `answer` is the first
    instruction of what is done in the end.
    """

    kinds: Any
    rooms: Any
    moves: Any
    guards: Any
    traces: Any
    takes: Any
    members: Any
    operands: Any
    operators: Any
    numbers: Any
    lengths: Any
    edges: Any
    answer: int


class Held(NamedTuple):
    """What is remembered: how much of each memory, and how often each holds each symbol, a map as a key.

    `taken`: the symbols of the move that is done. `traced`: where traces stand. `stack`: of formulas.
    `weights`: of the moves; `counts`: of the symbols that each can take.
    """

    sizes: Any
    holds: Any
    taken: Any
    traced: Any
    stack: Any
    weights: Any
    counts: Any


def fill(program: MachineProgram, address: Address, ids: Any, scored: Any) -> None:
    """Rows from the address on. RunError where a part holds nothing, or a run comes to no end."""
    machine, table, first, groups = _prepared(program)
    registers = Registers(
        memory=np.empty(first[-1], np.int64),
        first=first.copy(),
        length=np.ones(len(first), np.int64),
        marks=np.zeros(program.symbols, np.int64),
        turn=np.zeros(len(first), np.int64),
        groups=groups,
    )
    held = Held(
        sizes=np.zeros(len(program.memories), np.int64),
        holds=np.zeros((len(program.memories), program.symbols), np.int64),
        taken=np.zeros(1 + max(len(move.takes) for move in program.moves), np.int64),
        traced=np.zeros(program.longest, np.bool_),
        stack=np.empty(DEEPEST),
        weights=np.zeros(len(program.moves), np.int64),
        counts=np.zeros(len(machine.takes), np.int64),
    )
    low, high = address.bounds(program.split)
    place = (address.key, address.start, address.spelt, low, high)
    failed = _fill(machine, table, new_draws(8), registers, held, place, ids, scored)
    if failed <= _STUCK:
        raise RunError(
            f"row {address.start + _STUCK - failed} of {address.name!r}: no instruction may be done",
            reason="stuck",
            help="give one that always may: a guard that is the contrary of another's",
        )
    if failed >= 0:
        raise empty_part(address.name, address.split, failed)


@lru_cache(maxsize=64)
def _prepared(program: MachineProgram) -> tuple[Machine, Any, Any, Any]:
    moves, guards, traces, takes = list[Any](), list[Any](), list[Any](), list[Any]()
    members, operands, formulas = list[int](), list[int](), list[tuple[str, float]]()
    for move in program.moves:
        token = -1 if move.token is None else move.token
        spans = _extended(operands, move.operands)
        moves.append((token, DOES.index(move.does), move.memory, move.amount, *spans))
        moves[-1] += (len(takes), len(takes) + len(move.takes))
        guards.append((*_extended(formulas, move.guard), *_extended(formulas, move.weight)))
        for taken in move.takes:
            asked = (*_extended(members, taken.inside), *_extended(members, taken.outside))
            takes.append((taken.first, taken.count, *asked))
        shown = move.trace or Trace(start=0, stop=0, word=0)
        ends = -1 if shown.ends is None else shown.ends
        traces.append((shown.start, shown.stop, shown.word if move.trace else -1, ends))
    machine = Machine(
        kinds=np.array([KINDS.index(memory.kind) for memory in program.memories]),
        rooms=np.array([memory.room for memory in program.memories]),
        moves=np.array(moves, np.int64),
        guards=np.array(guards, np.int64),
        traces=np.array(traces, np.int64),
        takes=np.array(takes, np.int64).reshape(-1, 6),
        members=np.array(members, np.int64),
        operands=np.array(operands, np.int64),
        operators=np.array([OPERATORS.index(operator) for operator, _ in formulas], np.int64),
        numbers=np.array([number for _, number in formulas], np.float64),
        lengths=np.array(program.steps.values, np.int64),
        edges=np.cumsum(np.array(program.steps.shares, np.int64)),
        answer=program.answer,
    )
    return machine, *_registers(program)


def _extended(all_: list[Any], some: Sequence[Any]) -> tuple[int, int]:
    """Where some stand, once they are behind all the others."""
    all_ += some
    return len(all_) - len(some), len(all_)


def _registers(program: MachineProgram) -> tuple[Any, Any, Any]:
    """The table of a task whose draws are the run, the memories and what a move took; where each begins."""
    one = Draw(kind="uniform", first=0, count=1, lengths=Lengths(values=(1,)))
    task = TaskProgram(
        symbols=program.symbols,
        draws=(one,) * (1 + len(program.memories) + program.slots),
        code=program.code,
        pieces=program.pieces,
        pad=program.pad,
        longest=program.longest,
    )
    table, first, groups = tabled(task)
    more = np.array([program.longest, *map(_room, program.memories)]) - 1
    first = first.copy()
    first[1 : 1 + more.size] += np.cumsum(more)
    first[1 + more.size :] += more.sum()
    return table, first, groups


def _room(memory: Memory) -> int:
    """How many ids a memory takes."""
    if memory.kind == "counter":
        return 1
    return memory.room * (2 if memory.kind == "map" else 1)


@kernel
def _fill(machine, table, draws, registers, held, place, ids, scored):
    """The index of the first row that cannot be had, or -1; under `_STUCK`, by its place, if it is stuck."""
    key, start, spelt, low, high = place
    first, length = registers.first, registers.length
    for b in range(ids.shape[0]):
        for attempt in range(ATTEMPTS):
            begin(draws, key, start + b, attempt << 16)
            if not _ran(machine, table, draws, registers, held):
                return _STUCK - b
            found = uint64(content(spelt, registers.memory[first[0] : first[0] + length[0]]))
            if low <= found <= high:
                break
        else:
            return start + b
        run(table, registers, machine.answer, table.code.shape[0])
        write(table, registers, ids[b], scored[b])
        for t in range(1, length[0]):
            scored[b, t] |= held.traced[t]
    return -1


@kernel
def _ran(machine, table, draws, registers, held):
    """A run into the first register, the memories into those behind; False if it is stuck."""
    memory, begins = registers.memory, registers.first[0]
    weights, counts, place = held.weights, held.counts, 0
    if machine.lengths.size > 1:
        drawn = below(draws, machine.edges[-1])
        while drawn >= machine.edges[place]:
            place += 1
    steps, size = machine.lengths[place], 0
    held.holds[:] = 0
    held.sizes[:] = 0
    for t in range(steps):
        total = 0
        for m in range(weights.size):
            weights[m] = _weight(machine, m, t, steps, held, counts)
            total += weights[m]
        if total == 0:
            return False
        drawn, m = below(draws, total), 0
        while drawn >= weights[m]:
            drawn -= weights[m]
            m += 1
        before = size
        if machine.moves[m, 0] >= 0:
            memory[begins + size] = machine.moves[m, 0]
            size += 1
        for taken in range(machine.moves[m, 6], machine.moves[m, 7]):
            drawn = below(draws, counts[taken])
            symbol = _fitting(machine.takes[taken], machine.members, held.holds, drawn)[0]
            held.taken[taken - machine.moves[m, 6]] = symbol
            memory[begins + size] = symbol
            size += 1
        held.traced[before:size] = False
        _do(machine, m, registers, held)
        if machine.traces[m, 2] >= 0:
            size = _trace(machine, table, m, registers, held, size)
    registers.length[0] = size
    _settle(machine, registers, held.sizes)
    return True


@kernel
def _trace(machine, table, m, registers, held, size):
    """Writes what a move shows behind the run; how long that is by then."""
    start, stop, register, ends = machine.traces[m]
    memory, first = registers.memory, registers.first
    _settle(machine, registers, held.sizes)
    for slot in range(machine.moves[m, 7] - machine.moves[m, 6]):
        memory[first[1 + held.sizes.size + slot]] = held.taken[slot]
    run(table, registers, start, stop)
    begins = size
    for t in range(registers.length[register]):
        memory[first[0] + size] = memory[first[register] + t]
        size += 1
    if ends >= 0:
        memory[first[0] + size] = ends
        size += 1
    held.traced[begins:size] = True
    return size


@kernel
def _settle(machine, registers, sizes):
    """Makes words of the memories, for instructions to read."""
    for j in range(sizes.size):
        kind = machine.kinds[j]
        if kind == _COUNTER:
            registers.memory[registers.first[1 + j]], registers.length[1 + j] = sizes[j], 1
        else:
            registers.length[1 + j] = sizes[j] * (2 if kind == _MAP else 1)


@kernel
def _weight(machine, m, t, steps, held, counts):
    """The weight of a move, 0 if it may not be done; how many symbols it can take, into `counts`."""
    moves, operators, numbers, sizes, stack = (
        machine.moves,
        machine.operators,
        machine.numbers,
        held.sizes,
        held.stack,
    )
    if not _possible(moves[m], machine.operands, machine.rooms, sizes):
        return 0
    guard = machine.guards[m]
    if formula(operators, numbers, guard[0], guard[1], t, steps, sizes, stack) == 0.0:
        return 0
    weight = int64(formula(operators, numbers, guard[2], guard[3], t, steps, sizes, stack) * _UNIT)
    if weight <= 0:
        return 0
    for taken in range(moves[m, 6], moves[m, 7]):
        counts[taken] = _fitting(machine.takes[taken], machine.members, held.holds, -1)[1]
        if counts[taken] == 0:
            return 0
    return weight


@kernel
def _possible(move, operands, rooms, sizes):
    for place in range(move[4], move[5]):
        if operands[place] < 0 and sizes[-1 - operands[place]] == 0:
            return False
    does, size = move[1], sizes[move[2]]
    if does == _PUSH:
        return size < rooms[move[2]]
    if does == _ADD:
        return 0 <= size + move[3] <= rooms[move[2]]
    return size > 0 or does in (_ASSIGN, _PUT, _PASS)


@kernel
def _fitting(rule, members, holds, place):
    """Of the symbols that a move can take the one at this place, and how many there are up to there."""
    first, count = rule[0], rule[1]
    if rule[2] == rule[5]:
        return first + place, count
    found = 0
    for symbol in range(first, first + count):
        fits = True
        for j in range(rule[2], rule[3]):
            fits &= holds[members[j], symbol] > 0
        for j in range(rule[4], rule[5]):
            fits &= holds[members[j], symbol] == 0
        if fits:
            if found == place:
                return symbol, found
            found += 1
    return -1, found


@kernel
def _do(machine, m, registers, held):
    does, j = machine.moves[m, 1], machine.moves[m, 2]
    sizes = held.sizes
    if does == _PASS:
        return
    if does == _ADD:
        sizes[j] += machine.moves[m, 3]
        return
    if does == _POP:
        first = registers.first[1 + j]
        _drop(machine, j, first if machine.kinds[j] == _QUEUE else first + sizes[j] - 1, registers, held)
        return
    operand = machine.operands[machine.moves[m, 4]]
    symbol = _read(operand, registers, held)
    if does == _PUSH:
        if machine.kinds[j] != _SET or held.holds[j, symbol] == 0:
            _append(machine, j, symbol, registers, held)
    elif does == _REMOVE:
        if held.holds[j, symbol] > 0:
            _drop(machine, j, _find(machine, j, symbol, registers), registers, held)
    elif does == _PUT:
        if held.holds[j, symbol] == 0:
            _append(machine, j, symbol, registers, held)
        value = _read(machine.operands[machine.moves[m, 4] + 1], registers, held)
        registers.memory[_find(machine, j, symbol, registers) + 1] = value
    else:
        other = registers.memory[registers.first[1 + j]]
        if sizes[j] > 0:
            _drop(machine, j, registers.first[1 + j], registers, held)
        _append(machine, j, symbol, registers, held)
        if does == _SWAP:
            _drop(machine, -1 - operand, registers.first[-operand], registers, held)
            _append(machine, -1 - operand, other, registers, held)


@kernel
def _read(operand, registers, held):
    """What an instruction is done with: a symbol that it took, or what a register holds."""
    return registers.memory[registers.first[-operand]] if operand < 0 else held.taken[operand]


@kernel
def _append(machine, j, symbol, registers, held):
    width = 2 if machine.kinds[j] == _MAP else 1
    registers.memory[registers.first[1 + j] + width * held.sizes[j]] = symbol
    held.holds[j, symbol] += 1
    held.sizes[j] += 1


@kernel
def _find(machine, j, symbol, registers):
    """Where in the registers' memory the symbol, of a map the key, stands first."""
    width, at = 2 if machine.kinds[j] == _MAP else 1, registers.first[1 + j]
    while registers.memory[at] != symbol:
        at += width
    return at


@kernel
def _drop(machine, j, at, registers, held):
    """Takes out what stands there; of a map a key and its value."""
    width, memory = 2 if machine.kinds[j] == _MAP else 1, registers.memory
    held.sizes[j] -= 1
    held.holds[j, memory[at]] -= 1
    for behind in range(at, registers.first[1 + j] + width * held.sizes[j]):
        memory[behind] = memory[behind + width]
