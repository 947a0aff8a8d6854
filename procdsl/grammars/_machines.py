"""What the moves of a machine mean, step by step, and how its rows are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from procdsl.grammars._formulas import evaluate
from procdsl.grammars._lengths import drawn_length
from procdsl.grammars._running import run
from procdsl.programs.machine import MachineProgram, Memory, Move, Taken
from procdsl.streams import Stream

# A weight of 1; weights are drawn as whole numbers.
UNIT = 2**20
ALWAYS = "give one that always may: a guard that is the contrary of another's"


class Choice(NamedTuple):
    """A move that may be done, its weight, and, of each symbol that it takes, those it can be."""

    move: Move
    weight: int
    symbols: tuple[tuple[int, ...], ...]

    @property
    def starts(self) -> Sequence[int]:
        """The ids that what it writes can begin with."""
        return self.symbols[0] if self.move.token is None else (self.move.token,)


class Run(NamedTuple):
    """What a run writes, where that is a trace, and what is remembered in the end."""

    ids: list[int]
    traced: list[bool]
    held: list[list[int]]


class Stuck(Exception):
    """No move may be done at this step of a run."""

    def __init__(self, step: int) -> None:
        self.step = step
        super().__init__(f"at step {step} no instruction may be done")


def ran(program: MachineProgram, stream: Stream) -> Run:
    """A run as it is drawn. Raises Stuck."""
    steps, held = drawn_length(program.steps, stream), begun(program)
    ids, traced = list[int](), list[bool]()
    for t in range(steps):
        one = _chosen(list(choices(program, held, t, steps)), stream)
        if one is None:
            raise Stuck(t)
        symbols = [possible[stream.below(len(possible))] for possible in one.symbols]
        do(program, held, one.move, symbols)
        shown = written(program, held, one.move, symbols)
        said = [*([] if one.move.token is None else [one.move.token]), *symbols]
        ids += [*said, *shown]
        traced += [False] * len(said) + [True] * len(shown)
    return Run(ids, traced, held)


def _chosen(possible: list[Choice], stream: Stream) -> Choice | None:
    """One of the moves by its weight; None where none may be done."""
    if not possible:
        return None
    place = stream.below(sum(one.weight for one in possible))
    for one in possible:
        if place < one.weight:
            return one
        place -= one.weight
    raise AssertionError


def begun(program: MachineProgram) -> list[list[int]]:
    """The memories before the first step: nothing, and 0."""
    return [[0] if memory.kind == "counter" else [] for memory in program.memories]


def choices(program: MachineProgram, held: list[list[int]], t: int, steps: int) -> Iterator[Choice]:
    """The moves that may be done at step t of so many, in their order."""
    sizes = [_size(memory, one) for memory, one in zip(program.memories, held, strict=True)]
    for move in program.moves:
        if not _possible(program.memories[move.memory], sizes, move):
            continue
        if evaluate(move.guard, t, steps, sizes) == 0:
            continue
        weight = int(evaluate(move.weight, t, steps, sizes) * UNIT)
        symbols = tuple(tuple(_symbols(program, taken, held)) for taken in move.takes)
        if weight > 0 and all(symbols):
            yield Choice(move, weight, symbols)


def _size(memory: Memory, held: list[int]) -> int:
    """How much a memory holds; of a counter, its number."""
    if memory.kind == "counter":
        return held[0]
    return len(held) // 2 if memory.kind == "map" else len(held)


def _possible(memory: Memory, sizes: list[int], move: Move) -> bool:
    """Memories never hold less than nothing, nor more than there is room for; no empty register is read."""
    held = sizes[move.memory]
    if any(operand < 0 and not sizes[-1 - operand] for operand in move.operands):
        return False
    if move.does == "push":
        return held < memory.room
    if move.does == "add":
        return 0 <= held + move.amount <= memory.room
    return held > 0 or move.does in ("set", "put", "pass")


def _symbols(program: MachineProgram, taken: Taken, held: list[list[int]]) -> Iterator[int]:
    for symbol in range(taken.first, taken.first + taken.count):
        if all(_holds(program, m, held, symbol) for m in taken.inside) and not any(
            _holds(program, m, held, symbol) for m in taken.outside
        ):
            yield symbol


def _holds(program: MachineProgram, memory: int, held: list[list[int]], symbol: int) -> bool:
    return symbol in (held[memory][::2] if program.memories[memory].kind == "map" else held[memory])


def do(program: MachineProgram, held: list[list[int]], move: Move, symbols: Sequence[int]) -> None:
    """Does a move with the symbols that it took, in place."""
    memory, kind = held[move.memory], program.memories[move.memory].kind
    if move.does == "pass":
        return
    if move.does == "add":
        memory[0] += move.amount
        return
    if move.does == "pop":
        memory.pop(0 if kind == "queue" else -1)
        return
    if move.does == "swap":
        memory[:], held[-1 - move.operands[0]][:] = held[-1 - move.operands[0]], memory[:]
        return
    symbol, *value = [held[-1 - one][0] if one < 0 else symbols[one] for one in move.operands]
    places = memory[::2] if kind == "map" else memory
    place = places.index(symbol) if symbol in places else len(places)
    match move.does:
        case "push" if kind != "set" or symbol not in memory:
            memory.append(symbol)
        case "set":
            memory[:] = [symbol]
        case "put":
            memory[2 * place : 2 * place + 2] = [symbol, *value]
        case "remove":
            width = 2 if kind == "map" else 1
            del memory[width * place : width * (place + 1)]


def written(program: MachineProgram, held: list[list[int]], move: Move, symbols: Sequence[int]) -> list[int]:
    """The trace of a move that was done."""
    if move.trace is None:
        return []
    blank = program.slots - len(symbols)
    values: list[Any] = [[], *held, *([symbol] for symbol in symbols), *[None] * (blank + len(program.code))]
    run(program.code, values, move.trace.start, move.trace.stop)
    return [*values[move.trace.word], *([] if move.trace.ends is None else [move.trace.ends])]


def ending(program: MachineProgram, held: list[list[int]]) -> list[Any]:
    """The registers when a run is over, all but the run."""
    values: list[Any] = [[], *held, *[None] * (program.slots + len(program.code))]
    run(program.code, values, program.answer)
    return values


# ---------------------------------------------------------------- reading


class Walk(NamedTuple):
    """What may follow the beginning of a row, whether it is whole, and what is wrong with it, if anything."""

    legal: frozenset[int]
    whole: bool = False
    fault: str | None = None


def walk(program: MachineProgram, row: Sequence[str], tokens: Sequence[str]) -> Walk:
    """Follows a row: guards may know how many steps there will be, so all numbers are kept that it can be."""
    ids = {token: id for id, token in enumerate(tokens)}
    reader = _Reader(program, row, [ids.get(token, len(tokens)) for token in row], tokens)
    lengths, timed, t = {*program.steps.values}, _timed(program), 0
    while True:
        found = _choices(program, reader.held, t, {n for n in lengths if n > t}, timed)
        ends = {program.pieces[1].token or 0} if t in lengths else set[int]()
        if reader.over():
            return Walk(frozenset(ends.union(*(one.starts for one, _ in found))))
        if reader.next() in ends:
            return reader.finished()
        chosen = next(((one, left) for one, left in found if reader.next() in one.starts), None)
        if chosen is None:
            return reader.fault("is no instruction that may be done")
        one, lengths = chosen
        if stopped := reader.done(one):
            return stopped
        t += 1


def _timed(program: MachineProgram) -> bool:
    """Whether a formula knows how many steps there are."""
    formulas = [formula for move in program.moves for formula in (move.guard, move.weight)]
    return any(operator == "T" for formula in formulas for operator, _ in formula)


def _choices(
    program: MachineProgram, held: list[list[int]], t: int, lengths: set[int], timed: bool
) -> list[tuple[Choice, set[int]]]:
    """What may be done at step t if there are so many steps, and for which of these numbers."""
    if not timed:
        return [(one, lengths) for steps in list(lengths)[:1] for one in choices(program, held, t, steps)]
    found = dict[int, tuple[Choice, set[int]]]()
    for steps in lengths:
        for one in choices(program, held, t, steps):
            found.setdefault(program.moves.index(one.move), (one, set()))[1].add(steps)
    return list(found.values())


class _Reader:
    """A row that is read from left to right, and the memories as they are by then."""

    def __init__(
        self, program: MachineProgram, row: Sequence[str], read: list[int], tokens: Sequence[str]
    ) -> None:
        self.program, self.row, self.read, self.tokens = program, row, read, tokens
        self.held, self.at = begun(program), 0

    def over(self) -> bool:
        return self.at == len(self.read)

    def next(self) -> int:
        return self.read[self.at]

    def fault(self, what: str) -> Walk:
        return Walk(frozenset(), fault=f"{self.row[self.at]!r} at {self.at + 1} {what}")

    def done(self, one: Choice) -> Walk | None:
        """Reads a move and its trace, and does it; what is to be said where the row ends or errs in it."""
        self.at += one.move.token is not None
        begin = self.at
        for possible in one.symbols:
            if self.over():
                return Walk(frozenset(possible))
            if self.next() not in possible:
                return self.fault("cannot be taken by this instruction")
            self.at += 1
        symbols = self.read[begin : self.at]
        do(self.program, self.held, one.move, symbols)
        return self._follows(written(self.program, self.held, one.move, symbols))

    def finished(self) -> Walk:
        if stopped := self._follows(self._ending()):
            return stopped
        return Walk(frozenset(), whole=True) if self.over() else self.fault("comes after the end")

    def _ending(self) -> list[int]:
        """What stands behind a run that ends here."""
        values = ending(self.program, self.held)
        words = [[p.token or 0] if p.word is None else values[p.word] for p in self.program.pieces[1:]]
        return [id for word in words for id in word]

    def _follows(self, expected: list[int]) -> Walk | None:
        for id in expected:
            if self.over():
                return Walk(frozenset({id}))
            if self.next() != id:
                return self.fault(f"should be {self.tokens[id]!r}")
            self.at += 1
        return None
