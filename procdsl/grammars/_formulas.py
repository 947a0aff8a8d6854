"""Formulas: guards and weights of machines, values of templates; from text to postfix, and their values.

    0.75 if 3*t < 2*T else 0.25        len(s) > 1 and not c == 0

In machines names are `t` (the step, from 0), `T` (how many there are), and counters; ``len(s)`` is how much
a memory holds. In templates they are slots and values. ``//`` and ``%`` by 0 are 0. Doubles with one
operation at a time: every backend gets the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import accumulate

from procdsl.grammars._expressions import ExpressionError
from procdsl.programs.task import Formula

_TOKEN = re.compile(r"\s*(?:(\d{1,15}(?:\.\d{1,15})?)|([A-Za-z_]\w*)|(//|<=|>=|==|!=|[-+*%<>()]))", re.ASCII)
_BINDING = {"or": 1, "and": 2, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4, "+": 5, "-": 5}
_BINDING |= {"*": 6, "//": 6, "%": 6}
OPERATORS = (*_BINDING, "not", "if", "number", "t", "T", "size")
_DEEPEST = 32
# Values that wait at once: kernels have room for so many.
_WAITING = 64
_WAIT = {"number": 1, "t": 1, "T": 1, "size": 1, "not": 0, "if": -2}


def formula(
    text: str,
    memories: Sequence[str],
    at: int = 0,
    *,
    noun: str = "memory",
    steps: Sequence[str] = ("t", "T"),
) -> Formula:
    """The postfix of a formula that stands at a place of a larger text. ExpressionError if it is none.

    What is named are memories, or another `noun`; the size of the one at place 3 is ``("size", 3.0)``.
    Without `steps` there is no step to name.

    >>> formula("2*t < len(s)", ["s"])
    (('number', 2.0), ('t', 0.0), ('*', 0.0), ('size', 0.0), ('<', 0.0))
    """
    parser = _Parser(text, memories, at, noun, steps)
    parser.ternary(0)
    if parser.token:
        raise parser.fault(f"{parser.token!r} is left over")
    if max(accumulate(_WAIT.get(operator, -1) for operator, _ in parser.out)) > _WAITING:
        raise ExpressionError(f"more than {_WAITING} values wait for one another", at, len(text))
    return tuple(parser.out)


class _Parser:
    def __init__(self, text: str, memories: Sequence[str], at: int, noun: str, steps: Sequence[str]) -> None:
        self.text, self.memories, self.base, self.noun, self.steps = text, memories, at, noun, steps
        self.end, self.token, self.at = 0, "", 0
        self.out = list[tuple[str, float]]()
        self.advance()

    def fault(self, message: str) -> ExpressionError:
        return ExpressionError(message, self.base + self.at, max(len(self.token), 1))

    def advance(self) -> None:
        match = _TOKEN.match(self.text, self.end)
        rest = self.text[self.end :].strip()
        self.at = self.end + len(self.text[self.end :]) - len(self.text[self.end :].lstrip())
        if match is None and rest:
            self.token = rest[0]
            raise self.fault(f"{rest[0]!r} has no meaning here")
        self.token = match[match.lastindex or 0] if match else ""
        self.end = match.end() if match else len(self.text)

    def expect(self, token: str) -> None:
        if self.token != token:
            raise self.fault(f"{token!r} is missing before {self.token or 'the end'!r}")
        self.advance()

    def ternary(self, depth: int) -> None:
        if depth > _DEEPEST:
            raise self.fault(f"more than {_DEEPEST} parentheses deep")
        self.binary(0, depth)
        if self.token == "if":
            self.advance()
            self.binary(0, depth)
            self.expect("else")
            self.ternary(depth + 1)
            self.out.append(("if", 0.0))

    def binary(self, least: int, depth: int) -> None:
        self.unary(depth)
        while _BINDING.get(self.token, -1) > least:
            operator = self.token
            self.advance()
            self.binary(_BINDING[operator], depth)
            self.out.append((operator, 0.0))

    def unary(self, depth: int) -> None:
        token, at = self.token, self.at
        self.advance()
        if token == "(":
            self.ternary(depth + 1)
            self.expect(")")
        elif token == "not":
            self.binary(3, depth + 1)
            self.out.append(("not", 0.0))
        elif token == "len" and self.steps:
            self.expect("(")
            self.out.append(("size", float(self.memory(self.token, self.at))))
            self.advance()
            self.expect(")")
        elif token[:1].isdigit():
            self.out.append(("number", float(token)))
        elif token in self.steps:
            self.out.append((token, 0.0))
        elif token and (token[0].isalpha() or token[0] == "_"):
            self.out.append(("size", float(self.memory(token, at))))
        else:
            raise self.fault(f"a value is missing before {token or 'the end'!r}")

    def memory(self, name: str, at: int) -> int:
        if name not in self.memories:
            message = f"{name} is no {self.noun}: {', '.join([*self.memories, *self.steps])}"
            raise ExpressionError(message, self.base + at, max(len(name), 1))
        return self.memories.index(name)


def evaluate(formula: Formula, t: int, steps: int, sizes: Sequence[int]) -> float:
    """The value of a formula; of none, 1."""
    stack = list[float]()
    for operator, value in formula:
        match operator:
            case "number":
                stack.append(value)
            case "t":
                stack.append(float(t))
            case "T":
                stack.append(float(steps))
            case "size":
                stack.append(float(sizes[int(value)]))
            case "not":
                stack.append(float(stack.pop() == 0))
            case "if":
                otherwise, condition, then = stack.pop(), stack.pop(), stack.pop()
                stack.append(then if condition != 0 else otherwise)
            case _:
                b, a = stack.pop(), stack.pop()
                stack.append(_apply(operator, a, b))
    return stack[0] if stack else 1.0


def _apply(operator: str, a: float, b: float) -> float:
    match operator:
        case "or":
            return float(a != 0 or b != 0)
        case "and":
            return float(a != 0 and b != 0)
        case "<":
            return float(a < b)
        case "<=":
            return float(a <= b)
        case ">":
            return float(a > b)
        case ">=":
            return float(a >= b)
        case "==":
            return float(a == b)
        case "!=":
            return float(a != b)
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
    whole = float(math.floor(a / b)) if b else 0.0
    return whole if operator == "//" else a - whole * b if b else 0.0
