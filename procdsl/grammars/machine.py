"""Machines: random runs of guarded instructions over a memory, what they show of it, and what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from procdsl.grammars._expressions import ExpressionError, parse
from procdsl.grammars._known import Known
from procdsl.grammars._lengths import Length, law
from procdsl.grammars._machines import ALWAYS, Stuck, ran, walk
from procdsl.grammars._moves import Instruction, Kind, Reading, known, lines, near
from procdsl.grammars._tasks import Lowering
from procdsl.grammars.base import END, Grammar, Problem
from procdsl.grammars.words import Extent, word_functions
from procdsl.programs.machine import MachineProgram, Memory, Move, Trace
from procdsl.programs.task import Piece
from procdsl.streams import Stream

SEP, PAD = "<sep>", "<pad>"
NUMERALS = 65_536
# Steps of the runs that are tried when a machine is checked: some hundredths of a second.
_TRIED = 1_024
T = TypeVar("T")
Count = Annotated[int, Field(ge=1, le=2**16)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]


class Machine(Grammar):
    """A run of `steps` instructions, each drawn among those that may be done, and what they do to a memory.

    A line of `ops` is ``name symbol : what it does [weight] for symbol in pool if guard``; one that takes two
    symbols is ``put k v : m.put(k, v) for k in key, v in value``. Memories, and what is done with them:
    `stack`, `queue` and `set` (``s.push(x)``, ``s.pop()``, ``s.remove(x)``), `counter` (``c += 1``),
    `register`, which holds a symbol or none (``r.set(x)``, ``r.swap(q)``, ``r.pop()``), and `map`
    (``m.put(k, v)``, ``m.remove(k)``); ``pass`` does nothing. A register's name in the place of a symbol
    means what it holds. Nothing is taken from an empty memory, nor read from an empty register.

    Weights and guards are formulas of `t` (the step, from 0), `T`, counters and ``len(s)``; a guard may also
    ask for ``x in s`` and ``x not in s``, of a map among its keys. `encode` says how an instruction is
    written: its name and its symbols, unless told.

    `output` is made of memory at the end. `trace` is made of memory after each instruction, and of the
    symbols that it took, and is scored: one text for all, or one for each name, as in
    ``trace = { get = "m | lookup(k)" }``. One that is of several lengths, over 1, ends with ``<sep>``.

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
    memory: dict[Name, Kind] = Field(min_length=1)
    steps: Length
    ops: str
    output: str | None = None
    trace: str | dict[str, str] | None = None
    encode: dict[str, str] = Field(default_factory=dict)
    loss: Literal["output", "output_end", "all"] = "output_end"
    symbols: dict[str, Count] = Field(default_factory=dict)

    def program(self) -> MachineProgram:
        return self._parts.program

    def alphabet(self) -> tuple[str, ...]:
        return self._parts.alphabet

    def tokens(self) -> tuple[str, ...]:
        return (*self.alphabet(), *self._parts.literals, SEP, END, PAD)

    def longest(self) -> int:
        return self._parts.program.longest - 1

    def reason(self, word: Sequence[str]) -> str | None:
        found = walk(self.program(), word, self.tokens())
        return found.fault or (None if found.whole else f"it ends too early, after {len(word)} tokens")

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        found, tokens = walk(self.program(), prefix, self.tokens()), self.tokens()
        ends = found.whole and length in (None, len(prefix))
        return frozenset({*(tokens[id] for id in found.legal), *({END} if ends else ())})

    def problems(self, context: int) -> Iterator[Problem]:
        try:
            parts = self._parts
        except _Fault as fault:
            yield fault.problem
            return
        if self.longest() > context:
            message = f"the longest row feeds {self.longest()} positions, the context has {context}"
            yield Problem("P352", message, ("steps",), f"make the context at least {self.longest()}")
        yield from self._stuck(parts.program)
        starts = [{*_starts(move)} for move in parts.program.moves]
        for place, one in enumerate(starts):
            if any(one & other for other in starts[:place]):
                help = "write it with its name: encode"
                yield Problem("P366", "two instructions begin with the same token", ("encode",), help)

    def _stuck(self, program: MachineProgram) -> Iterator[Problem]:
        """P388: one of a few runs comes to a step at which nothing may be done."""
        try:
            for index in range(min(8, _TRIED // program.steps.values[-1])):
                ran(program, Stream(0, index))
        except Stuck as stuck:
            yield Problem("P388", f"a run does not go on: {stuck}", ("ops",), ALWAYS)

    # ------------------------------------------------------------ the parts

    @cached_property
    def _parts(self) -> _Parts:
        parts = self._lowered(0)
        if parts.numerals > NUMERALS:
            help = "write it by its digits: | digits"
            field = "output" if self.output is not None else "trace"
            raise _fault(f"a number can be as large as {parts.numerals - 1:,}", field, help=help)
        # Where there are numbers they come first: the pools stand behind them.
        return self._lowered(parts.numerals) if parts.numerals else parts

    def _lowered(self, numerals: int) -> _Parts:
        """The program with so many ids for numbers, and how many it needs."""
        steps, base = law(self.steps, None), numerals + sum(self.symbols.values())
        instructions, literals = self._instructions(numerals)
        memories = known([*self.memory.values()], [one.move for one in instructions], steps.values[-1])
        slots = max((len(one.symbols) for one in instructions if self._shown(one)), default=0)
        # Nobody can spell the names of the registers that hold what an instruction took.
        names = ("", *self.memory, *(f" {slot}" for slot in range(slots)))
        lowering = Lowering({name: place for place, name in enumerate(names)}, self.symbols, numerals)
        lowering.registers[1 : 1 + len(memories)] = memories
        sep, end, pad = range(base + len(literals), base + len(literals) + 3)
        traced = [self._traced(one, lowering, base, sep) for one in instructions]
        answer = self._answer(lowering)
        shown = [*answer, *(move.trace.word for move in traced if move.trace)]
        longest = max(map(partial(_written, lowering), traced)) * steps.values[-1]
        every = self.loss == "all"
        program = MachineProgram(
            symbols=max(base, 1),
            steps=steps,
            memories=tuple(map(_memory, self.memory.values(), memories)),
            moves=tuple(traced),
            code=tuple(lowering.code),
            pieces=(
                Piece(word=0, scored=every),
                *(Piece(token=sep, scored=every) for _ in answer),
                *(Piece(word=word, scored=True) for word in answer),
                Piece(token=end, scored=self.loss != "output" if answer else every),
            ),
            pad=pad,
            longest=longest + sum(_size(lowering.registers[word]) + 1 for word in answer) + 1,
            split=self.held_out.split(),
        )
        numbers = max((_greatest(lowering.registers[word]) + 1 for word in shown), default=0)
        return _Parts(program, lowering.alphabet(), tuple(literals), numbers)

    def _instructions(self, numerals: int) -> tuple[list[Instruction], list[str]]:
        """What the lines say, and the tokens that they write; those count from 0."""
        reading = Reading(self.memory, Lowering({}, self.symbols, numerals).pools(), self.encode)
        found = [
            _placed(("ops",), self.ops, partial(reading.instruction, at, line))
            for at, line in lines(self.ops)
        ]
        if not found:
            raise _fault("a machine has at least one instruction", "ops")
        if self.output is None and not self.trace:
            raise _fault("nothing is said of the memory", help="give an output or a trace")
        names = [one.name for one in found]
        for name in self.trace if isinstance(self.trace, dict) else ():
            if name not in names:
                raise _fault(f"{name} is no instruction", "trace", name, help=near(name, names))
        return found, reading.literals

    def _shown(self, one: Instruction) -> str | None:
        """What is written when an instruction is done."""
        return self.trace.get(one.name) if isinstance(self.trace, dict) else self.trace

    def _traced(self, one: Instruction, lowering: Lowering, base: int, sep: int) -> Move:
        """The move of an instruction, its token placed behind the symbols, and its trace."""
        token = None if one.move.token is None else base + one.move.token
        move, text = one.move.model_copy(update={"token": token}), self._shown(one)
        if text is None:
            return move
        names, start, behind = lowering.names, len(lowering.code), 1 + len(self.memory)
        for slot, taken in enumerate(move.takes):
            span = Extent(1, 1, taken.first, taken.first + taken.count - 1)
            lowering.registers[behind + slot] = Known(span)
        lowering.names = names | {name: behind + slot for slot, name in enumerate(one.symbols)}
        path = ("trace",) if isinstance(self.trace, str) else ("trace", one.name)
        word = _placed(path, text, lambda: _value(lowering, text))
        lowering.names = names
        extent = lowering.registers[word].extent
        ends = sep if extent.least != extent.most > 1 else None
        trace = Trace(start=start, stop=len(lowering.code), word=word, ends=ends)
        return move.model_copy(update={"trace": trace})

    def _answer(self, lowering: Lowering) -> list[int]:
        """The register of the output, if there is one."""
        text = self.output
        if text is None:
            return []
        word = _placed(("output",), text, lambda: _value(lowering, text))
        if word <= len(self.memory):
            word = lowering.apply(word_functions()["identity"], [word])
        return [word]


@dataclass(frozen=True)
class _Parts:
    program: MachineProgram
    alphabet: tuple[str, ...]
    literals: tuple[str, ...]
    numerals: int


class _Fault(ValueError):
    """A problem that leaves nothing to go on with."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


def _fault(message: str, *path: str, help: str = "") -> _Fault:
    return _Fault(Problem("P360", message, path, help))


def _placed(path: tuple[str, ...], text: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ExpressionError as fault:
        span = (min(fault.at, len(text)), fault.width)
        raise _Fault(Problem("P360", str(fault), path, fault.help, span=span)) from None


def _value(lowering: Lowering, text: str) -> int:
    """The register of what a text spells, which can be written."""
    word = lowering.value(parse(text))
    if lowering.registers[word].shape == "words":
        raise ExpressionError("this is a word of words, not a word", 0, len(text), "join them: | flatten")
    return word


def _size(known: Known) -> int:
    """How many tokens a value is at most."""
    return known.extent.most * (2 if known.shape == "mapping" else 1)


def _greatest(known: Known) -> int:
    """The greatest number among what is written; -1 where there are none."""
    if known.element == "number":
        return known.extent.high
    return known.extent.inner[1] if known.shape == "mapping" and known.second == "number" else -1


def _written(lowering: Lowering, move: Move) -> int:
    """How many tokens a move and its trace are at most."""
    own = (move.token is not None) + len(move.takes)
    if move.trace is None:
        return own
    return own + _size(lowering.registers[move.trace.word]) + (move.trace.ends is not None)


def _memory(kind: Kind, known: Known) -> Memory:
    return Memory(kind=kind, room=known.extent.high if kind == "counter" else known.extent.most)


def _starts(move: Move) -> Sequence[int]:
    """The ids that what a move writes can begin with."""
    return range(move.first, move.first + move.count) if move.token is None else [move.token]
