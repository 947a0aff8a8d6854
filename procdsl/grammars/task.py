"""Prompt to answer: inputs drawn, a word function of them, written out in a format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from math import perm
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from procdsl.grammars._draws import draw, is_value
from procdsl.grammars._expressions import Call, Expression, ExpressionError, Name, free_names, parse, quoted
from procdsl.grammars._reading import Item, Reader, Walk
from procdsl.grammars._running import hidden, told
from procdsl.grammars._tasks import NUMERALS, Lowering
from procdsl.grammars._words import Words
from procdsl.grammars._writing import FIELD, PAD, SEP, Fault, Parts, Writing, Written, placed
from procdsl.grammars.base import END, PLENTY, AnyGrammar, Grammar, Problem
from procdsl.grammars.words import word_functions
from procdsl.programs.task import Draw, TaskProgram

Count = Annotated[int, Field(ge=1, le=2**20)]


class Task(Grammar):
    """An answer to a prompt: `output` is an expression over the inputs, `format` how both are written.

    Inputs are drawn in their order, from pools of symbols that `symbols` declares, from numbers
    (`range(0, 5)`: 0 to 4), from a group (`group('S5')`, `'A5'`, `'Z60'`, `'S3 x Z4'`), or from a word:
    `uniform(sym, length=8)`, `zipf(sym, length=8, s=1.0)`, `weighted(range(0, 2), 9, 1, length=8)`,
    `sample(sym, length=8)` (all different), `permutation(sym)`, `shuffle(x)`, `number(digits=5)`,
    `mapping(key, value, size=8)`, `choice(x)` (a symbol of x, or, with `present=0.75, pool=sym`, every
    fourth time one that is not in it), `part(x)` (likewise at most half of x in one piece),
    `runs(sym, length=8)` (any number of runs), `bag` (their symbols in any order). A length is a number or
    `uniform(1, 8)`. `word(brackets)` is a word of the grammar of that name, in the spec or in `grammars`
    here, by its own law of lengths: a token of it that is a numeral is that number, one that is spelt like a
    symbol of a pool, or in quotes, is that symbol. One input is called `input`; several are a table of names.
    An input may also be made of those before it, by word functions, as the output is.

    What the row need not show is named in `let`: draws, and words made of them, before the inputs. Then the
    hash of what the prompt shows divides the splits, and a word that hangs on what it does not show is held,
    when a row is read, to its length and symbols, and to what follows from it.

    The output is made by word functions, joined by pipes; `map(f)` does f to each word or symbol,
    `scan(compose)` and `fold(add)` go along a word. A token in quotes is a word of one: `concat(x, '.')`.
    A number is written as one token, or as digits. Where a number stands a name may stand, and the number
    under that name beside `input`, to be swept.
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
    let: dict[str, str] = Field(default_factory=dict)
    input: str | dict[str, str] = Field(default_factory=dict)
    output: str
    format: str | None = None
    scratchpad: Literal["none", "steps"] = "none"
    loss: Literal["output", "output_end", "output_but_first", "output_but_first_pad", "all"] = "output_end"
    symbols: dict[str, Count] = Field(default_factory=dict)
    grammars: dict[str, AnyGrammar] = Field(default={})

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
            pieces=tuple(piece.piece(tokens) for piece in parts.pieces),
            pad=len(tokens) - 1,
            longest=self.longest() + 1,
            shortest=sum(piece.bounds[0] for piece in parts.pieces),
            split=self.held_out.split(),
            scores_pad=self.loss == "output_but_first_pad",
            hashed=_hashed(parts),
        )

    def alphabet(self) -> tuple[str, ...]:
        return self._parts.alphabet

    def tokens(self) -> tuple[str, ...]:
        quoted = self._parts.lowering.quoted
        literals = dict.fromkeys(
            item for item in self._items() if not FIELD.fullmatch(item) and item not in quoted
        )
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

    def references(self) -> tuple[str, ...]:
        names = (name for _, (_, text) in self._texts() for name in _drawn_from(text))
        return tuple(dict.fromkeys(name for name in names if name not in self.grammars))

    def bound(self, grammars: Mapping[str, Grammar]) -> Self:
        return self.model_copy(update={"grammars": {**self.grammars, **grammars}}) if grammars else self

    def problems(self, context: int) -> Iterator[Problem]:
        found = list(self._faults())
        yield from found
        if found:
            return
        if self.longest() > context:
            message = f"the longest row feeds {self.longest()} positions, the context has {context}"
            yield Problem("P352", message, ("output",), f"make the context at least {self.longest()}")
        prompts = _prompts(self.program(), self._parts.lowering.words)
        if prompts < PLENTY and self.held_out.any():
            message = f"there are only {prompts:,} prompts: too few to hold some out"
            yield Problem("P353", message, ("input",), "draw longer inputs, or hold nothing out (held_out)")

    # ------------------------------------------------------------ the parts

    @cached_property
    def _parts(self) -> Parts:
        """What the texts mean. Fault where they mean nothing: `problems` says it first."""
        parts = self._lowered(0)
        if parts.numerals > NUMERALS:
            help = "write it by its digits: | digits"
            raise Fault("P360", f"a number can be as large as {parts.numerals - 1:,}", ("output",), help)
        # Where there are numbers they come first: the pools stand behind them.
        return self._lowered(parts.numerals) if parts.numerals else parts

    def _lowered(self, numerals: int) -> Parts:
        texts = dict(self._texts())
        bare = Lowering({}, self.symbols, numbers=self.__pydantic_extra__)
        drawn = [name for name, (_, text) in texts.items() if not is_value(text, bare, texts)]
        lowering = Lowering(
            {name: slot for slot, name in enumerate(drawn)},
            self.symbols,
            numerals,
            self.__pydantic_extra__,
            _quoted((*(text for _, text in texts.values()), self.output)),
            grammars=self.grammars,
        )
        for name, (path, text) in texts.items():
            if name in drawn:
                placed(path, text, lambda text: draw(text, lowering))
            else:
                lowering.names[name] = placed(path, text, lambda text: lowering.value(lowering.parse(text)))
        if not drawn:
            raise Fault("P360", "a task draws at least one word", ("input",))
        output = placed(("output",), self.output, lambda text: _output(text, lowering))
        return Writing(self._items(), self.loss, self.scratchpad == "steps", lowering, output).parts()

    def _texts(self) -> Iterator[tuple[str, tuple[tuple[str, ...], str]]]:
        """What is drawn, or made of what was drawn before, by name: the place in the table and the text."""
        for name, text in self.let.items():
            yield name, (("let", name), text)
        for name, text in self._inputs().items():
            yield name, (("input",) if isinstance(self.input, str) else ("input", name), text)

    def _inputs(self) -> dict[str, str]:
        return {"input": self.input} if isinstance(self.input, str) else self.input

    def _items(self) -> list[str]:
        steps = "{steps} " if self.scratchpad == "steps" else ""
        written = f" {SEP} ".join(f"{{{name}}}" for name in self._inputs())
        return (self.format or f"{written} {SEP} {steps}{{output}} {END}").split()

    # ------------------------------------------------------------ faults

    def _faults(self) -> Iterator[Problem]:
        """What is wrong with the texts themselves."""
        if not self._inputs() and self.format is None:
            help = 'as in input = "uniform(sym, length=8)"'
            yield Problem("P360", "a task has an input, or a format that shows what `let` names", help=help)
            return
        for name in ({*self._inputs()} & {*self.let}) | ({*self._inputs(), *self.let} & {"output", "steps"}):
            yield Problem("P360", f"{name} is named twice", ("input", name), "call it otherwise")
            return
        try:
            parts = self._parts
        except Fault as fault:
            yield fault.problem
            return
        names = [match[1] for item in self._items() if (match := FIELD.fullmatch(item))]
        for name in (*self._inputs(), "output"):
            if name not in names:
                help = f"add {{{name}}} to it"
                yield Problem("P361", f"the format leaves out {{{name}}}", ("format",), help)
        if self.scratchpad == "steps" and "steps" not in names:
            yield Problem("P361", "the format leaves out {steps}", ("format",), "add {steps} before {output}")
        quoted, spelt = parts.lowering.quoted, Counter(self.alphabet())
        for item in (*self._items(), *quoted):
            if spelt[item] > (item in quoted) or item == PAD:
                message = f"{item} is spelt like a symbol"
                yield Problem("P362", message, ("format",), "<" + item + ">")
        yield from _unclear(parts)

    # ------------------------------------------------------------ reading a row

    def _walk(self, row: Sequence[str]) -> Walk:
        tokens = self.tokens()
        ids = {token: id for id, token in enumerate(tokens)}
        program = self.program()
        places = [ids.get(token, len(tokens)) for token in row]
        reader = Reader(program, places, (*tokens, "?"), self._parts.lowering.words)
        pieces = zip(program.pieces, self._parts.pieces, strict=True)
        walk = reader.walk(
            [Item(piece, one.draw, one.backwards, one.bounds, one.symbols) for piece, one in pieces]
        )
        unknown = next((place for place, token in enumerate(row) if token not in ids), None)
        if unknown is not None and walk.fault:
            return Walk(fault=walk.fault.replace("'?'", repr(row[unknown])))
        return walk


def _drawn_from(text: str) -> Iterator[str]:
    """The grammar that an input is a word of, if it is."""
    with suppress(ExpressionError):
        match parse(text):
            case Call(function=Name(text="word"), arguments=(Name(text=name),)):
                yield name


def _named(table: dict[str, Any]) -> frozenset[str]:
    """The names that a task's texts use, as far as they can be read, and that are no names of its own."""
    inputs, let, found = table.get("input"), table.get("let"), set[str]()
    texts = [*inputs.values()] if isinstance(inputs, dict) else [inputs]
    texts += let.values() if isinstance(let, dict) else ()
    for text in (*texts, table.get("output")):
        with suppress(ExpressionError):
            found |= set(free_names(parse(text))) if isinstance(text, str) else set()
    own = {*inputs} if isinstance(inputs, dict) else {"input"}
    own |= {*let} if isinstance(let, dict) else set()
    symbols = table.get("symbols")
    return frozenset(found - own - ({*symbols} if isinstance(symbols, dict) else set()))


def _output(text: str, lowering: Lowering) -> tuple[int, list[int]]:
    """The register of the output, and those of the steps of the pipe that leads to it."""
    node, steps = lowering.parse(text), list[Expression]()
    walked: Expression = node
    while isinstance(walked, Call) and walked.piped:
        walked = walked.arguments[0]
        steps.append(walked)
    before = len(lowering.code)
    found = lowering.value(node)
    if not hidden(lowering.draws, lowering.code, found, ()):
        raise ExpressionError("the output depends on no input", 0, len(text))
    if found < lowering.inputs + before and _flat(lowering, found):
        found = lowering.apply(word_functions()["identity"], [found])
    return found, [r for step in reversed(steps) if (r := _step_register(step, lowering, before)) is not None]


def _flat(lowering: Lowering, register: int) -> bool:
    return lowering.registers[register].shape in ("word", "words")


def _step_register(step: Expression, lowering: Lowering, before: int) -> int | None:
    """Where a step's value is: steps are lowered alike, so it is lowered again and found among the code."""
    if not isinstance(step, Call) or step.function.text == "chunk":
        return None
    again = replace(
        lowering, code=lowering.code[:before], groups=dict(lowering.groups), added=dict(lowering.added)
    )
    again.registers = lowering.registers[: lowering.inputs + before]
    return again.value(step)


def _quoted(texts: Iterable[str]) -> tuple[str, ...]:
    """The tokens that texts spell in quotes, as far as these can be read."""
    found = dict[str, None]()
    for text in texts:
        with suppress(ExpressionError):
            found.update(dict.fromkeys(quoted(parse(text))))
    return tuple(found)


def _hashed(parts: Parts) -> tuple[int, ...]:
    """The registers that the prompt shows, if these are not all that is drawn."""
    shown = [piece for piece in parts.pieces if piece.register is not None and not piece.answer]
    if {piece.draw for piece in shown} >= set(range(len(parts.lowering.draws))):
        return ()
    return tuple(dict.fromkeys(piece.register for piece in shown if piece.register is not None))


# ---------------------------------------------------------------- checks


def _unclear(parts: Parts) -> Iterator[Problem]:
    """Inputs of several lengths, and words that hang on hidden ones, that run into what follows."""
    draws, known = parts.lowering.draws, set[int]()
    for one, other in pairwise(parts.pieces):
        if one.register is None or one.bounds[0] == one.bounds[1]:
            continue
        free = one.draw is not None or hidden(draws, parts.lowering.code, one.register, known)
        known |= told(draws, parts.lowering.code, one.register)
        chosen = _asked_of(one, other, draws)
        if free and not chosen and {*_ids(one, parts)} & {*_ids(other, parts)}:
            message = f"nothing says where {one.text} ends and {other.text} begins"
            yield Problem("P363", message, ("format",), "put a token between them")


def _asked_of(one: Written, other: Written, draws: Sequence[Draw]) -> bool:
    """Whether a mapping is followed by one of its keys, after which there is no value."""
    if one.draw is None or other.draw is None or draws[one.draw].kind != "mapping":
        return False
    return draws[other.draw].kind == "choice" and draws[other.draw].present == 2**32


def _ids(piece: Written, parts: Parts) -> range:
    """What a piece can begin with, and go on with."""
    if piece.token in parts.lowering.quoted:
        id = parts.alphabet.index(piece.token)
        return range(id, id + 1)
    return range(piece.symbols.start + piece.shift, piece.symbols.stop + piece.shift)


def _prompts(program: TaskProgram, words: Mapping[int, Words]) -> int:
    """How many different prompts there are."""
    total, draws = 1, program.draws
    shown = (hidden(draws, program.code, register, ()) for register in program.prompt)
    for slot in frozenset[int]().union(*shown):
        lengths = [n for n in draws[slot].lengths.values if n <= 64]
        total *= sum(_ways(draws[slot], n, words.get(slot)) for n in lengths) or PLENTY
    return total


def _ways(one: Draw, n: int, words: Words | None) -> int:
    if words is not None:
        found = words.grammar.count(n)
        return PLENTY if found is None else found
    match one.kind:
        case "permutation":
            return perm(one.count, n)
        case "mapping":
            return perm(one.count, n) * int(one.values[1] ** n)
        case "number":
            return int(9 * 10 ** (n - 1)) + (n == 1)
        case "choice" | "part" | "among" | "shuffle":
            return 1
    return int(one.count**n)
