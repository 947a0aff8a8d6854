"""Templates as they are written: tokens of texts, what slots can hold, what values can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, product
from math import prod
from operator import eq
from typing import Literal, NamedTuple

from procdsl.grammars._expressions import Call, ExpressionError, Name, Number, parse
from procdsl.grammars._formulas import evaluate, formula
from procdsl.grammars._tasks import meant
from procdsl.grammars._writing import Fault, placed
from procdsl.programs.task import Formula
from procdsl.streams import Stream

Unit = Literal["characters", "words"]
Text = tuple[str, ...]
Bounds = tuple[int, int]
# Draws that are gone through one by one; of more, so many are taken for all.
EVERY, SOME = 50_000, 20_000
# Up to here doubles hold whole numbers, their quotients too.
GREATEST = 2**50
# Symbols of all the texts of a slot.
ROOM = 20_000
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_WORDS = frozenset({"if", "else", "and", "or", "not"})
_PARTS = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|(<[a-z_]+>)|[{}]|[^{}<]+|<")
_SHOWN = {" ": "␣", "\n": "↵", "\t": "⇥"}


def tokenised(text: str, unit: Unit) -> Text:
    """A text as tokens: its characters, or its words and marks.

    >>> tokenised("7 up!", "characters"), tokenised("7 up!", "words")
    (('7', '␣', 'u', 'p', '!'), ('7', 'up', '!'))
    """
    if unit == "words":
        return tuple(re.findall(r"\w+|[^\w\s]", text))
    return tuple(_SHOWN.get(character, character) for character in text)


# ---------------------------------------------------------------- the text


class Item(NamedTuple):
    """A part of the text: tokens, or a slot or value, at its place among the names."""

    tokens: Text = ()
    name: int | None = None
    span: tuple[int, int] = (0, 0)


def items(text: str, names: Sequence[str], unit: Unit) -> list[Item]:
    """The text in parts; tokens of its own (``<sep>``) are parts too. Fault where its braces are wrong."""
    found = list[Item]()
    for part in _PARTS.finditer(text):
        span = part.start(), part.end() - part.start()
        if part[1] is not None:
            if part[1] not in names:
                raise Fault("P361", *_no_name(part[1], names), span)
            found.append(Item(name=names.index(part[1]), span=span))
        elif part[2] is not None:
            found.append(Item((part[2],), span=span))
        elif part[0] in ("{", "}"):
            message, help = f"{part[0]} has no partner", f"write {part[0] * 2} for the mark itself"
            raise Fault("P361", message, ("text",), help, span)
        else:
            found.append(
                Item(tokenised(part[0][:1] if part[0] in ("{{", "}}") else part[0], unit), span=span)
            )
    return [item for item in found if item.tokens or item.name is not None]


def _no_name(name: str, names: Sequence[str]) -> tuple[str, tuple[str, ...], str]:
    fault = meant(Name(name, 0), tuple(names), "slot and no value", "names in braces are slots or values")
    return str(fault) if name else "nothing stands between the braces", ("text",), fault.help


# ---------------------------------------------------------------- slots


@dataclass(frozen=True)
class Slot:
    """Whole numbers from `low` to `high`, or `texts`; all alike. `codes` number texts: equal ones alike."""

    low: int = 0
    high: int = 0
    texts: tuple[Text, ...] = ()
    codes: tuple[int, ...] = ()

    @property
    def ways(self) -> int:
        return len(self.texts) or self.high - self.low + 1

    @property
    def domain(self) -> Sequence[int]:
        """Its values: of texts, their codes."""
        return self.codes or range(self.low, self.high + 1)


def slot(name: str, written: Sequence[str] | str, unit: Unit) -> Slot:
    """A slot as it is written: ``integer(2, 20)``, or a list of texts."""
    path = ("slots", name)
    if not _NAME.fullmatch(name) or name in _WORDS:
        raise Fault("P360", f"{name!r} cannot be the name of a slot", path, "small letters, digits and _")
    if isinstance(written, str):
        return placed(path, written, _integer)
    texts = tuple(tokenised(text, unit) for text in written)
    twice = next((text for text in written if written.count(text) > 1), None)
    if not texts or not all(texts) or twice is not None or len(set(texts)) < len(texts):
        what = "is empty" if not texts or not all(texts) else f"has {twice or written[0]!r} twice"
        raise Fault("P360", f"{name} {what}", path, "give it different texts")
    if sum(map(len, texts)) > ROOM:
        raise Fault("P360", f"the texts of {name} have over {ROOM:,} tokens", path, "shorten the list")
    return Slot(texts=texts)


def _integer(text: str) -> Slot:
    match parse(text):
        case Call(
            function=Name(text="integer"),
            arguments=(Number(value=int(low), at=at), Number(value=int(high))),
            named=(),
        ):
            if low > high or high > 10**9:
                raise ExpressionError(f"no number up to 10⁹ is at least {low} and at most {high}", at)
            return Slot(low, high)
        case node:
            raise meant(node, ("integer",), "slot", "a list of texts, or integer(2, 20): from 2 to 20")


# ---------------------------------------------------------------- values


class Group(NamedTuple):
    """Parts of a condition that are about the same slots, and no others about any of these."""

    slots: tuple[int, ...]
    parts: tuple[Formula, ...]


@dataclass(frozen=True)
class Sheet:
    """The slots, then the values as formulas of the names before them, and the condition, if there is one."""

    names: tuple[str, ...]
    slots: tuple[Slot, ...]
    formulas: tuple[Formula, ...]
    where: Formula = ()

    def filled(self, drawn: Mapping[int, int]) -> list[int]:
        """What all names hold, given what the slots do, as far as that matters."""
        row = [drawn.get(place, one.domain[0]) for place, one in enumerate(self.slots)]
        for one in self.formulas:
            row.append(int(evaluate(one, 0, 0, row)))
        return row

    def needs(self, one: Formula) -> frozenset[int]:
        """The slots that a formula depends on."""
        found, first = set[int](), len(self.slots)
        for operator, place in one:
            if operator == "size":
                name = int(place)
                found |= {name} if name < first else self.needs(self.formulas[name - first])
        return frozenset(found)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The condition in parts that do not depend on one another."""
        found = list[Group]()
        for part in _conjuncts(self.where):
            slots, parts = self.needs(part), [part]
            for other in [group for group in found if not slots.isdisjoint(group.slots)]:
                found.remove(other)
                slots, parts = slots.union(other.slots), [*other.parts, *parts]
            found.append(Group(tuple(sorted(slots)), tuple(parts)))
        return tuple(found)

    def group(self, slot: int) -> Group | None:
        """The part of the condition that a slot is in."""
        return next((group for group in self.groups if slot in group.slots), None)

    @cached_property
    def allowed(self) -> dict[Group, list[tuple[int, ...]] | None]:
        """What the slots of a group may hold together; None where they are too many to try."""
        found = dict[Group, list[tuple[int, ...]] | None]()
        for group in self.groups:
            rows = self._rows(group.slots)
            found[group] = None if rows is None else [tuple(row[j] for j in group.slots) for row in rows]
        return found

    @cached_property
    def passing(self) -> tuple[int, int]:
        """Of how many draws how many meet the condition: of all, or of some."""
        found = list(self.allowed.items())
        known = [rows for _, rows in found if rows is not None]
        if len(known) == len(found):
            return prod(map(len, known)), prod(self.slots[j].ways for group, _ in found for j in group.slots)
        stream, passed = Stream(0, 0), 0
        for _ in range(SOME):
            drawn = {j: one.domain[stream.below(one.ways)] for j, one in enumerate(self.slots)}
            passed += self.meets(self.groups, self.filled(drawn))
        return passed, SOME

    def meets(self, groups: Iterable[Group], row: Sequence[int]) -> bool:
        """Whether these parts of the condition hold."""
        return all(evaluate(part, 0, 0, row) for group in groups for part in group.parts)

    @cached_property
    def bounds(self) -> list[Bounds]:
        """Within what all names stay, without the condition. OverflowError where doubles do not hold it."""
        known = [(one.domain[0], one.domain[-1]) for one in self.slots]
        for one in self.formulas:
            known.append(_bounds(one, known))
        if self.where:
            _bounds(self.where, known)
        return known

    def least_and_greatest(self, value: int) -> Bounds:
        """What a value can be: of all draws that meet the condition, if they are few; else its bounds."""
        place = len(self.slots) + value
        rows = self._rows(self.needs(self.formulas[value]))
        if not rows:
            return self.bounds[place]
        return min(row[place] for row in rows), max(row[place] for row in rows)

    def _rows(self, free: Iterable[int]) -> list[list[int]] | None:
        """All rows that differ in these slots and what goes with them; None where they are too many."""
        groups = [group for group in self.groups if not set(group.slots).isdisjoint(free)]
        places = sorted({*free, *(j for group in groups for j in group.slots)})
        if prod(self.slots[j].ways for j in places) > EVERY:
            return None
        if tuple(places) not in self._tried:
            drawn = product(*(self.slots[j].domain for j in places))
            rows = (self.filled(dict(zip(places, one, strict=True))) for one in drawn)
            self._tried[tuple(places)] = [row for row in rows if self.meets(groups, row)]
        return self._tried[tuple(places)]

    @cached_property
    def _tried(self) -> dict[tuple[int, ...], list[list[int]]]:
        return {}


def _conjuncts(one: Formula) -> Iterator[Formula]:
    """The parts that `and` joins at the top."""
    starts = list[int]()
    for place, (operator, _) in enumerate(one):
        if operator in ("number", "size"):
            starts.append(place)
        else:
            count = {"not": 1, "if": 3}.get(operator, 2)
            taken, starts = starts[-count:], starts[: len(starts) - count + 1]
            if operator == "and" and place == len(one) - 1:
                yield from _conjuncts(one[taken[0] : taken[1]])
                yield from _conjuncts(one[taken[1] : place])
                return
    if one:
        yield one


def sheet(slots: dict[str, Slot], values: dict[str, str], where: str | None) -> Sheet:
    """The values and the condition, read. Fault where they mean nothing, or are too large."""
    names, formulas, texts = list(slots), list[Formula](), [bool(one.texts) for one in slots.values()]
    for name, text in values.items():
        path = ("values", name)
        if not _NAME.fullmatch(name) or name in _WORDS or name in names:
            raise Fault("P360", f"{name!r} cannot be the name of a value", path, "give it a name of its own")
        formulas.append(placed(path, text, _reader(names, texts)))
        names.append(name)
        texts.append(False)
    condition = placed(("where",), where, _reader(names, texts)) if where is not None else ()
    made = Sheet(tuple(names), tuple(_coded(slots.values())), tuple(formulas), condition)
    try:
        assert made.bounds
    except OverflowError:
        message = f"what is computed here can pass {GREATEST:,}"
        raise Fault(
            "P360", message, ("values",) if formulas else ("where",), "draw smaller numbers"
        ) from None
    return made


def _coded(slots: Iterable[Slot]) -> Iterator[Slot]:
    """The slots with a code for each text, whichever slots have it."""
    codes = dict[Text, int]()
    for one in slots:
        yield replace(one, codes=tuple(codes.setdefault(text, len(codes)) for text in one.texts))


def _reader(names: Sequence[str], texts: Sequence[bool]) -> Callable[[str], Formula]:
    def read(text: str) -> Formula:
        if fraction := re.search(r"\d+\.\d+", text):
            width = fraction.end() - fraction.start()
            raise ExpressionError(
                "numbers are whole here", fraction.start(), width, "// divides and rounds down"
            )
        made = formula(text, tuple(names), noun="slot or value", steps=())
        if (wrong := _misused(made, texts)) is not None:
            at = re.search(rf"\b{names[wrong]}\b", text)
            help = "texts can only be compared: == or !="
            raise ExpressionError(
                f"{names[wrong]} is a text", at.start() if at else 0, len(names[wrong]), help
            )
        return made

    return read


def _misused(made: Formula, texts: Sequence[bool]) -> int | None:
    """A text that is taken for a number."""
    stack = list[int]()
    for operator, place in made:
        if operator == "number":
            stack.append(-1)
        elif operator == "size":
            stack.append(int(place) if texts[int(place)] else -1)
        else:
            count = {"not": 1, "if": 3}.get(operator, 2)
            taken, stack = stack[-count:], [*stack[:-count], -1]
            alike = operator in ("==", "!=") and min(taken) >= 0
            if max(taken) >= 0 and not alike:
                return max(taken)
    return stack[0] if stack[0] >= 0 else None


# ---------------------------------------------------------------- bounds


def _bounds(one: Formula, known: Sequence[Bounds]) -> Bounds:
    """Bounds of a formula's value, given those of what it names."""
    stack = list[Bounds]()
    for operator, place in one:
        if operator == "number":
            stack.append((int(place), int(place)))
        elif operator == "size":
            stack.append(known[int(place)])
        elif operator == "not":
            stack[-1] = (0, 1)
        elif operator == "if":
            then, _, otherwise = stack[-3:]
            stack[-3:] = [(min(then[0], otherwise[0]), max(then[1], otherwise[1]))]
        else:
            stack[-2:] = [_applied(operator, *stack[-2:])]
        if max(-stack[-1][0], stack[-1][1]) > GREATEST:
            raise OverflowError
    return stack[0]


def _applied(operator: str, a: Bounds, b: Bounds) -> Bounds:
    match operator:
        case "+":
            return a[0] + b[0], a[1] + b[1]
        case "-":
            return a[0] - b[1], a[1] - b[0]
        case "*":
            ends = [x * y for x in a for y in b]
            return min(ends), max(ends)
        case "//":
            most = max(abs(a[0]), abs(a[1]))
            return (0 if a[0] >= 0 and b[0] >= 0 else -most), most
        case "%":
            return min(b[0] + 1, 0), max(b[1] - 1, 0)
    return 0, 1


# ---------------------------------------------------------------- where parts end


def unclear(parts: Sequence[Item], slots: Sequence[Slot], unit: Unit) -> Iterator[Item]:
    """Slots of which nothing says where they end: some of their texts go on where others have ended."""
    for one, other in pairwise(parts):
        if one.name is None or one.name >= len(slots):
            continue
        held = slots[one.name]
        if held.texts:
            rests = (text[n:] for text in held.texts for n in range(1, len(text)) if text[:n] in held.texts)
        else:
            several = unit == "characters" and len(str(held.low)) < len(str(held.high))
            rests = ((digit,) for digit in ("0123456789" if several else ""))
        if any(all(map(eq, rest, other.tokens)) for rest in rests):
            yield one
