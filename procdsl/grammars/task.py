"""Prompt to answer: inputs drawn, a word function of them, written out in a format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from itertools import pairwise
from math import perm
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from procdsl.grammars._draws import draw
from procdsl.grammars._expressions import Call, Expression, ExpressionError, free_names, parse
from procdsl.grammars._reading import Item, Reader, Walk
from procdsl.grammars._tasks import Known, Lowering
from procdsl.grammars.base import END, PLENTY, Grammar, Problem
from procdsl.grammars.words import word_functions
from procdsl.programs import Draw, Piece, Split, TaskProgram

PAD = "<pad>"
SEP = "<sep>"
NUMERALS = 65_536
Count = Annotated[int, Field(ge=1, le=2**20)]
_FIELD = re.compile(r"\{(\w+)(?::(\w+))?\}", re.ASCII)


class Task(Grammar):
    """An answer to a prompt: `output` is an expression over the inputs, `format` how both are written.

    Inputs are drawn in their order, from pools of symbols that `symbols` declares, from numbers
    (`range(0, 5)`: 0 to 4), or from a group (`group('S5')`, `'A5'`, `'Z60'`, `'S3 x Z4'`):
    `uniform(sym, length=8)`, `zipf(sym, length=8, s=1.0)`, `sample(sym, length=8)` (all different),
    `permutation(sym)`, `number(digits=5)`, `mapping(key, value, size=8)`, `choice(x)` (a symbol of x, or,
    with `present=0.75, pool=sym`, every fourth time one that is not in it), `part(x)` (likewise at most half
    of x in one piece), `runs(sym, length=8)` (any number of runs), `bag` (their symbols in any order). A
    length is a number or `uniform(1, 8)`. One input is called `input`; several are a table of names.

    The output is made by word functions, joined by pipes; `map(f)` does f to each word or symbol,
    `scan(compose)` and `fold(add)` go along a word. A number is written as one token, or as digits.
    Where a number stands a name may stand, and the number under that name beside `input`, to be swept.
    In the format, `{x:reverse}` writes the value of a function, `{x:query}`, or any other name, in tokens
    of its own (`query:key3`). `scratchpad = "steps"` writes the values of all steps before the output.

    `loss` says what is scored: the output, the output and the `<end>` behind it, the same without the
    output's first token (`output_but_first`) and with the padding behind a row that is shorter than others
    (`output_but_first_pad`, as some published code does), or all of the row.

    ```toml
    kind    = "task"
    input   = "uniform(sym, length=uniform(3, 6))"
    output  = "input | reverse | unique"
    format  = "{input} <sep> {output} <end>"
    symbols = { sym = 20 }
    ```
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[
        str, Annotated[int, Field(ge=0, le=2**40)] | Annotated[float, Field(ge=0, le=1e9)]
    ]

    kind: Literal["task"] = "task"
    input: str | dict[str, str]
    output: str
    format: str | None = None
    scratchpad: Literal["none", "steps"] = "none"
    loss: Literal["output", "output_end", "output_but_first", "output_but_first_pad", "all"] = "output_end"
    symbols: dict[str, Count] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _only_what_texts_name(cls, value: Any) -> Any:
        """Keys that are no fields are numbers that the texts use; any other is a slip."""
        if not isinstance(value, dict):
            return value
        extra = value.keys() - cls.model_fields.keys()
        used = _named(value) if extra else frozenset()
        slips = sorted(name for name in extra if name not in used)
        if slips:
            faults = [
                InitErrorDetails(type="extra_forbidden", loc=(name,), input=value[name]) for name in slips
            ]
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return value

    def program(self) -> TaskProgram:
        parts, tokens = self._parts, {token: id for id, token in enumerate(self.tokens())}
        return TaskProgram(
            symbols=len(parts.lowering.alphabet()),
            draws=tuple(parts.lowering.draws),
            code=tuple(parts.lowering.code),
            pieces=tuple(_piece(piece, tokens) for piece in parts.pieces),
            pad=len(tokens) - 1,
            longest=self.longest() + 1,
            shortest=sum(piece.bounds[0] for piece in parts.pieces),
            split=Split(
                validation=int(self.held_out.validation * 2**64), test=int(self.held_out.test * 2**64)
            ),
            scores_pad=self.loss == "output_but_first_pad",
        )

    def alphabet(self) -> tuple[str, ...]:
        return self._parts.alphabet

    def tokens(self) -> tuple[str, ...]:
        literals = dict.fromkeys(item for item in self._items() if not _FIELD.fullmatch(item))
        if self.scratchpad == "steps":
            literals[SEP] = None
        return (*self.alphabet(), *literals, PAD)

    def longest(self) -> int:
        """Positions fed by the longest row: its symbols but the last."""
        return max(sum(piece.bounds[1] for piece in self._parts.pieces) - 1, 1)

    def reason(self, word: Sequence[str]) -> str | None:
        walk = self._walk(word)
        return walk.fault or (None if walk.complete else f"it ends too early, after {len(word)} tokens")

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        walk, tokens = self._walk(prefix), self.tokens()
        complete = walk.complete and length in (None, len(prefix))
        return frozenset({*(tokens[id] for id in walk.legal), *({END} if complete else ())})

    def problems(self, context: int) -> Iterator[Problem]:
        found = list(self._faults())
        yield from found
        if found:
            return
        if self.longest() > context:
            message = f"the longest row feeds {self.longest()} positions, the context has {context}"
            yield Problem("P352", message, ("output",), f"make the context at least {self.longest()}")
        prompts = _prompts(self._parts.lowering.draws)
        if prompts < PLENTY and (self.held_out.validation or self.held_out.test):
            message = f"there are only {prompts:,} prompts: too few to hold some out"
            yield Problem("P353", message, ("input",), "draw longer inputs, or hold nothing out (held_out)")

    # ------------------------------------------------------------ the parts

    @cached_property
    def _parts(self) -> _Parts:
        """What the texts mean. _Fault where they mean nothing: `problems` says it first."""
        parts = self._lowered(0)
        if parts.numerals > NUMERALS:
            help = "write it by its digits: | digits"
            raise _Fault("P360", f"a number can be as large as {parts.numerals - 1:,}", ("output",), help)
        # Where there are numbers they come first: the pools stand behind them.
        return self._lowered(parts.numerals) if parts.numerals else parts

    def _lowered(self, numerals: int) -> _Parts:
        inputs = self._inputs()
        names = {name: place for place, name in enumerate(inputs)}
        lowering = Lowering(names, self.symbols, numerals, self.__pydantic_extra__)
        for name, text in inputs.items():
            path = ("input",) if isinstance(self.input, str) else ("input", name)
            _placed(path, text, lambda text: draw(text, lowering))
        return _Writing(
            self, lowering, _placed(("output",), self.output, lambda t: _output(t, lowering))
        ).parts()

    def _inputs(self) -> dict[str, str]:
        return {"input": self.input} if isinstance(self.input, str) else self.input

    def _items(self) -> list[str]:
        steps = "{steps} " if self.scratchpad == "steps" else ""
        written = f" {SEP} ".join(f"{{{name}}}" for name in self._inputs())
        return (self.format or f"{written} {SEP} {steps}{{output}} {END}").split()

    # ------------------------------------------------------------ faults

    def _faults(self) -> Iterator[Problem]:
        """What is wrong with the texts themselves."""
        if not self._inputs():
            yield Problem("P360", "a task has at least one input", ("input",))
            return
        try:
            parts = self._parts
        except _Fault as fault:
            yield fault.problem
            return
        names = [match[1] for item in self._items() if (match := _FIELD.fullmatch(item))]
        for name in (*self._inputs(), "output"):
            if name not in names:
                help = f"add {{{name}}} to it"
                yield Problem("P361", f"the format leaves out {{{name}}}", ("format",), help)
        if self.scratchpad == "steps" and "steps" not in names:
            yield Problem("P361", "the format leaves out {steps}", ("format",), "add {steps} before {output}")
        for item in self._items():
            if item in self.alphabet() or item == PAD:
                message = f"{item} in the format is spelt like a symbol"
                yield Problem("P362", message, ("format",), "<" + item + ">")
        yield from _unclear(parts)

    # ------------------------------------------------------------ reading a row

    def _walk(self, row: Sequence[str]) -> Walk:
        tokens = self.tokens()
        ids = {token: id for id, token in enumerate(tokens)}
        reader = Reader(self.program(), [ids.get(token, len(tokens)) for token in row], (*tokens, "?"))
        pieces = zip(self.program().pieces, self._parts.pieces, strict=True)
        walk = reader.walk([Item(piece, one.draw, one.backwards) for piece, one in pieces])
        unknown = next((place for place, token in enumerate(row) if token not in ids), None)
        if unknown is not None and walk.fault:
            return Walk(fault=walk.fault.replace("'?'", repr(row[unknown])))
        return walk


def _named(table: dict[str, Any]) -> frozenset[str]:
    """The names that a task's texts use, as far as they can be read, and that are no names of its own."""
    inputs, found = table.get("input"), set[str]()
    texts = [*inputs.values()] if isinstance(inputs, dict) else [inputs]
    for text in (*texts, table.get("output")):
        with suppress(ExpressionError):
            found |= set(free_names(parse(text))) if isinstance(text, str) else set()
    own = {*inputs} if isinstance(inputs, dict) else {"input"}
    symbols = table.get("symbols")
    return frozenset(found - own - ({*symbols} if isinstance(symbols, dict) else set()))


# ---------------------------------------------------------------- writing


@dataclass(frozen=True)
class _Piece:
    """A part of the row before it has ids: how it is spelt or which register it is, and its lengths."""

    bounds: tuple[int, int]
    token: str | None = None
    register: int | None = None
    shift: int = 0
    scored: bool = False
    skip: int = 0
    draw: int | None = None
    backwards: bool = False
    known: Known | None = None
    text: str = ""


@dataclass(frozen=True)
class _Parts:
    """A task's instructions, the pieces of its rows, its alphabet, and how many numbers that begins with."""

    lowering: Lowering
    pieces: tuple[_Piece, ...]
    alphabet: tuple[str, ...]
    numerals: int


@dataclass
class _Writing:
    """Lays out the row."""

    task: Task
    lowering: Lowering
    output: tuple[int, list[int]]
    marks: dict[str, tuple[int, int]] = field(default_factory=dict)
    pieces: list[_Piece] = field(default_factory=list)

    def parts(self) -> _Parts:
        marked = list[tuple[int, str]]()
        for item in self.task._items():
            match = _FIELD.fullmatch(item)
            if match is None:
                ends = self.task.loss != "output" and item == END and self._behind_output()
                scored = ends or self.task.loss == "all"
                self.pieces.append(_Piece((1, 1), token=item, scored=scored, text=item))
            elif match[1] == "steps" and self.task.scratchpad == "steps":
                self._steps()
            else:
                self._word(item, match[1], match[2], marked)
        numerals = self._numerals()
        spelt = self.lowering.alphabet() if numerals == self.lowering.numerals else ()
        for place, mark in marked if spelt else ():
            low, high = self.marks[mark]
            own = tuple(f"{mark}:{spelt[id]}" for id in range(low, high + 1))
            if own[0] not in spelt:
                spelt += own
            self.pieces[place] = _with(self.pieces[place], shift=spelt.index(own[0]) - low)
        return _Parts(self.lowering, tuple(self.pieces), spelt, numerals)

    def _behind_output(self) -> bool:
        return bool(self.pieces) and self.pieces[-1].text.startswith("{output")

    def _word(self, item: str, name: str, mark: str | None, marked: list[tuple[int, str]]) -> None:
        names = self.lowering.names
        if name not in names and name != "output":
            message = f"the format writes {{{name}}}, which is no input and not the output"
            raise _Fault("P361", message, ("format",))
        register = self.output[0] if name == "output" else names[name]
        answer, first = name == "output", not any(piece.draw == names.get(name) for piece in self.pieces)
        drawn = names.get(name) if not answer and first else None
        piece = self._piece(item, register, answer)
        if drawn is not None:
            piece = _with(piece, draw=drawn, register=register)
            self._in_order(drawn)
        function = word_functions().get(mark or "")
        if mark == "pairs":
            if self.lowering.registers[register].shape != "mapping":
                raise _Fault("P361", f"{{{name}}} is no mapping: it has no pairs", ("format",))
        elif function is not None and function.parameters == ("list",) and function.result == "list":
            piece = self._turned(piece, function, drawn)
        elif function is not None and drawn is None and len(function.parameters) == 1:
            piece = self._piece(item, self.lowering.apply(function, [register]), answer)
        elif function is not None:
            message = f"{{{name}}} cannot be read again from its {mark}"
            raise _Fault("P361", message, ("format",), "write the input itself, or its reverse")
        elif mark:
            self._mark(mark, register, marked)
        self.pieces.append(piece)

    def _turned(self, piece: _Piece, function: Any, drawn: int | None) -> _Piece:
        if function.name not in ("reverse", "identity") and drawn is not None:
            message = f"{piece.text} cannot be read again"
            raise _Fault("P361", message, ("format",), "write the input itself, or its reverse")
        assert piece.register is not None
        if self.lowering.registers[piece.register].shape == "mapping":
            raise _Fault("P361", f"{piece.text}: a mapping is written in pairs", ("format",))
        turned = self.lowering.apply(function, [piece.register])
        return _with(piece, register=turned, backwards=function.name == "reverse" and drawn is not None)

    def _mark(self, mark: str, register: int, marked: list[tuple[int, str]]) -> None:
        """Tokens of its own: known later, when all that goes by this mark is known."""
        known = self.lowering.registers[register]
        near = get_close_matches(mark, word_functions(), 1, 0.8)
        if near or known.shape == "mapping":
            help = f"did you mean {near[0]}?" if near else "write its pairs, its keys or its values"
            raise _Fault("P361", f"{mark} is no word function, and no mark for tokens", ("format",), help)
        low, high = self.marks.get(mark, (known.extent.low, known.extent.high))
        self.marks[mark] = (min(low, known.extent.low), max(high, known.extent.high))
        marked.append((len(self.pieces), mark))

    def _in_order(self, drawn: int) -> None:
        """What an input depends on is written before it, or the row cannot be read."""
        written = {piece.draw for piece in self.pieces}
        names = list(self.lowering.names)
        if self.lowering.draws[drawn].kind in ("choice", "part"):
            missing = [slot for slot in self._sources(self.lowering.draws[drawn].of) if slot not in written]
            if missing:
                message = (
                    f"{{{names[drawn]}}} is written before {{{names[missing[0]]}}}, which it is chosen from"
                )
                raise _Fault("P361", message, ("format",), f"write {{{names[missing[0]]}}} first")

    def _sources(self, register: int) -> set[int]:
        """The draws that a register's value depends on."""
        inputs = len(self.lowering.names)
        if register < inputs:
            return {register}
        code = self.lowering.code[register - inputs]
        return set[int]().union(*map(self._sources, code.arguments))

    def _piece(self, item: str, register: int, answer: bool) -> _Piece:
        known = self.lowering.registers[register]
        if known.shape == "words":
            register = self.lowering.apply(word_functions()["flatten"], [register])
            known = self.lowering.registers[register]
        times = 2 if known.shape == "mapping" else 1
        bounds = (known.extent.least * times, known.extent.most * times)
        scored = answer or self.task.loss == "all"
        skip = int(answer and self.task.loss.startswith("output_but_first"))
        return _Piece(bounds, register=register, scored=scored, skip=skip, known=known, text=item)

    def _steps(self) -> None:
        """The values on the way to the output, each with a separator: all of it belongs to the answer."""
        for register in self.output[1]:
            self.pieces.append(_with(self._piece("{steps}", register, True), skip=0))
            self.pieces.append(_Piece((1, 1), token=SEP, scored=True, text=SEP))

    def _numerals(self) -> int:
        """How many numbers have tokens: all up to the greatest that is written."""
        most = -1
        for piece in self.pieces:
            if piece.known and piece.known.element == "number":
                most = max(most, piece.known.extent.high)
            if piece.known and piece.known.shape == "mapping" and piece.known.second == "number":
                most = max(most, piece.known.extent.inner[1])
        return most + 1


def _with(piece: _Piece, **changes: Any) -> _Piece:
    return _Piece(**{**vars(piece), **changes})


def _piece(piece: _Piece, tokens: dict[str, int]) -> Piece:
    if piece.token is not None:
        return Piece(token=tokens[piece.token], scored=piece.scored)
    return Piece(word=piece.register, scored=piece.scored, shift=piece.shift, skip=piece.skip)


def _output(text: str, lowering: Lowering) -> tuple[int, list[int]]:
    """The register of the output, and those of the steps of the pipe that leads to it."""
    node, steps = lowering.parse(text), list[Expression]()
    walked: Expression = node
    while isinstance(walked, Call) and walked.piped:
        walked = walked.arguments[0]
        steps.append(walked)
    before = len(lowering.code)
    found = lowering.value(node)
    if not any(
        argument < len(lowering.names) for one in lowering.code[before:] for argument in one.arguments
    ):
        if found >= len(lowering.names):
            raise ExpressionError("the output depends on no input", 0, len(text))
        found = lowering.apply(word_functions()["identity"], [found]) if _flat(lowering, found) else found
    return found, [r for step in reversed(steps) if (r := _step_register(step, lowering, before)) is not None]


def _flat(lowering: Lowering, register: int) -> bool:
    return lowering.registers[register].shape in ("word", "words")


def _step_register(step: Expression, lowering: Lowering, before: int) -> int | None:
    """Where a step's value is: steps are lowered alike, so it is lowered again and found among the code."""
    if not isinstance(step, Call) or step.function.text == "chunk":
        return None
    again = Lowering(lowering.names, lowering.symbols, lowering.numerals, lowering.numbers)
    again.registers = lowering.registers[: len(lowering.names) + before]
    again.code, again.groups = lowering.code[:before], dict(lowering.groups)
    return again.value(step)


def _placed(path: tuple[str, ...], text: str, read: Any) -> Any:
    try:
        return read(text)
    except ExpressionError as fault:
        raise _Fault("P360", str(fault), path, fault.help, (fault.at, fault.width)) from None


class _Fault(ValueError):
    """A problem that leaves nothing to go on with."""

    def __init__(
        self,
        code: str,
        message: str,
        path: tuple[str, ...],
        help: str = "",
        span: tuple[int, int] | None = None,
    ) -> None:
        self.problem = Problem(code, message, path, help, span=span)
        super().__init__(message)


# ---------------------------------------------------------------- checks


def _unclear(parts: _Parts) -> Iterator[Problem]:
    """Inputs of several lengths that run into what follows."""
    draws = parts.lowering.draws
    for one, other in pairwise(parts.pieces):
        if one.draw is None or one.bounds[0] == one.bounds[1] or other.known is None or one.known is None:
            continue
        keys = draws[one.draw].kind == "mapping" and other.draw is not None
        chosen = keys and draws[other.draw or 0].kind == "choice" and draws[other.draw or 0].present == 2**32
        if not chosen and _meet(one, other):
            message = f"nothing says where {one.text} ends and {other.text} begins"
            yield Problem("P363", message, ("format",), "put a token between them")


def _meet(one: _Piece, other: _Piece) -> bool:
    """Whether the words of two pieces can have a token in common."""
    assert one.known is not None
    assert other.known is not None
    a, b = one.known.extent, other.known.extent
    return a.low + one.shift <= b.high + other.shift and b.low + other.shift <= a.high + one.shift


def _prompts(draws: Sequence[Draw]) -> int:
    """How many different prompts there are."""
    total = 1
    for one in draws:
        total *= sum(_ways(one, n) for n in one.lengths.values if n <= 64) or PLENTY
    return total


def _ways(one: Draw, n: int) -> int:
    match one.kind:
        case "permutation":
            return perm(one.count, n)
        case "mapping":
            return perm(one.count, n) * int(one.values[1] ** n)
        case "number":
            return int(9 * 10 ** (n - 1)) + (n == 1)
        case "choice" | "part":
            return 1
    return int(one.count**n)
