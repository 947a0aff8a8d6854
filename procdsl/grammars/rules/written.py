"""What rules are made of, as values; every part keeps the place in the rules' text that it was read at."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Spot:
    """A stretch of the rules' text: line and column from one."""

    line: int
    column: int
    width: int = 1


class RuleError(ValueError):
    """The rules cannot be read or bound: what is wrong, where in their text, and the way out."""

    def __init__(self, code: str, message: str, spot: Spot, help: str = "") -> None:
        self.code, self.message, self.spot, self.help = code, message, spot, help
        super().__init__(f"line {spot.line}, column {spot.column}: {message}")


class RuleErrors(ValueError):
    """All that is wrong with some rules."""

    def __init__(self, faults: Sequence[RuleError]) -> None:
        self.faults = tuple(dict.fromkeys(faults))
        super().__init__("; ".join(map(str, self.faults)))


@dataclass(frozen=True, slots=True)
class Quoted:
    """A token, spelt out."""

    text: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class Name:
    """A nonterminal or a token family, with the index variables or values attached to it."""

    name: str
    index: tuple[str, ...]
    spot: Spot


@dataclass(frozen=True, slots=True)
class Part:
    """``$child.component`` of a yield, both counted from one."""

    child: int
    component: int
    spot: Spot


@dataclass(frozen=True, slots=True)
class Group:
    """Alternatives in brackets."""

    alternatives: tuple[Alternative, ...]
    spot: Spot


@dataclass(frozen=True, slots=True)
class Repeat:
    """An item `least` to `most` times (None: without end); `p`: the chance of presence or of one more."""

    item: Item
    least: int
    most: int | None
    p: Number | None
    spot: Spot


@dataclass(frozen=True, slots=True)
class Number:
    """An arithmetic expression: a number, a parameter's name, or an operator and its operands."""

    operator: str
    operands: tuple[Any, ...]
    spot: Spot


Item = Quoted | Name | Group | Repeat


@dataclass(frozen=True, slots=True)
class Alternative:
    """One right-hand side. `yields` is None for plain context-free rules."""

    items: tuple[Item, ...]
    yields: tuple[tuple[Quoted | Name | Part, ...], ...] | None
    weight: Number | None
    switch: Name | None
    spot: Spot


@dataclass(frozen=True, slots=True)
class Rule:
    """A left-hand side and its alternatives."""

    head: Name
    alternatives: tuple[Alternative, ...]


def parameters(rules: Sequence[Rule]) -> frozenset[str]:
    """The names that weights and repeats use as numbers."""
    stack: list[Any] = [part for rule in rules for part in rule.alternatives]
    found = set[str]()
    while stack:
        part = stack.pop()
        if isinstance(part, Alternative):
            stack += [*part.items, part.weight]
        elif isinstance(part, Group):
            stack += part.alternatives
        elif isinstance(part, Repeat):
            stack += [part.item, part.p]
        elif isinstance(part, Number):
            found.update(part.operands if part.operator == "parameter" else ())
            stack += part.operands
    return frozenset(found)


def names(rules: Sequence[Rule]) -> frozenset[str]:
    """What rules call by name or by index: nonterminals, families, index variables; and <switches>."""
    stack: list[Any] = [part for rule in rules for part in (rule.head, *rule.alternatives)]
    found = set[str]()
    while stack:
        part = stack.pop()
        if isinstance(part, Alternative):
            stack += [*part.items, *itertools.chain.from_iterable(part.yields or ()), part.switch]
        elif isinstance(part, Group):
            stack += part.alternatives
        elif isinstance(part, Repeat):
            stack.append(part.item)
        elif isinstance(part, Name):
            found.update((part.name, *part.index))
    return frozenset(found)
