"""Rules as written: NLTK's arrows, quotes and ``[weights]``, with postfix ``? * +`` and ``{m,n}``.

    rule    := Name index? "->" alternative ("|" alternative)*
    alternative := item* yield? weight? switch?          the empty one, or ε, is the empty word
    item    := ( Name index? | "token" | "(" alternative ("|" alternative)* ")" ) repeat?
    repeat  := ("?" | "*" | "+") ("@" p)?  |  "{" m ("," n)? "}"
    weight  := " [" expression "]"                       numbers, parameters, + - * / and brackets
    switch  := "<" name ">"
    yield   := "{" component ("," component)* "}"        component: tokens and $child.component

An index is attached to its name (``open[i]``), a weight stands apart (``S [0.4]``): so ``[`` never means two
things. ``#`` begins a comment. Every part keeps the place it was read at.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import (
    UnexpectedCharacters,
    UnexpectedInput,
    UnexpectedToken,
    VisitError,
)

from procdsl.grammars.rules.written import (
    Alternative,
    Group,
    Item,
    Name,
    Number,
    Part,
    Quoted,
    Repeat,
    Rule,
    RuleError,
    Spot,
)

_GRAMMAR = r"""
start: rule+
rule: HEAD alternatives
alternatives: alternative ("|" alternative)*
alternative: item* (yields)? mark*
?item: atom | repeated
repeated: atom REPEAT
?atom: NAME -> name
     | STRING -> token
     | EPSILON -> epsilon
     | "(" alternatives ")" -> group
mark: SWITCH -> switch
    | "[" sum "]" -> weight
yields: "{" component ("," component)* "}"
component: part*
part: NAME -> name
    | STRING -> token
    | EPSILON -> epsilon
    | PART -> child
?sum: product
    | sum "+" product -> add
    | sum "-" product -> subtract
?product: factor
    | product "*" factor -> multiply
    | product "/" factor -> divide
?factor: NUMBER -> number
    | NAME -> parameter
    | "-" factor -> negative
    | "(" sum ")"

HEAD.3: /[A-Za-z_]\w*(\[[A-Za-z_]\w*(,\s*[A-Za-z_]\w*)*\])?\s*(->|::=)/
NAME.2: /[A-Za-z_]\w*(\[\w+(,\s*\w+)*\])?/
PART.2: /\$\d+(\.\d+)?/
REPEAT.2: /([?*+](@[A-Za-z_]\w*|@\d*\.?\d+)?)|(\{\d+(,\d+)?\})/
SWITCH.2: /<[A-Za-z_]\w*>/
NUMBER: /\d+(\.\d*)?([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?/
EPSILON: "ε"
STRING: /"[^"\n]*"|'[^'\n]*'/
COMMENT: /#[^\n]*/
%ignore /\s+/
%ignore COMMENT
"""

_DEEPEST = 32
_BRACKET = re.compile(r"""[()]|"[^"\n]*"|'[^'\n]*'|\#[^\n]*""")

# What a reader would call the terminals that could have stood where the text goes wrong.
_WORDS = {
    "HEAD": "a rule (Name -> …)",
    "NAME": "a name",
    "STRING": "a quoted token",
    "EPSILON": "ε",
    "REPEAT": "a repeat (? * + {m,n})",
    "SWITCH": "a <switch>",
    "NUMBER": "a number",
    "PART": "a part such as $1.2",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "a weight [w]",
    "RSQB": "]",
    "LBRACE": "a yield {…}",
    "RBRACE": "}",
    "VBAR": "|",
    "COMMA": ",",
    "$END": "the end",
}


def parse(text: str) -> tuple[Rule, ...]:
    """The rules of a text, in order. RuleError (P370) where it cannot be read.

    >>> [rule] = parse('S -> open[i] S close[i] S [0.49] | ε [0.51]')
    >>> [item.name for item in rule.alternatives[0].items], len(rule.alternatives)
    (['open', 'S', 'close', 'S'], 2)
    """
    if not text.strip():
        raise RuleError("P370", "there are no rules", Spot(1, 1), 'a rule looks like  S -> "a" S | ε')
    _check_depth(text)
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _unreadable(text, error) from None
    try:
        rules: tuple[Rule, ...] = _Reader().transform(tree)
    except VisitError as error:
        raise error.orig_exc from None
    return rules


def _check_depth(text: str) -> None:
    """What is read by recursion is not nested without end."""
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth += {"(": 1, ")": -1}.get(bracket[0], 0)
        if depth > _DEEPEST:
            line, column = (
                text.count("\n", 0, bracket.start()) + 1,
                bracket.start() - text.rfind("\n", 0, bracket.start()),
            )
            raise RuleError(
                "P370", f"more than {_DEEPEST} brackets deep", Spot(line, column), "name a part of it"
            )


@functools.cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", propagate_positions=True)


def _unreadable(text: str, error: UnexpectedInput) -> RuleError:
    spot, found = _trouble(text.splitlines(), error)
    names = (
        getattr(error, "accepts", None) or getattr(error, "expected", None) or getattr(error, "allowed", ())
    )
    wanted = [_WORDS[name] for name in sorted(names or ()) if name in _WORDS]
    return RuleError("P370", found, spot, f"expected {', '.join(wanted)}" if wanted else "")


def _trouble(lines: Sequence[str], error: UnexpectedInput) -> tuple[Spot, str]:
    """Where reading failed, and over what."""
    if isinstance(error, UnexpectedCharacters):
        return Spot(error.line, error.column), f"cannot read {error.char!r} here"
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        value = str(error.token)
        return Spot(error.line, error.column, len(value)), f"{value.strip()!r} cannot stand here"
    return Spot(len(lines), len(lines[-1]) + 1), "the rules end too early"


def _spot(token: Token) -> Spot:
    assert token.line is not None
    assert token.column is not None
    return Spot(token.line, token.column, len(token))


def _named(token: Token) -> Name:
    name, _, index = str(token).removesuffix("]").partition("[")
    values = tuple(part.strip() for part in index.split(",")) if index else ()
    return Name(name, values, _spot(token))


@v_args(inline=True)
class _Reader(Transformer[Token, Any]):
    """Lark's tree as the values above."""

    def start(self, *rules: Rule) -> tuple[Rule, ...]:
        return rules

    def rule(self, head: Token, alternatives: tuple[Alternative, ...]) -> Rule:
        written = str(head).removesuffix("->").removesuffix("::=").rstrip()
        return Rule(_named(head.update(value=written)), alternatives)

    def alternatives(self, *alternatives: Alternative) -> tuple[Alternative, ...]:
        return alternatives

    @v_args(meta=True)
    def alternative(self, meta: Any, parts: Sequence[Any]) -> Alternative:
        spot = Spot(1, 1) if meta.empty else Spot(meta.line, meta.column)
        marks = [part for part in parts if isinstance(part, _Mark)]
        yields = next((part.components for part in parts if isinstance(part, _Yields)), None)
        items = tuple(part for part in parts if isinstance(part, (Quoted, Name, Group, Repeat)))
        return Alternative(items, yields, _only(marks, "weight"), _only(marks, "switch"), spot)

    def name(self, token: Token) -> Name:
        return _named(token)

    def token(self, token: Token) -> Quoted | None:
        text = str(token)[1:-1]
        return Quoted(text, _spot(token)) if text else None

    def epsilon(self, token: Token) -> None:
        del token

    def group(self, alternatives: tuple[Alternative, ...]) -> Group:
        return Group(alternatives, alternatives[0].spot)

    def repeated(self, item: Item | None, token: Token) -> Repeat:
        if item is None:
            raise RuleError("P370", "the empty word cannot be repeated", _spot(token))
        return _repeat(item, token)

    def switch(self, token: Token) -> _Mark:
        return _Mark("switch", Name(str(token)[1:-1], (), _spot(token)))

    def weight(self, value: Number) -> _Mark:
        return _Mark("weight", value)

    def yields(self, *components: tuple[Quoted | Name | Part, ...]) -> _Yields:
        return _Yields(components)

    def component(self, *parts: Quoted | Name | Part | None) -> tuple[Quoted | Name | Part, ...]:
        return tuple(part for part in parts if part is not None)

    def child(self, token: Token) -> Part:
        child, _, component = str(token)[1:].partition(".")
        return Part(int(child), int(component or 1), _spot(token))

    def number(self, token: Token) -> Number:
        return Number("number", (float(token),), _spot(token))

    def parameter(self, token: Token) -> Number:
        return Number("parameter", (str(token),), _spot(token))

    def negative(self, value: Number) -> Number:
        return Number("negative", (value,), value.spot)

    def add(self, left: Number, right: Number) -> Number:
        return Number("add", (left, right), left.spot)

    def subtract(self, left: Number, right: Number) -> Number:
        return Number("subtract", (left, right), left.spot)

    def multiply(self, left: Number, right: Number) -> Number:
        return Number("multiply", (left, right), left.spot)

    def divide(self, left: Number, right: Number) -> Number:
        return Number("divide", (left, right), left.spot)


@dataclass(frozen=True, slots=True)
class _Mark:
    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class _Yields:
    components: tuple[tuple[Quoted | Name | Part, ...], ...]


def _only(marks: Sequence[_Mark], kind: str) -> Any:
    found = [mark.value for mark in marks if mark.kind == kind]
    if len(found) > 1:
        raise RuleError("P370", f"an alternative has one {kind}, not {len(found)}", found[1].spot)
    return found[0] if found else None


def _repeat(item: Item, token: Token) -> Repeat:
    text, spot = str(token), _spot(token)
    if text[0] == "{":
        least, _, most = text[1:-1].partition(",")
        low, high = int(least), int(most or least)
        if low > high or high > 64:
            raise RuleError("P370", f"a repeat goes from few to many, at most 64: {text}", spot)
        return Repeat(item, low, high, None, spot)
    least_of = {"?": (0, 1), "*": (0, None), "+": (1, None)}
    low, upper = least_of[text[0]]
    return Repeat(item, low, upper, _probability(text[2:], spot) if "@" in text else None, spot)


def _probability(text: str, spot: Spot) -> Number:
    if text[0].isalpha() or text[0] == "_":
        return Number("parameter", (text,), spot)
    return Number("number", (float(text),), spot)
