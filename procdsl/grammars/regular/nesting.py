"""Automata of depth: words with at most so many brackets open."""

from __future__ import annotations

from collections.abc import Sequence

from procdsl.grammars.regular.deterministic import BUDGET, Dfa, TooLarge, determinise
from procdsl.grammars.regular.nondeterministic import Arrow, Nfa

_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"), ("<", ">"))


def sides(symbols: Sequence[str]) -> tuple[frozenset[int], frozenset[int]]:
    """The symbols that open: those that begin like a bracket that does, and do not close it; and those that
    close.

    >>> sides(["(0", "0)", "open[1]", "close[1]", "digit[1]", "<sep>"])
    (frozenset({0, 2}), frozenset({1, 3}))
    """
    opens, closes = set[int](), set[int]()
    for id, symbol in enumerate(symbols):
        if symbol.startswith("open") or any(symbol.startswith(o) and c not in symbol for o, c in _PAIRS):
            opens.add(id)
        elif symbol.startswith("close") or any(symbol.endswith(c) and o not in symbol for o, c in _PAIRS):
            closes.add(id)
    return frozenset(opens), frozenset(closes)


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
