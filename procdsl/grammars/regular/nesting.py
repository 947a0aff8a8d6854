"""Automata of depth: words with at most so many brackets open."""

from __future__ import annotations

from collections.abc import Sequence

from procdsl.grammars.regular.deterministic import BUDGET, Dfa, TooLarge, determinise
from procdsl.grammars.regular.nondeterministic import Arrow, Nfa

_OPENING, _CLOSING = ("(", "[", "{", "<"), (")", "]", "}", ">")


def sides(symbols: Sequence[str]) -> tuple[frozenset[int], frozenset[int]]:
    """The symbols that open: those that begin like a bracket that does; and those that close.

    >>> sides(["(0", "0)", "open[1]", "close[1]", "x"])
    (frozenset({0, 2}), frozenset({1, 3}))
    """
    opens = {id for id, symbol in enumerate(symbols) if symbol.startswith((*_OPENING, "open"))}
    closes = {id for id, s in enumerate(symbols) if s.endswith(_CLOSING) or s.startswith("close")}
    return frozenset(opens), frozenset(closes - opens)


def at_most(deepest: int, symbols: Sequence[str]) -> Dfa:
    """All words in which never more than `deepest` brackets are open. TooLarge beyond the budget."""
    if deepest >= BUDGET:
        raise TooLarge(f"brackets {deepest:,} deep make more than {BUDGET:,} states")
    opens, closes = sides(symbols)
    rest = frozenset(range(len(symbols))) - opens - closes
    arrows = [Arrow(height, opens, height + 1) for height in range(deepest)]
    arrows += [Arrow(height + 1, closes, height) for height in range(deepest)]
    arrows += [Arrow(height, rest, height) for height in range(deepest + 1) if rest]
    bound = Nfa(deepest + 1, tuple(arrows), frozenset(range(deepest + 1)))
    return determinise(bound, len(symbols))
