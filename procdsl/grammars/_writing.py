"""How the row of a task is laid out: its format written in pieces, each with what is known of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, TypeVar

from procdsl.grammars._expressions import ExpressionError
from procdsl.grammars._known import Known
from procdsl.grammars._running import OF, hidden
from procdsl.grammars._tasks import Lowering
from procdsl.grammars.base import END, Problem
from procdsl.grammars.words import word_functions
from procdsl.programs.task import Piece

PAD = "<pad>"
SEP = "<sep>"
FIELD = re.compile(r"\{(\w+)(?::(\w+))?\}", re.ASCII)
T = TypeVar("T")


@dataclass(frozen=True)
class Written:
    """A part of the row before it has ids: how it is spelt or which register it is, and its lengths.

    `draw`: the draw that is read from it; `answer`: it belongs to the answer.
    """

    bounds: tuple[int, int]
    token: str | None = None
    register: int | None = None
    shift: int = 0
    scored: bool = False
    skip: int = 0
    answer: bool = False
    draw: int | None = None
    backwards: bool = False
    known: Known | None = None
    text: str = ""

    @property
    def symbols(self) -> range:
        """The ids that the word can hold, before they are shifted."""
        if self.known is None:
            return range(0)
        extent, mapping = self.known.extent, self.known.shape == "mapping"
        low, high = extent.inner if mapping else (extent.low, extent.high)
        return range(min(low, extent.low), max(high, extent.high) + 1)

    def piece(self, ids: dict[str, int]) -> Piece:
        """The same in the program's terms."""
        if self.token is not None:
            return Piece(token=ids[self.token], scored=self.scored)
        return Piece(word=self.register, scored=self.scored, shift=self.shift, skip=self.skip)


@dataclass(frozen=True)
class Parts:
    """A task's instructions, the pieces of its rows, its alphabet, and how many numbers that begins with."""

    lowering: Lowering
    pieces: tuple[Written, ...]
    alphabet: tuple[str, ...]
    numerals: int


@dataclass
class Writing:
    """Lays out the row: the items of a format, of which `loss` says what is scored."""

    items: list[str]
    loss: str
    steps: bool
    lowering: Lowering
    output: tuple[int, list[int]]
    marks: dict[str, tuple[int, int]] = field(default_factory=dict)
    pieces: list[Written] = field(default_factory=list)

    def parts(self) -> Parts:
        marked = list[tuple[int, str]]()
        for item in self.items:
            match = FIELD.fullmatch(item)
            if match is None:
                ends = self.loss != "output" and item == END and self._behind_output()
                scored = ends or self.loss == "all"
                self.pieces.append(Written((1, 1), token=item, scored=scored, text=item))
            elif match[1] == "steps" and self.steps:
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
            self.pieces[place] = replace(self.pieces[place], shift=spelt.index(own[0]) - low)
        return Parts(self.lowering, tuple(self.pieces), spelt, numerals)

    def _behind_output(self) -> bool:
        return bool(self.pieces) and self.pieces[-1].text.startswith("{output")

    def _word(self, item: str, name: str, mark: str | None, marked: list[tuple[int, str]]) -> None:
        names = self.lowering.names
        if name not in names and name != "output":
            message = f"the format writes {{{name}}}, which is no input and not the output"
            raise Fault("P361", message, ("format",))
        register = self.output[0] if name == "output" else names[name]
        answer, first = name == "output", not any(piece.draw == register for piece in self.pieces)
        drawn = register if not answer and first and register < self.lowering.inputs else None
        piece = self._piece(item, register, answer)
        if drawn is not None:
            piece = replace(piece, draw=drawn, register=register)
            self._in_order(drawn)
        function = word_functions().get(mark or "")
        if mark == "pairs":
            if self.lowering.registers[register].shape != "mapping":
                raise Fault("P361", f"{{{name}}} is no mapping: it has no pairs", ("format",))
        elif function is not None and function.parameters == ("list",) and function.result == "list":
            piece = self._turned(piece, function, drawn)
        elif function is not None and drawn is None and len(function.parameters) == 1:
            piece = self._piece(item, self.lowering.apply(function, [register]), answer)
        elif function is not None:
            message = f"{{{name}}} cannot be read again from its {mark}"
            raise Fault("P361", message, ("format",), "write the input itself, or its reverse")
        elif mark:
            self._mark(mark, register, marked)
        self.pieces.append(piece)

    def _turned(self, piece: Written, function: Any, drawn: int | None) -> Written:
        if function.name not in ("reverse", "identity") and drawn is not None:
            message = f"{piece.text} cannot be read again"
            raise Fault("P361", message, ("format",), "write the input itself, or its reverse")
        assert piece.register is not None
        if self.lowering.registers[piece.register].shape == "mapping":
            raise Fault("P361", f"{piece.text}: a mapping is written in pairs", ("format",))
        turned = self.lowering.apply(function, [piece.register])
        return replace(piece, register=turned, backwards=function.name == "reverse" and drawn is not None)

    def _mark(self, mark: str, register: int, marked: list[tuple[int, str]]) -> None:
        """Tokens of its own: known later, when all that goes by this mark is known."""
        known = self.lowering.registers[register]
        near = get_close_matches(mark, word_functions(), 1, 0.8)
        if near or known.shape == "mapping":
            help = f"did you mean {near[0]}?" if near else "write its pairs, its keys or its values"
            raise Fault("P361", f"{mark} is no word function, and no mark for tokens", ("format",), help)
        low, high = self.marks.get(mark, (known.extent.low, known.extent.high))
        self.marks[mark] = (min(low, known.extent.low), max(high, known.extent.high))
        marked.append((len(self.pieces), mark))

    def _in_order(self, drawn: int) -> None:
        """What an input depends on is written before it if at all, or the row cannot be read."""
        draws, names = self.lowering.draws, list(self.lowering.names)
        if draws[drawn].kind not in OF:
            return
        written = {piece.draw for piece in self.pieces if piece.draw is not None}
        shown = {match[1] for item in self.items if (match := FIELD.fullmatch(item))}
        missing = [names[slot] for slot in hidden(draws, self.lowering.code, draws[drawn].of, written)]
        if missing and shown.issuperset(missing):
            message = f"{{{names[drawn]}}} is written before {{{missing[0]}}}, which it is chosen from"
            raise Fault("P361", message, ("format",), f"write {{{missing[0]}}} first")

    def _piece(self, item: str, register: int, answer: bool) -> Written:
        known = self.lowering.registers[register]
        if known.shape == "words":
            register = self.lowering.apply(word_functions()["flatten"], [register])
            known = self.lowering.registers[register]
        times = 2 if known.shape == "mapping" else 1
        bounds = (known.extent.least * times, known.extent.most * times)
        scored = answer or self.loss == "all"
        skip = int(answer and self.loss.startswith("output_but_first"))
        return Written(
            bounds, register=register, scored=scored, skip=skip, answer=answer, known=known, text=item
        )

    def _steps(self) -> None:
        """The values on the way to the output, each with a separator: all of it belongs to the answer."""
        for register in self.output[1]:
            self.pieces.append(replace(self._piece("{steps}", register, True), skip=0))
            self.pieces.append(Written((1, 1), token=SEP, scored=True, text=SEP))

    def _numerals(self) -> int:
        """How many numbers have tokens: all up to the greatest that is written."""
        most = self.lowering.greatest
        for piece in self.pieces:
            if piece.known and piece.known.element == "number":
                most = max(most, piece.known.extent.high)
            if piece.known and piece.known.shape == "mapping" and piece.known.second == "number":
                most = max(most, piece.known.extent.inner[1])
        return most + 1


def placed(path: tuple[str, ...], text: str, read: Callable[[str], T]) -> T:
    """What is read of a text. Fault, at its place, where it means nothing."""
    try:
        return read(text)
    except ExpressionError as fault:
        raise Fault("P360", str(fault), path, fault.help, (fault.at, fault.width)) from None


class Fault(ValueError):
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
