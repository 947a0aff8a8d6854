"""Prompt to answer: inputs drawn, a word function of them, written out in a format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import perm
from typing import Annotated, Any, Literal

from pydantic import Field

from procdsl.grammars._expressions import ExpressionError
from procdsl.grammars._tasks import Register, draw, lower
from procdsl.grammars.base import END, PLENTY, Grammar, Problem
from procdsl.grammars.words import word_functions
from procdsl.programs import Draw, Instruction, Piece, Split, TaskProgram

PAD = "<pad>"
Count = Annotated[int, Field(ge=1, le=2**20)]


class Task(Grammar):
    """An answer to a prompt: `output` is an expression over the inputs, `format` how both are written.

    Inputs are drawn from pools of symbols: `uniform(pool, length=8)`, `length=uniform(1, 8)`,
    `permutation(pool)`. One input is called `input`; several are a table of names. `loss` says what is
    scored: the output, the output and the `<end>` behind it, or all of the row.

    ```toml
    kind    = "task"
    input   = "uniform(sym, length=uniform(3, 6))"
    output  = "input | reverse | unique"
    format  = "{input} <sep> {output} <end>"
    symbols = { sym = 20 }
    ```
    """

    kind: Literal["task"] = "task"
    input: str | dict[str, str]
    output: str
    format: str | None = None
    loss: Literal["output", "output_end", "all"] = "output_end"
    symbols: dict[str, Count] = Field(min_length=1)

    def program(self) -> TaskProgram:
        parts = self._parts
        return TaskProgram(
            symbols=sum(self.symbols.values()),
            draws=tuple(parts.draws.values()),
            code=tuple(parts.code),
            pieces=tuple(self._pieces(parts)),
            pad=len(self.tokens()) - 1,
            longest=self.longest() + 1,
            split=Split(
                validation=int(self.held_out.validation * 2**64), test=int(self.held_out.test * 2**64)
            ),
        )

    def alphabet(self) -> tuple[str, ...]:
        return tuple(f"{pool}{i}" for pool, count in self.symbols.items() for i in range(count))

    def tokens(self) -> tuple[str, ...]:
        literals = dict.fromkeys(item for item in self._items() if not _field(item))
        return (*self.alphabet(), *literals, PAD)

    def longest(self) -> int:
        """Positions fed by the longest row: its symbols but the last."""
        registers = self._parts.registers
        lengths = [registers[item].bounds[1] if isinstance(item, int) else 1 for item in self._layout()]
        return max(sum(lengths) - 1, 1)

    def reason(self, word: Sequence[str]) -> str | None:
        walk = self._walk(word)
        return walk.fault or (None if walk.complete else f"it ends too early, after {len(word)} tokens")

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        walk = self._walk(prefix)
        complete = walk.complete and length in (None, len(prefix))
        return frozenset({*walk.legal, *({END} if complete else ())})

    def problems(self, context: int) -> Iterator[Problem]:
        found = list(self._faults())
        yield from found
        if found:
            return
        if self.longest() > context:
            message = f"the longest row feeds {self.longest()} positions, the context has {context}"
            yield Problem("P352", message, ("output",), f"make the context at least {self.longest()}")
        prompts = self._prompts()
        if prompts < PLENTY and (self.held_out.validation or self.held_out.test):
            message = f"there are only {prompts:,} prompts: too few to hold some out"
            yield Problem("P353", message, ("input",), "draw longer inputs, or hold nothing out (held_out)")

    # ------------------------------------------------------------ the parts

    @cached_property
    def _parts(self) -> _Parts:
        """What the texts mean. ExpressionError where they mean nothing: `problems` says it first."""
        draws = {name: draw(text, self._pools()) for name, text in self._inputs().items()}
        registers = {
            name: Register("word", (one.lengths.values[0], one.lengths.values[-1]))
            for name, one in draws.items()
        }
        code, all_registers = lower(self.output, registers)
        return _Parts(draws, code, all_registers)

    def _inputs(self) -> dict[str, str]:
        return {"input": self.input} if isinstance(self.input, str) else self.input

    def _pools(self) -> dict[str, tuple[int, int]]:
        """Where each pool's ids begin, and how many there are."""
        pools, first = dict[str, tuple[int, int]](), 0
        for name, count in self.symbols.items():
            pools[name] = (first, count)
            first += count
        return pools

    def _items(self) -> list[str]:
        written = " <sep> ".join(f"{{{name}}}" for name in self._inputs())
        return (self.format or f"{written} <sep> {{output}} {END}").split()

    def _layout(self) -> list[str | int]:
        """The row's parts in order: tokens, and the registers of words."""
        places = {name: place for place, name in enumerate(self._inputs())}
        places["output"] = len(self._parts.registers) - 1
        return [places[name] if (name := _field(item)) else item for item in self._items()]

    def _pieces(self, parts: _Parts) -> Iterator[Piece]:
        tokens = {token: id for id, token in enumerate(self.tokens())}
        output, behind = len(parts.registers) - 1, False
        for item in self._layout():
            if isinstance(item, int):
                yield Piece(word=item, scored=item == output or self.loss == "all")
            else:
                ends = self.loss == "output_end" and behind and item == END
                yield Piece(token=tokens[item], scored=ends or self.loss == "all")
            behind = item == output

    def _prompts(self) -> int:
        """How many different prompts there are."""
        total = 1
        for one in self._parts.draws.values():
            ways = one.count.__pow__ if one.kind == "uniform" else lambda n, one=one: perm(one.count, n)
            total *= sum(ways(n) for n in one.lengths.values if n <= 64) or PLENTY
        return total

    # ------------------------------------------------------------ faults

    def _faults(self) -> Iterator[Problem]:
        """What is wrong with the texts themselves."""
        draws = dict[str, Register]()
        for name, text in self._inputs().items():
            path = ("input",) if isinstance(self.input, str) else ("input", name)
            try:
                drawn = draw(text, self._pools())
                draws[name] = Register("word", (drawn.lengths.values[0], drawn.lengths.values[-1]))
            except ExpressionError as fault:
                yield _problem(path, fault)
        if len(draws) == len(self._inputs()):
            try:
                lower(self.output, draws)
            except ExpressionError as fault:
                yield _problem(("output",), fault)
        yield from self._format_faults(draws)

    def _format_faults(self, draws: dict[str, Register]) -> Iterator[Problem]:
        items = self._items()
        names = [name for item in items if (name := _field(item))]
        for name in names:
            if name not in (*self._inputs(), "output"):
                yield Problem(
                    "P361", f"the format writes {{{name}}}, which is no input and not the output", ("format",)
                )
        for name in (*self._inputs(), "output"):
            if name not in names:
                yield Problem(
                    "P361", f"the format leaves out {{{name}}}", ("format",), f"add {{{name}}} to it"
                )
        for item in items:
            if item in self.alphabet() or item == PAD:
                yield Problem(
                    "P362", f"{item} in the format is spelt like a symbol", ("format",), "<" + item + ">"
                )
        for one, other in pairwise(items):
            both = [draws.get(_field(item) or "") for item in (one, other)]
            if both[0] and both[0].bounds[0] < both[0].bounds[1] and _field(other):
                message = f"nothing says where {one} ends and {other} begins"
                yield Problem("P363", message, ("format",), "put a token between them")

    # ------------------------------------------------------------ reading a row

    def _walk(self, row: Sequence[str]) -> _Walk:
        """Reads a row, or the beginning of one, along the format."""
        alphabet, ids = self.alphabet(), {symbol: id for id, symbol in enumerate(self.alphabet())}
        draws, words, legal, place = list(self._parts.draws.values()), dict[int, list[int]](), set[str](), 0
        for item in self._layout():
            if isinstance(item, int) and item < len(draws) and item not in words:
                free = _free(draws[item])
                start = place
                while place < len(row) and place - start < draws[item].lengths.values[-1]:
                    id = ids.get(row[place], -1)
                    if id not in free:
                        break
                    place += 1
                    if draws[item].kind == "permutation":
                        free.discard(id)
                words[item] = [ids[symbol] for symbol in row[start:place]]
                if place == len(row) and place - start < draws[item].lengths.values[-1]:
                    legal.update(alphabet[id] for id in free)
                if place - start not in draws[item].lengths.values:
                    fault = f"{place - start} symbols of an input end at {place + 1}: no input is so long"
                    return _Walk(frozenset(legal), False, None if place == len(row) else fault)
                continue
            expected = [item] if isinstance(item, str) else [alphabet[id] for id in self._value(item, words)]
            for token in expected:
                if place == len(row):
                    return _Walk(frozenset({*legal, token}), False, None)
                if row[place] != token:
                    return _Walk(frozenset(), False, f"{row[place]!r} at {place + 1} should be {token!r}")
                place += 1
        if place < len(row):
            return _Walk(frozenset(), False, f"{row[place]!r} at {place + 1} comes after the end")
        return _Walk(frozenset(legal), True, None)

    def _value(self, register: int, words: dict[int, list[int]]) -> list[int]:
        if register in words:
            return words[register]
        return list(run(self._parts.code, [words[place] for place in range(len(words))])[-1])


@dataclass(frozen=True)
class _Parts:
    """A task's draws by name, its instructions, and what all registers hold."""

    draws: dict[str, Draw]
    code: list[Instruction]
    registers: list[Register]


@dataclass(frozen=True)
class _Walk:
    """Where reading a row came to: what may follow, whether the row is whole, what is wrong with it."""

    legal: frozenset[str]
    complete: bool
    fault: str | None


def run(code: Sequence[Instruction], inputs: Sequence[list[int]]) -> list[Any]:
    """The values of all registers, the inputs' first."""
    functions, values = word_functions(), list[Any](inputs)
    for one in code:
        if one.function == "number":
            values.append(one.number)
        else:
            values.append(functions[one.function].meaning(*(values[a] for a in one.arguments)))
    return values


def _free(drawn: Draw) -> set[int]:
    return set(range(drawn.first, drawn.first + drawn.count))


def _field(item: str) -> str | None:
    """The name in braces, where a format writes a word."""
    return item[1:-1] if item.startswith("{") and item.endswith("}") else None


def _problem(path: tuple[str, ...], fault: ExpressionError) -> Problem:
    return Problem("P360", str(fault), path, fault.help, span=(fault.at, fault.width))
