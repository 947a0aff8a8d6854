"""Reads the row of a template, or the beginning of one: what draws it can be of, and what may follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from procdsl.grammars._reading import Walk
from procdsl.grammars._templates import Item, Sheet, Text, Unit

_SHOWN = 6


@dataclass
class Reader:
    """Follows all ways to read a row at once. `spelt(name, value)` is how what a name holds is written.

    What may follow is exact where the draws that meet the condition can all be tried; else it may be more.
    """

    sheet: Sheet
    parts: Sequence[Item]
    spelt: Callable[[int, int], Text]
    row: Sequence[str]
    unit: Unit
    legal: set[str] = field(default_factory=set)
    complete: bool = False
    # The furthest place that no way of reading passes, and what could have stood there.
    far: int = 0
    expected: set[str] = field(default_factory=set)

    def walk(self) -> Walk:
        """What may follow, as tokens; whether the row is whole; what is wrong with it."""
        self._read(0, 0, {})
        if self.complete or self.legal:
            return Walk(complete=self.complete)
        shown = [repr(token) for token in sorted(self.expected)[:_SHOWN]] or ["the end"]
        return Walk(fault=f"{self.row[self.far]!r} at {self.far + 1} should be {' or '.join(shown)}")

    def _read(self, part: int, at: int, known: Mapping[int, int]) -> None:
        """The parts from here on, what is known having been read."""
        while part < len(self.parts):
            item = self.parts[part]
            if item.name is not None and item.name < len(self.sheet.slots) and item.name not in known:
                self._slot(item.name, part, at, known)
                return
            text = item.tokens if item.name is None else self.spelt(item.name, self._value(item.name, known))
            if not self._stands(text, at):
                return
            part, at = part + 1, at + len(text)
        if at == len(self.row):
            self.complete = True
        else:
            self._stuck(at, ())

    def _slot(self, name: int, part: int, at: int, known: Mapping[int, int]) -> None:
        """A slot that was not read yet: each value that stands here is a way to go on."""
        for value in self._candidates(name, at, known):
            text = self.spelt(name, value)
            if self._stands(text, at) and self._possible({**known, name: value}):
                self._read(part + 1, at + len(text), {**known, name: value})

    def _stands(self, text: Text, at: int) -> bool:
        """Whether a text stands here whole; if the row ends inside it, its next token is legal."""
        here = tuple(self.row[at : at + len(text)])
        same = next((j for j, (a, b) in enumerate(zip(here, text, strict=False)) if a != b), len(here))
        if same == len(text):
            return True
        if at + same == len(self.row):
            self.legal.add(text[same])
        else:
            self._stuck(at + same, text[same : same + 1])
        return False

    def _stuck(self, at: int, expected: Text) -> None:
        if at > self.far:
            self.far, self.expected = at, set()
        if at == self.far:
            self.expected.update(expected)

    def _value(self, name: int, known: Mapping[int, int]) -> int:
        """A slot that was read, or what follows from those that were."""
        return known[name] if name in known else self.sheet.filled(known)[name]

    def _candidates(self, name: int, at: int, known: Mapping[int, int]) -> Iterator[int]:
        """The values that the slot can have, as far as the row tells."""
        group, slot = self.sheet.group(name), self.sheet.slots[name]
        allowed = self.sheet.allowed[group] if group else None
        if group and allowed is not None:
            fixed = [(j, known[place]) for j, place in enumerate(group.slots) if place in known]
            own = group.slots.index(name)
            yield from dict.fromkeys(row[own] for row in allowed if all(row[j] == held for j, held in fixed))
        elif self.unit == "characters" and not slot.texts:
            yield from _numbers(slot.low, slot.high, self.row[at:])
        else:
            yield from slot.domain

    def _possible(self, known: Mapping[int, int]) -> bool:
        """Whether the condition can still be met: of what was not tried, told when all it needs is known."""
        told = [
            group
            for group, rows in self.sheet.allowed.items()
            if rows is None and known.keys() >= {*group.slots}
        ]
        return not told or self.sheet.meets(told, self.sheet.filled(known))


def _numbers(low: int, high: int, rest: Sequence[str]) -> Iterator[int]:
    """Numbers of this range whose digits stand here; of those whose digits go on, one for each next digit."""
    most = len(str(high))
    digits = "".join(takewhile(str.isdecimal, rest[:most]))
    for size in range(1, len(digits) + 1):
        if digits[:size] == str(int(digits[:size])) and low <= int(digits[:size]) <= high:
            yield int(digits[:size])
    for digit in "0123456789":
        begun = digits + digit
        for more in range(most - len(digits)):
            least = max(int(begun) * 10**more, low)
            if str(least).startswith(begun) and least <= min((int(begun) + 1) * 10**more - 1, high):
                yield least
                break
