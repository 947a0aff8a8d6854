"""What the moves of a machine mean, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from procdsl.grammars._formulas import evaluate
from procdsl.programs import MachineProgram, Memory, Move

# A weight of 1; weights are drawn as whole numbers.
UNIT = 2**20


class Choice(NamedTuple):
    """A move that may be done, its weight, and the symbols it can take (none, if it takes none)."""

    move: Move
    weight: int
    symbols: tuple[int, ...]


def begun(program: MachineProgram) -> list[list[int]]:
    """The memories before the first step: nothing, and 0."""
    return [[0] if memory.kind == "counter" else [] for memory in program.memories]


def size(memory: Memory, held: list[int]) -> int:
    """How much a memory holds; of a counter, its number."""
    return held[0] if memory.kind == "counter" else len(held)


def choices(program: MachineProgram, held: list[list[int]], t: int, steps: int) -> Iterator[Choice]:
    """The moves that may be done at step t of so many, in their order."""
    sizes = [size(memory, one) for memory, one in zip(program.memories, held, strict=True)]
    for move in program.moves:
        if not _possible(program.memories[move.memory], sizes[move.memory], move):
            continue
        if evaluate(move.guard, t, steps, sizes) == 0:
            continue
        weight = int(evaluate(move.weight, t, steps, sizes) * UNIT)
        symbols = tuple(_symbols(move, held))
        if weight > 0 and (symbols or not move.count):
            yield Choice(move, weight, symbols)


def _possible(memory: Memory, held: int, move: Move) -> bool:
    """Memories never hold less than nothing, nor more than there is room for."""
    if move.does == "push":
        return held < memory.room
    if move.does == "add":
        return 0 <= held + move.amount <= memory.room
    return held > 0


def _symbols(move: Move, held: list[list[int]]) -> Iterator[int]:
    for symbol in range(move.first, move.first + move.count):
        if all(symbol in held[m] for m in move.inside) and not any(symbol in held[m] for m in move.outside):
            yield symbol


def do(program: MachineProgram, held: list[list[int]], move: Move, symbol: int | None) -> None:
    """Does a move, in place."""
    memory, kind = held[move.memory], program.memories[move.memory].kind
    if move.does == "add":
        memory[0] += move.amount
    elif move.does == "pop":
        memory.pop(0 if kind == "queue" else -1)
    elif symbol is not None and move.does == "push":
        if kind != "set" or symbol not in memory:
            memory.append(symbol)
    elif symbol in memory:
        memory.remove(symbol)
