"""Expressions over languages, read with the place of every part.

    expression = meet ("|" meet)*                        union
    meet       = factor ("&" factor)*                    intersection
    factor     = "~" factor | atom                       complement
    atom       = name | "tokens" | name "(" [argument ("," argument)*] ")" | "(" expression ")"
    argument   = expression | number | number ".." [number] | name "=" number | "token" "=" "token"

A text in quotes is the one word of its tokens. A number may have decimals where it is a rate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from procdsl.grammars.regular.texts import TextError

_TOKEN = re.compile(
    r"""\s*(?:(?P<name>[A-Za-z_][\w-]*)|(?P<number>\d+(?:\.\d+)?)|(?P<text>"[^"\n]*"|'[^'\n]*')
        |(?P<mark>\.\.|[|&~(),=]))""",
    re.VERBOSE | re.ASCII,
)
_DEEPEST = 32
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Name:
    """A grammar, by the name it has in the spec."""

    text: str
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Text:
    """What stands between quotes; `at` is its first character behind the quote."""

    text: str
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """``regex('…')``; `at` is the pattern's first character."""

    text: str
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Range:
    """A number of times: from one to another, or without end where `most` is None."""

    least: int
    most: int | None
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Rate:
    """A number with decimals: how often something goes wrong."""

    value: float
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A named argument, or a token and what stands for it."""

    name: Name | Text
    value: Node
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    """An operator on its arguments: ``&``, ``|``, ``~``, or a function by its name."""

    function: str
    arguments: tuple[Node, ...]
    at: int
    end: int


Node = Name | Text | Pattern | Range | Rate | Pair | Call


def parse(text: str, field: str) -> Node:
    """The expression that a text spells. TextError where it spells none.

    >>> parse("a & b", "expr").function
    '&'
    """
    reader = _Reader(text, field)
    found = reader.union(0)
    if reader.text:
        raise reader.fault(f"{reader.text!r} is left over")
    return found


def nodes(node: Node) -> Iterator[Node]:
    """A node and all that it is made of, in order of writing."""
    yield node
    for part in (*node.arguments,) if isinstance(node, Call) else ():
        yield from nodes(part)


class _Reader:
    """Reads one token ahead; `last` is where the one before it ended."""

    def __init__(self, source: str, field: str) -> None:
        self.source, self.field, self.end, self.last = source, field, 0, 0
        self.advance()

    def advance(self) -> None:
        self.last = self.end
        match = _TOKEN.match(self.source, self.end)
        rest = self.source[self.end :]
        if match is None and rest.strip():
            at = self.end + len(rest) - len(rest.lstrip())
            help = "tokens stand in quotes" if rest.strip()[0] in "\"'" else ""
            raise TextError(f"{rest.strip()[0]!r} has no meaning here", self.field, at, 1, help)
        self.kind = (match.lastgroup or "") if match else ""
        self.text = match[self.kind] if match else ""
        self.at = match.start(self.kind) if match else len(self.source)
        self.end = match.end() if match else len(self.source)
        if self.kind == "number" and len(self.text.partition(".")[0]) > _DIGITS:
            raise self.fault(f"a number has at most {_DIGITS} digits")

    def fault(self, message: str, help: str = "") -> TextError:
        return TextError(message, self.field, self.at, max(len(self.text), 1), help)

    def union(self, depth: int) -> Node:
        return self.joined("|", depth)

    def joined(self, mark: str, depth: int) -> Node:
        at = self.at
        parts = [self.joined("&", depth) if mark == "|" else self.factor(depth)]
        while self.text == mark and self.kind == "mark":
            self.advance()
            parts.append(self.joined("&", depth) if mark == "|" else self.factor(depth))
        return parts[0] if len(parts) == 1 else Call(mark, tuple(parts), at, self.last)

    def factor(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise self.fault(f"more than {_DEEPEST} parentheses deep")
        at = self.at
        if self.text == "~":
            self.advance()
            part = self.factor(depth + 1)
            return Call("~", (part,), at, self.last)
        if self.text == "(":
            self.advance()
            inner = self.union(depth + 1)
            self.close(at)
            return inner
        return self.atom(depth)

    def atom(self, depth: int) -> Node:
        kind, text, at = self.kind, self.text, self.at
        if kind == "text":
            self.advance()
            return Text(text[1:-1], at + 1, self.last - 1)
        if kind == "number":
            return self.range(at)
        if kind != "name":
            raise self.fault(
                f"a language is missing before {text!r}" if text else "a language is missing here"
            )
        self.advance()
        if self.text != "(":
            return Name(text, at, self.last)
        opened = self.at
        self.advance()
        arguments = list[Node]()
        while self.text not in ("", ")"):
            arguments.append(self.argument(depth + 1))
            if self.text not in (",", ")"):
                break
            if self.text == ",":
                self.advance()
        self.close(opened)
        return self.pattern(arguments, at) if text == "regex" else Call(text, tuple(arguments), at, self.last)

    def pattern(self, arguments: list[Node], at: int) -> Pattern:
        match arguments:
            case [Text(text=text, at=begin, end=end)]:
                return Pattern(text, begin, end)
        raise TextError("regex wants a pattern in quotes", self.field, at, self.last - at, "regex('(x y)*')")

    def argument(self, depth: int) -> Node:
        found = self.union(depth)
        if self.text != "=" or not isinstance(found, Name | Text):
            return found
        self.advance()
        value = self.union(depth)
        return Pair(found, value, found.at, self.last)

    def range(self, at: int) -> Range | Rate:
        if "." in self.text:
            value = float(self.text)
            self.advance()
            return Rate(value, at, self.last)
        least = int(self.text)
        self.advance()
        if self.text != "..":
            return Range(least, least, at, self.last)
        self.advance()
        if self.kind != "number":
            return Range(least, None, at, self.last)
        if "." in self.text:
            raise self.fault("a number of times is whole")
        most = int(self.text)
        if most < least:
            raise self.fault(f"no number is at least {least} and at most {most}")
        self.advance()
        return Range(least, most, at, self.last)

    def close(self, opened: int) -> None:
        if self.text != ")":
            raise TextError("this parenthesis is not closed", self.field, opened)
        self.advance()
