"""Automata as they are written: ``state -symbol-> state [weight]``, by lines or semicolons."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from procdsl.grammars.regular.texts import TextError

_STATEMENT = re.compile(r'#[^\n]*|(?:"[^"\n]*"|[^;\n#])+')
_ARROW = re.compile(
    r'\s*(?P<source>[^\s\[\]"]+)\s+-(?P<symbols>.*?)->\s*(?P<target>[^\s\[\]"]+)\s*'
    r"(?:\[(?P<weight>[^\]]*)\]\s*)?"
)
# Products and ratios of weights are doubles.
_LIGHTEST = 1e-100
_SYMBOL = re.compile(r'"(?P<quoted>[^"]*)"|(?P<plain>[^\s"]+)')


@dataclass(frozen=True, slots=True)
class Written:
    """An arrow as it was written: a symbol, or a pool's name, with its place in the text."""

    source: str
    symbol: str
    target: str
    weight: float | None
    at: int
    source_at: int


def read(text: str) -> tuple[list[Written], list[TextError]]:
    """The arrows of a text, and what of it cannot be read.

    >>> [(one.source, one.symbol, one.target, one.weight) for one in read("p -a b-> q [0.5]")[0]]
    [('p', 'a', 'q', 0.5), ('p', 'b', 'q', 0.5)]
    """
    arrows, faults = list[Written](), list[TextError]()
    for match in _STATEMENT.finditer(text):
        if match[0].startswith("#") or not match[0].strip():
            continue
        try:
            arrows += _arrows(match[0], match.start())
        except TextError as fault:
            faults.append(fault)
    return arrows, faults


def _arrows(statement: str, begin: int) -> Iterator[Written]:
    match = _ARROW.fullmatch(statement)
    at = begin + len(statement) - len(statement.lstrip())
    if match is None:
        shape = "an arrow looks like  state -symbol-> state, perhaps with a weight [0.5] behind it"
        raise TextError(f"cannot read {statement.strip()!r}", "edges", at, len(statement.strip()), shape)
    weight = _weight(match["weight"], begin + match.start("weight"))
    symbols = list(_SYMBOL.finditer(match["symbols"]))
    if not symbols:
        shape = "state -symbol-> state"
        raise TextError("an arrow writes a symbol", "edges", at, len(statement.strip()), shape)
    for symbol in symbols:
        spelt = symbol["quoted"] if symbol["plain"] is None else symbol["plain"]
        place = begin + match.start("symbols") + symbol.start()
        yield Written(match["source"], spelt, match["target"], weight, place, begin + match.start("source"))


def _weight(text: str | None, at: int) -> float | None:
    if text is None:
        return None
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not _LIGHTEST <= weight <= 1 / _LIGHTEST:
        bound = f"between {_LIGHTEST:g} and {1 / _LIGHTEST:g}" if 0 < weight < math.inf else "above 0"
        raise TextError(f"the weight {text!r} is no number {bound}", "edges", at, max(len(text), 1))
    return weight
