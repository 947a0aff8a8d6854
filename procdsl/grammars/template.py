"""Texts with slots, and values that follow from what the slots hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Literal

from pydantic import ConfigDict, Field

from procdsl.errors import Severity
from procdsl.grammars._draws import word_draw
from procdsl.grammars._known import Known
from procdsl.grammars._tasks import NUMERAL, NUMERALS, Lowering
from procdsl.grammars._template_reading import Reader
from procdsl.grammars._templates import Bounds, Item, Sheet, Slot, Text, Unit, items, sheet, slot, unclear
from procdsl.grammars._writing import PAD, Fault
from procdsl.grammars.base import END, Grammar, Problem
from procdsl.grammars.regular.deterministic import Dfa, determinise
from procdsl.grammars.regular.grammar import RegularGrammar
from procdsl.grammars.regular.nondeterministic import union, word
from procdsl.grammars.words import Extent, word_functions
from procdsl.programs.base import Lengths
from procdsl.programs.task import Draw, Formula, Instruction, Piece, TaskProgram

MINUS = "-"
# Held-out prompts that are enough to measure on, and draws of which a condition lets one pass, at the least.
ENOUGH, RAREST = 500, 10


class Template(Grammar):
    """A text with slots that are drawn, and values that are computed: word problems, questions, records.

    In `text`, `{name}` is a slot or a value; `{{` and `}}` are braces, and a name in angle brackets, such as
    `<sep>`, is one token. Every row ends with `<end>`, written or not. A slot is a list of texts, or
    `integer(2, 20)`, a number from 2 to 20, all alike. A value is a formula of slots and of values before it:
    whole numbers, `+ - * // %`, comparisons, `and or not`, `a if c else b`. `where` is a condition: what does
    not meet it is drawn again, and of ten draws one has to; texts can be compared, `name != friend`.

    Tokens are characters: `0` to `9`, then those of the texts by code point; a blank is spelt `␣`, a new line
    `↵`. With `tokens = "words"` they are words and marks, and the numbers from 0 on, each one token.

    `loss` says what is scored: the value called `answer` and the token behind it, which tells where it ends
    (`answer`), every value so (`values`), or all of the row.

    ```toml
    kind   = "template"
    text   = "{name} has {a} apples and gives {b} to {friend}. {name} keeps {answer}."
    values = { answer = "a - b" }
    where  = "a > b and name != friend"
    slots.name   = ["Ada", "Ben", "Cem"]
    slots.friend = ["Ada", "Ben", "Dina"]
    slots.a      = "integer(2, 200)"
    slots.b      = "integer(1, 200)"
    ```
    """

    model_config = ConfigDict(serialize_by_alias=True)
    kind: Literal["template"] = "template"
    text: str = Field(min_length=1, max_length=10_000)
    slots: dict[str, tuple[str, ...] | str] = Field(min_length=1)
    values: dict[str, str] = Field(default={})
    where: str | None = None
    unit: Unit = Field(default="characters", alias="tokens")
    loss: Literal["answer", "values", "all"] = "answer"

    def program(self) -> TaskProgram:
        laid, tokens = self._laid, {token: id for id, token in enumerate(self.tokens())}
        return TaskProgram(
            symbols=len(self.alphabet()),
            draws=tuple(laid.lowering.draws),
            code=tuple(laid.lowering.code),
            pieces=tuple(
                Piece(token=tokens[one], scored=scored)
                if isinstance(one, str)
                else Piece(word=one, scored=scored)
                for one, scored, _ in laid.pieces
            ),
            pad=len(tokens) - 1,
            longest=self.longest() + 1,
            shortest=sum(bounds[0] for _, _, bounds in laid.pieces),
            split=self.held_out.split(),
            where=laid.where,
            hashed=laid.hashed,
        )

    def alphabet(self) -> tuple[str, ...]:
        return self._laid.lowering.alphabet()

    def tokens(self) -> tuple[str, ...]:
        own = dict.fromkeys(token for one in self._parts if _own(one) for token in one.tokens)
        return (*self.alphabet(), *own, PAD)

    def longest(self) -> int:
        """Positions fed by the longest row: its tokens but the last."""
        return max(sum(bounds[1] for _, _, bounds in self._laid.pieces) - 1, 1)

    def reason(self, word: Sequence[str]) -> str | None:
        reader = self._reader(word)
        walk = reader.walk()
        return walk.fault or (None if walk.complete else f"it ends too early, after {len(word)} tokens")

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        reader = self._reader(prefix)
        complete = reader.walk().complete and length in (None, len(prefix))
        return frozenset({*reader.legal, *({END} if complete else ())})

    def problems(self, context: int) -> Iterator[Problem]:
        try:
            self._laid  # noqa: B018 - what cannot be laid out says why
        except Fault as fault:
            yield fault.problem
            return
        for one in unclear(self._parts, self._sheet.slots, self.unit):
            name = self._sheet.names[one.name or 0]
            help = "put something between them that it cannot hold"
            yield Problem("P363", f"nothing says where {{{name}}} ends", ("text",), help, span=one.span)
        if self.longest() > context:
            message = f"the longest row feeds {self.longest():,} positions, the context has {context:,}"
            yield Problem("P352", message, ("text",), f"make the context at least {self.longest():,}")
        yield from self._scarcity()

    def _scarcity(self) -> Iterator[Problem]:
        """How many prompts there are, and what part of the draws the condition lets pass."""
        passed, of = self._sheet.passing
        prompts = prod(one.ways for one in self._sheet.slots) * passed // of
        held = [share for share in (self.held_out.validation, self.held_out.test) if share]
        if held and prompts * min(held) < ENOUGH:
            message = f"there are only {prompts:,} prompts: too few to hold {min(held):.2g} of them out"
            yield Problem("P353", message, ("slots",), "wider slots, a larger held_out, or nothing held out")
        if self.where is not None:
            about = "about " if None in self._sheet.allowed.values() else ""
            message = f"{about}{passed / of:.1%} of the draws meet the condition: the others are drawn again"
            yield Problem("P368", message, ("where",), severity=Severity.NOTE)

    # ------------------------------------------------------------ the parts

    @cached_property
    def _sheet(self) -> Sheet:
        slots = {name: slot(name, written, self.unit) for name, written in self.slots.items()}
        found = sheet(slots, self.values, self.where)
        passed, of = found.passing
        if passed * RAREST < of:
            met = f"only {passed / of:.2%} of the draws meet it" if passed else "no draw meets it"
            help = "compute a value instead, or draw from where it holds"
            raise Fault(
                "P368", f"the condition is too rare: {met}", ("where",), help, (0, len(self.where or ""))
            )
        return found

    @cached_property
    def _parts(self) -> list[Item]:
        """The text in parts, its end the last."""
        names = self._sheet.names
        found = items(self.text, names, self.unit)
        ends = [one for one in found if END in one.tokens and _own(one)]
        found = found if ends and found[-1] == ends[0] else [*found, Item((END,))]
        if wrong := [one for one in found[:-1] if _own(one) and one.tokens[0] in (END, PAD)]:
            raise Fault(
                "P361",
                f"a row goes on behind {wrong[0].tokens[0]}",
                ("text",),
                "write it last",
                wrong[0].span,
            )
        self._check_names(found)
        return found

    def _check_names(self, found: list[Item]) -> None:
        """Fault where a name is nowhere used, or a value stands before what it follows from."""
        made, shown = self._sheet, set[int]()
        for one in found:
            if one.name is not None and one.name >= len(made.slots):
                for missing in sorted(made.needs(made.formulas[one.name - len(made.slots)]) - shown):
                    name, needed = made.names[one.name], made.names[missing]
                    message = f"{{{name}}} stands before {{{needed}}}, which it needs"
                    raise Fault("P361", message, ("text",), f"write {{{needed}}} first", one.span)
            shown |= {one.name} if one.name is not None else set()
        used = shown | {
            int(name) for one in (*made.formulas, made.where) for size, name in one if size == "size"
        }
        for place, name in enumerate(made.names):
            is_slot = place < len(made.slots)
            if place not in (shown if is_slot else used):
                path = ("slots" if is_slot else "values", name)
                raise Fault(
                    "P361", f"the text leaves out {{{name}}}", path, "write it there, or leave it out here"
                )
        asked = shown - {*range(len(made.slots))}
        if self.loss == "answer":
            asked = {name for name in asked if made.names[name] == "answer"}
        if self.loss != "all" and not asked:
            message = "the text writes no value" + (" called answer" if self.loss == "answer" else "")
            raise Fault("P361", message, ("text",), 'compute one, or write loss = "all"')

    @cached_property
    def _laid(self) -> _Laid:
        return _Laying(self._sheet, self._parts, self.unit, self.loss).laid()

    def _reader(self, row: Sequence[str]) -> Reader:
        return Reader(self._sheet, self._parts, self._spelt, row, self.unit)

    def _spelt(self, name: int, value: int) -> Text:
        """How a slot's or value's value is written."""
        made = self._sheet
        if name < len(made.slots) and made.slots[name].texts:
            return made.slots[name].texts[made.slots[name].codes.index(value)]
        return tuple(str(value)) if self.unit == "characters" else (str(value),)


def _own(item: Item) -> bool:
    """Whether this is a token of its own, no text."""
    return (
        item.name is None and len(item.tokens) == 1 and len(item.tokens[0]) > 2 and item.tokens[0][0] == "<"
    )


# ---------------------------------------------------------------- laying it out


@dataclass(frozen=True)
class _Laid:
    """Instructions, and the row: a token of its own, or a register; whether it is scored; its lengths."""

    lowering: Lowering
    pieces: list[tuple[str | int, bool, Bounds]]
    where: int | None
    hashed: tuple[int, ...]


class _Laying:
    """Lowers a template: slots to draws, values and the condition to formulas, numbers to their digits."""

    def __init__(self, made: Sheet, parts: list[Item], unit: Unit, loss: str) -> None:
        self.made, self.parts, self.unit, self.loss = made, parts, unit, loss
        self.ranges = [made.least_and_greatest(value) for value in range(len(made.formulas))]
        names = {name: place for place, name in enumerate(made.names[: len(made.slots)])}
        self.lowering = Lowering(names, {}, self._numerals())
        self.registers = {place: place for place in range(len(made.slots))}
        self.written: dict[int, list[tuple[int, Bounds]]] = {}

    def laid(self) -> _Laid:
        texts = [one.tokens for one in self.parts if not _own(one)]
        texts += [text for one in self.made.slots for text in one.texts]
        for token in sorted({token for text in texts for token in text}):
            self.lowering.symbol(token)
        for place, one in enumerate(self.made.slots):
            self._draw(place, one)
        # First of all: values are within their bounds only where the condition is met.
        where = self._formula(self.made.where, (0, 1)) if self.made.where else None
        hashed = tuple(register for place in range(len(self.made.slots)) for register, _ in self._word(place))
        pieces = [piece for place in range(len(self.parts)) for piece in self._pieces(place)]
        return _Laid(self.lowering, pieces, where, hashed if max(hashed) >= len(self.made.slots) else ())

    def _numerals(self) -> int:
        """How many numbers have tokens: ten digits, or all up to the greatest."""
        if self.unit == "characters":
            return 10
        texts = (
            *(one.tokens for one in self.parts),
            *(text for one in self.made.slots for text in one.texts),
        )
        spelt = [int(token) for text in texts for token in text if NUMERAL.fullmatch(token)]
        highs = [one.high for one in self.made.slots if not one.texts]
        for name, (low, high) in zip(self.made.names[len(self.made.slots) :], self.ranges, strict=True):
            if low < 0:
                help = 'add a condition, or write tokens = "characters"'
                raise Fault("P360", f"{name} can be {low:,}, which is no token", ("values", name), help)
            highs.append(high)
        most = max(*spelt, *highs, 0)
        if most >= NUMERALS:
            raise Fault(
                "P360", f"a number can be as large as {most:,}", ("tokens",), 'write tokens = "characters"'
            )
        return most + 1

    def _draw(self, place: int, one: Slot) -> None:
        if one.texts:
            spelt = tuple(sorted({token for text in one.texts for token in text}))
            listed = _Listed(length=1, spelt=spelt, listed=one.texts)
            made, known = word_draw(listed, listed.program(), self.lowering)
        else:
            made = Draw(kind="uniform", first=one.low, count=one.ways, lengths=Lengths(values=(1,)))
            known = Known(Extent(1, 1, one.low, one.high), "word", "number")
        self.lowering.registers[place] = known
        self.lowering.draws.append(made)

    def _pieces(self, place: int) -> Iterator[tuple[str | int, bool, Bounds]]:
        item, scored = self.parts[place], self._scored(place)
        if item.name is not None:
            yield from ((register, scored, bounds) for register, bounds in self._word(item.name))
        elif _own(item):
            yield item.tokens[0], scored, (1, 1)
        else:
            # The first token behind an answer says that it has ended.
            for number, token in enumerate(item.tokens):
                yield token, self.loss == "all" or (scored and number == 0), (1, 1)

    def _scored(self, place: int) -> bool:
        """Whether a part is an answer, or stands right behind one."""
        if self.loss == "all" or self._answers(place):
            return True
        return self.parts[place].name is None and place > 0 and self._answers(place - 1)

    def _answers(self, place: int) -> bool:
        name, first = self.parts[place].name, len(self.made.slots)
        return (
            name is not None
            and name >= first
            and (self.loss == "values" or self.made.names[name] == "answer")
        )

    def _word(self, name: int) -> list[tuple[int, Bounds]]:
        """The registers that write a slot or value."""
        if name not in self.written:
            self.written[name] = self._spelt(name)
        return self.written[name]

    def _spelt(self, name: int) -> list[tuple[int, Bounds]]:
        register = self._register(name)
        known = self.lowering.registers[register]
        if self.unit == "words" or (name < len(self.made.slots) and self.made.slots[name].texts):
            return [(register, (known.extent.least, known.extent.most))]
        low, high = known.extent.low, known.extent.high
        pieces = list[tuple[int, Bounds]]()
        if low < 0:
            sign = self.lowering.constants([self.lowering.symbol(MINUS)])
            below = self._apply([("size", 0.0), ("number", 0.0), ("<", 0.0)], [register], (0, 1))
            taken = self.lowering.apply(word_functions()["take"], [sign, below])
            pieces.append((taken, (int(high < 0), 1)))
            register = self._apply(_MAGNITUDE, [register], (max(low, -high, 0), max(-low, high)))
        digits = self.lowering.apply(word_functions()["digits"], [register])
        extent = self.lowering.registers[digits].extent
        return [*pieces, (digits, (extent.least, extent.most))]

    def _register(self, name: int) -> int:
        """Where a slot's or value's value is held."""
        if name not in self.registers:
            value = name - len(self.made.slots)
            self.registers[name] = self._formula(self.made.formulas[value], self.ranges[value])
        return self.registers[name]

    def _formula(self, one: Formula, bounds: Bounds) -> int:
        """A formula over registers: texts are compared as words, whose comparison is a number."""
        out, arguments = list[tuple[str, float]](), list[int]()
        for operator, place in one:
            texts = [
                arguments[int(j)]
                for size, j in out[-2:]
                if size == "size" and self._is_text(arguments[int(j)])
            ]
            if operator in ("==", "!=") and len(texts) == 2:
                out[-2:] = [("size", float(len(arguments))), ("number", 1.0)]
                arguments.append(self.lowering.apply(word_functions()["compare"], texts))
            if operator == "size":
                arguments.append(self._register(int(place)))
                place = float(len(arguments) - 1)
            out.append((operator, place))
        return self._apply(out, arguments, bounds)

    def _is_text(self, register: int) -> bool:
        return register < len(self.made.slots) and bool(self.made.slots[register].texts)

    def _apply(self, one: Sequence[tuple[str, float]], arguments: Sequence[int], bounds: Bounds) -> int:
        made = Instruction(function="formula", arguments=tuple(arguments), formula=tuple(one))
        return self.lowering.add(made, Known(Extent(1, 1, *bounds), "word", "number"))


# -v if v < 0 else v
_MAGNITUDE: Formula = (
    ("number", 0.0), ("size", 0.0), ("-", 0.0),
    ("size", 0.0), ("number", 0.0), ("<", 0.0),
    ("size", 0.0), ("if", 0.0),
)  # fmt: skip


class _Listed(RegularGrammar):
    """Some texts, all alike."""

    spelt: Text
    listed: tuple[Text, ...]

    def alphabet(self) -> Text:
        return self.spelt

    def lengths(self) -> Lengths:
        sizes = sorted(map(len, self.listed))
        counts = {n: sizes.count(n) for n in sizes}
        alike = len({*counts.values()}) == 1
        return Lengths(values=tuple(counts), weights=() if alike else tuple(counts.values()))

    def recognised(self) -> Dfa:
        ids = {token: id for id, token in enumerate(self.spelt)}
        words = [word(ids[token] for token in text) for text in self.listed]
        return determinise(union(words), len(self.spelt), sum(map(len, self.listed)) + 1)

    def faults(self) -> Iterator[Problem]:
        return iter(())
