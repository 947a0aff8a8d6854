"""Machines: random runs of guarded instructions over a memory, and what the memory holds in the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from procdsl.grammars._expressions import ExpressionError, parse
from procdsl.grammars._formulas import formula
from procdsl.grammars._lengths import Length, law
from procdsl.grammars._machines import begun, choices, do
from procdsl.grammars._running import run
from procdsl.grammars._tasks import Known, Lowering
from procdsl.grammars.base import END, Grammar, Problem
from procdsl.grammars.words import Extent, word_functions
from procdsl.programs import Formula, MachineProgram, Memory, Move, Piece, Split

SEP, PAD = "<sep>", "<pad>"
T = TypeVar("T")
Count = Annotated[int, Field(ge=1, le=2**16)]
Kind = Literal["stack", "queue", "set", "counter"]
_LINE = re.compile(
    r"\s*(?P<name>[a-z_]\w*)(?:\s+(?P<symbol>[a-z]\w*))?\s*:\s*(?P<memory>\w+)\s*"
    r"(?:\.(?P<does>push|pop|add|remove)\((?P<argument>\w*)\)|(?P<sign>[+-])=\s*(?P<amount>\d{1,9}))\s*"
    r"(?:\[(?P<weight>[^\]]*)\])?\s*(?:for\s+(?P<taken>\w+)\s+in\s+(?P<pool>\w+))?\s*"
    r"(?:if\s+(?P<guard>.*?))?\s*",
    re.ASCII,
)
_MEMBER = re.compile(r"\s*(\w+)\s+(not\s+)?in\s+(\w+)\s*", re.ASCII)


class Machine(Grammar):
    """A run of `steps` instructions, each drawn among those that may be done, and `output`, made of memory.

    A line of `ops` is ``name symbol : what it does [weight] for symbol in pool if guard``. It does
    ``s.push(x)``, ``s.pop()``, ``s.remove(x)``, or ``c += 1``; memories are a stack, a queue, a set, or a
    counter. Weights and guards are formulas of `t` (the step, from 0), `T`, counters and ``len(s)``; a guard
    may also ask for ``x in s`` and ``x not in s``. Nothing is taken from an empty memory. `encode` says how
    an instruction is written: its name and its symbol, unless told.

    ```toml
    kind    = "machine"
    memory  = { s = "stack" }
    steps   = 12
    encode  = { push = "{x}", pop = "<pop>" }
    output  = "s | reverse"
    symbols = { sym = 20 }
    ops     = '''
    push x : s.push(x)  [0.75 if 3*t < 2*T else 0.25]  for x in sym if x not in s
    pop    : s.pop()    [0.25 if 3*t < 2*T else 0.75]  if len(s) > 1
    '''
    ```
    """

    kind: Literal["machine"] = "machine"
    memory: dict[str, Kind] = Field(min_length=1)
    steps: Length
    ops: str
    output: str
    encode: dict[str, str] = Field(default_factory=dict)
    loss: Literal["output", "output_end", "all"] = "output_end"
    symbols: dict[str, Count] = Field(default_factory=dict)

    def program(self) -> MachineProgram:
        return self._parts.program

    def alphabet(self) -> tuple[str, ...]:
        return self._parts.lowering.alphabet()

    def tokens(self) -> tuple[str, ...]:
        return (*self.alphabet(), *self._parts.literals, SEP, END, PAD)

    def longest(self) -> int:
        return self._parts.program.longest - 1

    def reason(self, word: Sequence[str]) -> str | None:
        _, complete, fault = self._walk(word)
        return fault or (None if complete else f"it ends too early, after {len(word)} tokens")

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        legal, complete, _ = self._walk(prefix)
        ends = complete and length in (None, len(prefix))
        return frozenset({*(self.tokens()[id] for id in legal), *({END} if ends else ())})

    def problems(self, context: int) -> Iterator[Problem]:
        try:
            parts = self._parts
        except _Fault as fault:
            yield fault.problem
            return
        if parts.program.longest - 1 > context:
            message = f"the longest row feeds {self.longest()} positions, the context has {context}"
            yield Problem("P352", message, ("steps",), f"make the context at least {self.longest()}")
        starts = [{*_starts(move)} for move in parts.program.moves]
        for place, one in enumerate(starts):
            if any(one & other for other in starts[:place]):
                help = "write it with its name: encode"
                yield Problem("P366", "two instructions begin with the same token", ("encode",), help)

    @cached_property
    def _parts(self) -> _Parts:
        parts = self._lowered(0)
        return self._lowered(parts.numerals) if parts.numerals else parts

    def _lowered(self, numerals: int) -> _Parts:
        lengths = law(self.steps, None)
        names = {name: place for place, name in enumerate(("", *self.memory))}
        lowering = Lowering(names, self.symbols, numerals)
        literals, moves = list[str](), list[Move]()
        base = numerals + sum(self.symbols.values())
        for at, line in _lines(self.ops):
            read = partial(self._move, at, line, lowering, literals)
            moves.append(_placed("ops", self.ops, read))
        moves = [m if m.token is None else m.model_copy(update={"token": base + m.token}) for m in moves]
        if not moves:
            raise _Fault(Problem("P360", "a machine has at least one instruction", ("ops",)))
        rooms = [self._room(place, moves, lengths.values[-1]) for place in range(len(self.memory))]
        for place, (kind, room) in enumerate(zip(self.memory.values(), rooms, strict=True), 1):
            lowering.registers[place] = _held(kind, room, [m for m in moves if m.memory == place - 1])
        output = _placed("output", self.output, lambda: lowering.value(parse(self.output)))
        if output < len(names):
            output = lowering.apply(word_functions()["identity"], [output])
        known = lowering.registers[output]
        if known.shape != "word":
            raise _Fault(Problem("P360", f"the output is {known}, not a word", ("output",)))
        written = max((move.token is not None) + (move.count > 0) for move in moves)
        every, ends = self.loss == "all", base + len(literals)
        program = MachineProgram(
            symbols=base,
            steps=lengths,
            memories=tuple(Memory(kind=k, room=r) for k, r in zip(self.memory.values(), rooms, strict=True)),
            moves=tuple(moves),
            code=tuple(lowering.code),
            pieces=(
                Piece(word=0, scored=every),
                Piece(token=ends, scored=every),
                Piece(word=output, scored=True),
                Piece(token=ends + 1, scored=self.loss != "output"),
            ),
            pad=ends + 2,
            longest=lengths.values[-1] * written + known.extent.most + 2,
            split=Split(
                validation=int(self.held_out.validation * 2**64), test=int(self.held_out.test * 2**64)
            ),
        )
        needed = known.extent.high + 1 if known.element == "number" else 0
        return _Parts(program, lowering, tuple(literals), needed)

    def _room(self, place: int, moves: list[Move], steps: int) -> int:
        """How much a memory can come to hold."""
        steps_up = [max(m.amount, 1) if m.does == "add" else 1 for m in moves if m.memory == place]
        return max(steps_up, default=1) * steps

    def _move(self, at: int, line: str, lowering: Lowering, literals: list[str]) -> Move:
        """One line of the instructions; its token counts among the literals."""
        match = _LINE.fullmatch(line)
        if match is None:
            message = "an instruction is: name symbol : s.push(x) [weight] for x in pool if guard"
            raise ExpressionError(message, at + len(line) - len(line.lstrip()), len(line.strip()))
        memories = list(self.memory)
        memory, symbol = match["memory"], match["symbol"]
        if memory not in memories:
            raise ExpressionError(f"{memory} is no memory", at + match.start("memory"), len(memory))
        if match["taken"] != symbol or (symbol and match["pool"] not in self.symbols):
            place = at + match.start("name")
            raise ExpressionError(f"nothing says what {symbol or match['taken']} is: for x in pool", place)
        does = match["does"] or "add"
        if (does == "add") != (self.memory[memory] == "counter") or (
            match["does"]
            and ((does == "pop") != (not match["argument"]) or match["argument"] not in ("", symbol))
        ):
            place = at + match.start("memory")
            raise ExpressionError(f"a {self.memory[memory]} cannot do this", place, len(memory))
        guard, inside, outside = self._guard(match, at, memories)
        pool = lowering.pools().get(match["pool"] or "")
        weight: Formula = (
            formula(match["weight"], memories, at + match.start("weight")) if match["weight"] else ()
        )
        token = self._token(match["name"], symbol, literals, at)
        return Move(
            token=token,
            first=pool.first if pool else 0,
            count=pool.count if pool else 0,
            inside=inside,
            outside=outside,
            guard=guard,
            weight=weight,
            does=does,
            memory=memories.index(memory),
            amount=int(match["amount"] or 0) * (-1 if match["sign"] == "-" else 1),
        )

    def _guard(
        self, match: re.Match[str], at: int, memories: list[str]
    ) -> tuple[Formula, tuple[int, ...], tuple[int, ...]]:
        """The part that is a formula, and the memories that must, and must not, hold the symbol."""
        rest, inside, outside = list[str](), list[int](), list[int]()
        for part in (match["guard"] or "").split(" and "):
            member = _MEMBER.fullmatch(part)
            if member and member[1] == match["symbol"] and member[3] in memories:
                (outside if member[2] else inside).append(memories.index(member[3]))
            elif part.strip():
                rest.append(part)
        made = formula(" and ".join(rest), memories, at + match.start("guard")) if rest else ()
        return made, tuple(inside), tuple(outside)

    def _token(self, name: str, symbol: str | None, literals: list[str], at: int) -> int | None:
        """The place among the literals of what an instruction writes besides its symbol."""
        text = self.encode.get(name, f"{name} {{{symbol}}}" if symbol else name)
        parts = text.split()
        marked = [f"{{{symbol}}}"] if symbol else []
        if parts[len(parts) - len(marked) :] != marked or len(parts) - len(marked) not in (0, 1) or not parts:
            message = f"{name} is written {text!r}: a token, its symbol in braces, or both in this order"
            raise ExpressionError(message, at)
        if len(parts) == len(marked):
            return None
        if parts[0] not in literals:
            literals.append(parts[0])
        return literals.index(parts[0])

    def _walk(self, row: Sequence[str]) -> tuple[set[int], bool, str | None]:
        """What may follow the beginning of a row, whether it is whole, what is wrong with it."""
        tokens, program = self.tokens(), self.program()
        ids = {token: id for id, token in enumerate(tokens)}
        read, sep = (
            [ids.get(token, len(tokens)) for token in row],
            len(self.alphabet()) + len(self._parts.literals),
        )
        count = self._steps(read, sep)
        best: tuple[set[int], bool, str | None] = (set(), False, None)
        legal = set[int]()
        # A guard may know how many steps there will be: a beginning is right if it is for some number.
        for steps in program.steps.values if count is None else [count]:
            best = self._follow(read, row, steps, sep)
            legal |= best[0]
            if best[1]:
                break
        return legal, best[1], best[2] if not legal and not best[1] else None

    def _steps(self, read: list[int], sep: int) -> int | None:
        """How many steps a row has whose run has come to its end."""
        if sep not in read:
            return None
        taken, at, moves = 0, 0, self.program().moves
        while at < read.index(sep):
            move = next((m for m in moves if read[at] in _starts(m)), None)
            at += 1 if move is None else (move.token is not None) + (move.count > 0)
            taken += 1
        return taken if taken in self.program().steps.values else self.program().steps.values[-1]

    def _follow(
        self, read: list[int], row: Sequence[str], steps: int, sep: int
    ) -> tuple[set[int], bool, str | None]:
        program, held, at = self.program(), begun(self.program()), 0
        for t in range(steps):
            possible = list(choices(program, held, t, steps))
            if at == len(read):
                return {id for one in possible for id in _starts(one.move, one.symbols)}, False, None
            one = next((one for one in possible if read[at] in _starts(one.move, one.symbols)), None)
            if one is None:
                return set(), False, f"{row[at]!r} at {at + 1} is no instruction that may be done"
            at += one.move.token is not None
            symbol = None
            if one.symbols:
                if at == len(read):
                    return {*one.symbols}, False, None
                symbol = read[at]
                if symbol not in one.symbols:
                    return set(), False, f"{row[at]!r} at {at + 1} cannot be taken by this instruction"
                at += 1
            do(program, held, one.move, symbol)
        values: list[Any] = [[], *held, *([None] * len(program.code))]
        run(program.code, values)
        expected, ran = [sep, *values[program.pieces[2].word or 0], sep + 1], at
        for id, found in zip(expected, read[ran:], strict=False):
            if id != found:
                return set(), False, f"{row[at]!r} at {at + 1} should be {self.tokens()[id]!r}"
            at += 1
        if at < len(read):
            return set(), False, f"{row[at]!r} at {at + 1} comes after the end"
        return ({*expected[at - ran : at - ran + 1]}, at - ran == len(expected), None)


@dataclass(frozen=True)
class _Parts:
    program: MachineProgram
    lowering: Lowering
    literals: tuple[str, ...]
    numerals: int


class _Fault(ValueError):
    """A problem that leaves nothing to go on with."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


def _placed(field: str, text: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ExpressionError as fault:
        span = (min(fault.at, len(text)), fault.width)
        raise _Fault(Problem("P360", str(fault), (field,), fault.help, span=span)) from None


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, each with its place."""
    at = 0
    for line in text.split("\n"):
        if line.strip() and not line.strip().startswith("#"):
            yield at, line.rstrip()
        at += len(line) + 1


def _starts(move: Move, symbols: Sequence[int] | None = None) -> Sequence[int]:
    """The ids that what a move writes can begin with."""
    if move.token is not None:
        return [move.token]
    return range(move.first, move.first + move.count) if symbols is None else symbols


def _held(kind: str, room: int, moves: list[Move]) -> Known:
    """What a memory can hold in the end."""
    if kind == "counter":
        return Known(Extent(1, 1, 0, room), "word", "number")
    taken = [move for move in moves if move.does == "push"]
    low = min((move.first for move in taken), default=0)
    high = max((move.first + move.count - 1 for move in taken), default=0)
    return Known(Extent(0, room, low, high))
