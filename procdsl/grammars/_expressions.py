"""The small language of word expressions: names, numbers, calls, and pipes that pass the first argument.

    expression = step ("|" step)*
    step       = name | number | text | name "(" [argument ("," argument)*] ")"
    argument   = [name "="] expression

A text stands in single quotes. ``a | take(2)`` means ``take(a, 2)``. Every node knows where in the text
it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<number>\d{1,18}(?:\.\d{1,18})?)|(?P<text>'[^']*')|(?P<mark>[|(),=]))",
    re.ASCII,
)
_DEEPEST = 32


class ExpressionError(ValueError):
    """What is wrong with an expression, and at which characters of it."""

    def __init__(self, message: str, at: int, width: int = 1, help: str = "") -> None:
        self.at, self.width, self.help = at, width, help
        super().__init__(message)


@dataclass(frozen=True)
class Name:
    """A name: of an input, of a pool, or of a function in a pipe."""

    text: str
    at: int


@dataclass(frozen=True)
class Number:
    value: int | float
    at: int


@dataclass(frozen=True)
class Text:
    value: str
    at: int


@dataclass(frozen=True)
class Call:
    """A function applied to arguments, some of them by name; the first came by a pipe if it is `piped`."""

    function: Name
    arguments: tuple[Expression, ...]
    named: tuple[tuple[Name, Expression], ...] = ()
    piped: bool = False

    @property
    def at(self) -> int:
        return self.function.at


Expression = Name | Number | Text | Call


def parse(text: str) -> Expression:
    """The expression that a text spells. ExpressionError where it spells none.

    >>> parse("a | take(2)").arguments
    (Name(text='a', at=0), Number(value=2, at=9))
    """
    parser = _Parser(text)
    found = parser.pipe(0)
    if parser.kind:
        raise ExpressionError(
            f"{parser.text!r} is left over", parser.at, len(parser.text), "join steps with |"
        )
    return found


def bound(node: Expression, numbers: Mapping[str, int | float]) -> Expression:
    """The expression with names that stand for numbers replaced by these.

    >>> bound(parse("a | take(n)"), {"n": 2}).arguments[1].value
    2
    """
    match node:
        case Name(text=text, at=at) if text in numbers:
            return Number(numbers[text], at)
        case Call():
            arguments = tuple(bound(argument, numbers) for argument in node.arguments)
            named = tuple((name, bound(value, numbers)) for name, value in node.named)
            return replace(node, arguments=arguments, named=named)
    return node


def free_names(node: Expression) -> Iterator[str]:
    """The names that an expression uses as values."""
    if isinstance(node, Name):
        yield node.text
    elif isinstance(node, Call):
        for value in (*node.arguments, *(value for _, value in node.named)):
            yield from free_names(value)


def quoted(node: Expression) -> Iterator[str]:
    """The tokens that an expression spells in quotes."""
    if isinstance(node, Text):
        yield node.value
    elif isinstance(node, Call) and node.function.text != "group":
        for value in (*node.arguments, *(value for _, value in node.named)):
            yield from quoted(value)


class _Parser:
    """Reads one token ahead."""

    def __init__(self, source: str) -> None:
        self.source, self.end = source, 0
        self.advance()

    def advance(self) -> None:
        match = _TOKEN.match(self.source, self.end)
        rest = self.source[self.end :].strip()
        if match is None and rest:
            at = self.source.index(rest[0], self.end)
            raise ExpressionError(f"{rest[0]!r} has no meaning here", at)
        self.kind = match.lastgroup if match else None
        self.text = match[match.lastgroup] if match and match.lastgroup else ""
        self.at = match.start(match.lastgroup) if match and match.lastgroup else len(self.source)
        self.end = match.end() if match else len(self.source)

    def pipe(self, depth: int) -> Expression:
        if depth > _DEEPEST:
            raise ExpressionError(f"more than {_DEEPEST} parentheses deep", self.at)
        value = self.step(depth)
        while self.text == "|":
            self.advance()
            value = _piped(value, self.step(depth))
        return value

    def step(self, depth: int) -> Expression:
        text, at = self.text, self.at
        if self.kind == "number":
            self.advance()
            return Number(float(text) if "." in text else int(text), at)
        if self.kind == "text":
            self.advance()
            return Text(text[1:-1], at)
        if self.kind != "name":
            found = repr(text) if text else "the end"
            raise ExpressionError(f"a name or a number is missing before {found}", at)
        self.advance()
        return self.call(Name(text, at), depth) if self.text == "(" else Name(text, at)

    def call(self, function: Name, depth: int) -> Call:
        self.advance()
        arguments, named = list[Expression](), list[tuple[Name, Expression]]()
        while self.text != ")":
            value = self.pipe(depth + 1)
            if self.text == "=" and isinstance(value, Name):
                self.advance()
                named.append((value, self.pipe(depth + 1)))
            else:
                arguments.append(value)
            if self.text not in (",", ")"):
                raise ExpressionError(f"the parenthesis of {function.text} is not closed", function.at)
            if self.text == ",":
                self.advance()
        self.advance()
        return Call(function, tuple(arguments), tuple(named))


def _piped(value: Expression, step: Expression) -> Call:
    if isinstance(step, Number | Text):
        raise ExpressionError("a number or a text is no function", step.at)
    if isinstance(step, Name):
        return Call(step, (value,), piped=True)
    return replace(step, arguments=(value, *step.arguments), piped=True)
