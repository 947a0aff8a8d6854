"""Runs of machines, as `procdsl.generate.machine` says; answers and layout as those of tasks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl.errors import RunError
from procdsl.programs import Draw, Lengths, MachineProgram, TaskProgram
from procdsl.splits import empty_part
from procdsl.streams import ATTEMPTS
from runner.generators.address import Address
from runner.generators.compiling import kernel
from runner.generators.philox import begin, below, new_draws
from runner.generators.splits import content
from runner.generators.task import run, tabled, write
from runner.generators.word_functions import Registers

OPERATORS = (
    *("number", "t", "T", "size", "not", "if", "or", "and", "<", "<=", ">", ">=", "==", "!=", "+", "-", "*"),
    *("//", "%"),
)
KINDS = ("stack", "queue", "set", "counter")
DOES = ("push", "pop", "remove", "add")
_DEEPEST = 64
_UNIT = 2.0**20
_STUCK = -(2**40)


class Machine(NamedTuple):
    """`moves`: token or -1, first id, count, does, memory, amount; `rules`: by move, slices of `inside`,
    `outside`, guard and weight in `members` and `formulas`.
    """

    kinds: Any
    rooms: Any
    moves: Any
    rules: Any
    members: Any
    operators: Any
    numbers: Any
    lengths: Any
    edges: Any
    symbols: int


def fill(program: MachineProgram, address: Address, ids: Any, scored: Any) -> None:
    """Rows from the address on. RunError where a part holds nothing, or a run comes to no end."""
    machine, table, first, groups = _prepared(program)
    registers = Registers(
        memory=np.empty(first[-1], np.int64),
        first=first.copy(),
        length=np.zeros(len(first), np.int64),
        seen=np.zeros(program.symbols, np.bool_),
        turn=np.zeros(len(first), np.int64),
        groups=groups,
    )
    low, high = address.bounds(program.split)
    place = (address.key, address.start, address.spelt, low, high)
    # How often each memory holds each symbol.
    holds = np.zeros((len(program.memories), program.symbols), np.int64)
    failed = _fill(machine, table, new_draws(8), registers, holds, place, ids, scored)
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
    moves, rules, members = list[Any](), list[Any](), list[int]()
    operators, numbers = list[int](), list[float]()
    for move in program.moves:
        token = -1 if move.token is None else move.token
        moves.append((token, move.first, move.count, DOES.index(move.does), move.memory, move.amount))
        spans = list[int]()
        for some in (move.inside, move.outside):
            spans += [len(members), len(members) + len(some)]
            members += some
        for formula in (move.guard, move.weight):
            spans += [len(operators), len(operators) + len(formula)]
            operators += [OPERATORS.index(operator) for operator, _ in formula]
            numbers += [number for _, number in formula]
        rules.append(spans)
    machine = Machine(
        kinds=np.array([KINDS.index(memory.kind) for memory in program.memories]),
        rooms=np.array([memory.room for memory in program.memories]),
        moves=np.array(moves, np.int64),
        rules=np.array(rules, np.int64),
        members=np.array(members, np.int64),
        operators=np.array(operators, np.int64),
        numbers=np.array(numbers, np.float64),
        lengths=np.array(program.steps.values, np.int64),
        edges=np.cumsum(np.array(program.steps.shares, np.int64)),
        symbols=program.symbols,
    )
    table, first, groups = tabled(_as_task(program))
    return machine, table, first, groups


def _as_task(program: MachineProgram) -> TaskProgram:
    """A task whose draws are the run and the memories: its registers, instructions and layout are ours."""
    rooms = [2 * program.steps.values[-1], *(memory.room for memory in program.memories)]
    draws = [Draw(kind="uniform", first=0, count=1, lengths=Lengths(values=(room,))) for room in rooms]
    return TaskProgram(
        symbols=program.symbols,
        draws=tuple(draws),
        code=program.code,
        pieces=program.pieces,
        pad=program.pad,
        longest=program.longest,
    )


@kernel
def _fill(machine, table, draws, registers, holds, place, ids, scored):
    """The index of the first row that cannot be had, or -1; under `_STUCK`, by its place, if it is stuck."""
    key, start, spelt, low, high = place
    first, length = registers.first, registers.length
    weights = np.zeros(machine.moves.shape[0], np.int64)
    counts = np.zeros(machine.moves.shape[0], np.int64)
    sizes = np.zeros(machine.kinds.size, np.int64)
    for b in range(ids.shape[0]):
        for attempt in range(ATTEMPTS):
            begin(draws, key, start + b, attempt << 16)
            if not _ran(machine, draws, registers, holds, sizes, weights, counts):
                return _STUCK - b
            found = uint64(content(spelt, registers.memory[first[0] : first[0] + length[0]]))
            if low <= found <= high:
                break
        else:
            return start + b
        run(table, registers, 0, table.code.shape[0])
        write(table, registers, ids[b], scored[b])
    return -1


@kernel
def _ran(machine, draws, registers, holds, sizes, weights, counts):
    """A run into the first register, the memories into those behind; False if it is stuck."""
    memory, first, length = registers.memory, registers.first, registers.length
    place = 0
    if machine.lengths.size > 1:
        drawn = below(draws, machine.edges[-1])
        while drawn >= machine.edges[place]:
            place += 1
    steps, at = machine.lengths[place], first[0]
    holds[:] = 0
    sizes[:] = 0
    for t in range(steps):
        total = 0
        for m in range(weights.size):
            weights[m] = _weight(machine, m, t, steps, holds, sizes, counts)
            total += weights[m]
        if total == 0:
            return False
        drawn, m = below(draws, total), 0
        while drawn >= weights[m]:
            drawn -= weights[m]
            m += 1
        symbol = -1
        if machine.moves[m, 0] >= 0:
            memory[at] = machine.moves[m, 0]
            at += 1
        if machine.moves[m, 2] > 0:
            symbol = _symbol(machine, m, holds, below(draws, counts[m]))
            memory[at] = symbol
            at += 1
        _do(machine, m, symbol, registers, holds, sizes)
    length[0] = at - first[0]
    for j in range(sizes.size):
        if machine.kinds[j] == 3:
            memory[first[1 + j]], length[1 + j] = sizes[j], 1
        else:
            length[1 + j] = sizes[j]
    return True


@kernel
def _weight(machine, m, t, steps, holds, sizes, counts):
    """The weight of a move, 0 if it may not be done; how many symbols it can take, into `counts`."""
    move, rule = machine.moves[m], machine.rules[m]
    held, does = sizes[move[4]], move[3]
    if does == 0:
        possible = held < machine.rooms[move[4]]
    elif does == 3:
        possible = 0 <= held + move[5] <= machine.rooms[move[4]]
    else:
        possible = held > 0
    if not possible or _value(machine, rule[4], rule[5], t, steps, sizes) == 0.0:
        return 0
    weight = max(int64(_value(machine, rule[6], rule[7], t, steps, sizes) * _UNIT), 0)
    if weight > 0 and move[2] > 0:
        counts[m] = _count(machine, m, holds)
        if counts[m] == 0:
            return 0
    return weight


@kernel
def _takes(machine, m, holds, symbol):
    """Whether the memories are as the move wants them, for this symbol."""
    rule = machine.rules[m]
    for j in range(rule[0], rule[1]):
        if holds[machine.members[j], symbol] == 0:
            return False
    for j in range(rule[2], rule[3]):  # noqa: SIM110 - no generators in kernels
        if holds[machine.members[j], symbol] > 0:
            return False
    return True


@kernel
def _count(machine, m, holds):
    move, rule = machine.moves[m], machine.rules[m]
    if rule[0] == rule[1] and rule[2] == rule[3]:
        return move[2]
    count = 0
    for symbol in range(move[1], move[1] + move[2]):
        count += _takes(machine, m, holds, symbol)
    return count


@kernel
def _symbol(machine, m, holds, place):
    """The symbol at this place among those that the move can take."""
    first = machine.moves[m, 1]
    if machine.rules[m, 0] == machine.rules[m, 1] and machine.rules[m, 2] == machine.rules[m, 3]:
        return first + place
    symbol = first
    while True:
        if _takes(machine, m, holds, symbol):
            if place == 0:
                return symbol
            place -= 1
        symbol += 1


@kernel
def _do(machine, m, symbol, registers, holds, sizes):
    move = machine.moves[m]
    j, kind = move[4], machine.kinds[move[4]]
    memory, at, size = registers.memory, registers.first[1 + move[4]], sizes[move[4]]
    if move[3] == 3:
        sizes[j] += move[5]
    elif move[3] == 0:
        if kind != 2 or holds[j, symbol] == 0:
            memory[at + size] = symbol
            sizes[j] += 1
            holds[j, symbol] += 1
    else:
        place = size - 1 if kind == 0 else 0
        if move[3] == 2:
            if holds[j, symbol] == 0:
                return
            place = 0
            while memory[at + place] != symbol:
                place += 1
        holds[j, memory[at + place]] -= 1
        for behind in range(place, size - 1):
            memory[at + behind] = memory[at + behind + 1]
        sizes[j] -= 1


@kernel
def _value(machine, first, last, t, steps, sizes):
    """The value of a formula; of none, 1."""
    if first == last:
        return 1.0
    stack, top = np.empty(_DEEPEST), 0
    for j in range(first, last):
        operator = machine.operators[j]
        if operator == 0:
            stack[top] = machine.numbers[j]
            top += 1
        elif operator == 1:
            stack[top] = t
            top += 1
        elif operator == 2:
            stack[top] = steps
            top += 1
        elif operator == 3:
            stack[top] = sizes[int64(machine.numbers[j])]
            top += 1
        elif operator == 4:
            stack[top - 1] = 1.0 if stack[top - 1] == 0 else 0.0
        elif operator == 5:
            top -= 2
            stack[top - 1] = stack[top - 1] if stack[top] != 0 else stack[top + 1]
        else:
            top -= 1
            stack[top - 1] = _applied(operator, stack[top - 1], stack[top])
    return stack[0]


@kernel
def _applied(operator, a, b):
    if operator == 6:
        return 1.0 if a != 0 or b != 0 else 0.0
    if operator == 7:
        return 1.0 if a != 0 and b != 0 else 0.0
    if operator == 8:
        return 1.0 if a < b else 0.0
    if operator == 9:
        return 1.0 if a <= b else 0.0
    if operator == 10:
        return 1.0 if a > b else 0.0
    if operator == 11:
        return 1.0 if a >= b else 0.0
    if operator == 12:
        return 1.0 if a == b else 0.0
    if operator == 13:
        return 1.0 if a != b else 0.0
    if operator == 14:
        return a + b
    if operator == 15:
        return a - b
    if operator == 16:
        return a * b
    whole = np.floor(a / b) if b != 0 else 0.0
    if operator == 17:
        return whole
    return a - whole * b if b != 0 else 0.0
