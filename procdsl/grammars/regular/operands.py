"""What an expression over languages speaks of: operators, tokens, errors; and faults at its characters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from procdsl.grammars._expressed import FIELD
from procdsl.grammars.base import Grammar
from procdsl.grammars.regular.expressions import Call, Name, Node, Pair, Pattern, Range, Rate, Text, nodes
from procdsl.grammars.regular.patterns import Pattern as RegularExpression
from procdsl.grammars.regular.patterns import named, parse
from procdsl.grammars.regular.texts import TextError

T = TypeVar("T")
# How each function is called.
FUNCTIONS = {
    "concat": "concat(a, b, …)",
    "union": "union(a, b, …)",
    "minus": "minus(a, b)",
    "complement": "complement(a)",
    "shuffle": "shuffle(a, b)",
    "repeat": "repeat(a, 2..5)",
    "reverse": "reverse(a)",
    "relabel": "relabel(a, 'x' = 'y')",
    "avoid": "avoid('x y')",
    "factor": "factor('x y')",
    "regex": "regex('(x y)*')",
    "depth": "depth(a, max = 8)",
    "corrupt": "corrupt(a, substitute = 0.02, swap = 0.01, delete = 0.01)",
}


def alphabet(node: Node, grammars: Mapping[str, Grammar]) -> tuple[str, ...]:
    """All tokens that an expression speaks of, in order of writing."""
    return tuple(dict.fromkeys(token for one in nodes(node) for token in _tokens(one, grammars)))


def unwritten(node: Node, grammars: Mapping[str, Grammar]) -> Iterator[tuple[str, Text]]:
    """The tokens that are avoided, and that no part of the expression writes: often two written as one."""
    parts = list(nodes(node))
    avoids = [one for one in parts if isinstance(one, Call) and one.function == "avoid"]
    texts = [text for one in avoids for text in one.arguments if isinstance(text, Text)]
    known = {token for one in parts if one not in texts for token in _tokens(one, grammars)}
    yield from ((token, text) for text in texts for token in text.text.split() if token not in known)


def _tokens(node: Node, grammars: Mapping[str, Grammar]) -> Iterator[str]:
    """The tokens of a grammar, a text, a pair of texts, or a pattern."""
    if isinstance(node, Name) and node.text in grammars:
        yield from grammars[node.text].alphabet()
    elif isinstance(node, Pair):
        yield from (
            token for part in (node.name, node.value) if isinstance(part, Text) for token in part.text.split()
        )
    elif isinstance(node, Text):
        yield from node.text.split()
    elif isinstance(node, Pattern):
        yield from (name for name, _ in named(expression(node)))


def channel(node: Node) -> tuple[Node, dict[str, float]]:
    """What an expression corrupts, and how often each way; nothing, and no ways, where it does not.

    Errors stand outermost: what comes out of them is drawn, but is no language that operators could go on
    with.
    """
    inside = node.arguments if isinstance(node, Call) else ()
    for part in (one for argument in inside for one in nodes(argument)):
        if isinstance(part, Call) and part.function == "corrupt":
            raise fault("corrupt stands outermost: what it gives is no language", part)
    if not isinstance(node, Call) or node.function != "corrupt":
        return node, {}
    rates = dict[str, float]()
    for argument in node.arguments[1:]:
        match argument:
            case Pair(name=Name(text=("substitute" | "swap" | "delete") as way), value=Rate(value=rate)):
                rates[way] = rate
            case Pair(name=Name(text=("substitute" | "swap" | "delete") as way), value=Range(least=rate)):
                rates[way] = float(rate)
            case _:
                raise fault("this is no way to corrupt", argument, FUNCTIONS["corrupt"])
    if not node.arguments or isinstance(node.arguments[0], Pair) or not rates:
        raise fault("corrupt wants a language and how often it errs", node, FUNCTIONS["corrupt"])
    if sum(rates.values()) > 1:
        raise fault(f"something befalls {sum(rates.values()):g} of the symbols: at most all of them", node)
    return node.arguments[0], rates


class PartFault(TextError):
    """A grammar that an expression names has a fault: its own, or that of a `part` that it is made of."""

    def __init__(self, message: str, node: Name, part: Grammar) -> None:
        self.part = part
        super().__init__(message, FIELD, node.at, node.end - node.at)


def text_of(node: Call, argument: Node) -> Text:
    if not isinstance(argument, Text):
        raise fault("tokens stand in quotes", argument, FUNCTIONS.get(node.function, ""))
    return argument


def expression(node: Pattern) -> RegularExpression:
    return placed(node, lambda: parse(node.text, FIELD))


def placed(node: Pattern, read: Callable[[], T]) -> T:
    """What is read of a pattern within the expression: faults are at the expression's characters."""
    try:
        return read()
    except TextError as error:
        at, width = error.span
        raise TextError(error.message, FIELD, node.at + at, width, error.help) from None


def fault(message: str, node: Node, help: str = "") -> TextError:
    return TextError(message, FIELD, node.at, max(node.end - node.at, 1), help)
