"""Nondeterministic automata with silent arrows: what patterns and operators are built of.

Thompson's constructions (1968), on arrows that carry sets of symbols, so that ``.`` is one arrow however many
symbols there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

Symbols = frozenset[int]


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one state to another, over any of `symbols`; over nothing at all where these are None."""

    source: int
    symbols: Symbols | None
    target: int


@dataclass(frozen=True, slots=True)
class Nfa:
    """States 0 .. states - 1, of which 0 is the start."""

    states: int
    arrows: tuple[Arrow, ...]
    accepts: frozenset[int]

    def shifted(self, by: int) -> tuple[Arrow, ...]:
        """Its arrows, between states numbered from `by`."""
        return tuple(Arrow(arrow.source + by, arrow.symbols, arrow.target + by) for arrow in self.arrows)


NOTHING = Nfa(1, (), frozenset())
EMPTY = Nfa(1, (), frozenset({0}))


def one_of(symbols: Iterable[int]) -> Nfa:
    """The words of one symbol among these."""
    found = frozenset(symbols)
    return Nfa(2, (Arrow(0, found, 1),), frozenset({1})) if found else NOTHING


def word(symbols: Iterable[int]) -> Nfa:
    """The one word of these symbols."""
    arrows = tuple(Arrow(i, frozenset({symbol}), i + 1) for i, symbol in enumerate(symbols))
    return Nfa(len(arrows) + 1, arrows, frozenset({len(arrows)}))


def concat(parts: Iterable[Nfa]) -> Nfa:
    """A word of each, one after another."""
    states, arrows, ends = 1, list[Arrow](), frozenset({0})
    for part in parts:
        arrows += part.shifted(states)
        arrows += [Arrow(end, None, states) for end in sorted(ends)]
        ends = frozenset(end + states for end in part.accepts)
        states += part.states
    return Nfa(states, tuple(arrows), ends)


def union(parts: Iterable[Nfa]) -> Nfa:
    """A word of any of them."""
    states, arrows, ends = 1, list[Arrow](), set[int]()
    for part in parts:
        arrows += [Arrow(0, None, states), *part.shifted(states)]
        ends.update(end + states for end in part.accepts)
        states += part.states
    return Nfa(states, tuple(arrows), frozenset(ends))


def star(part: Nfa) -> Nfa:
    """Any number of words, one after another."""
    back = tuple(Arrow(end + 1, None, 0) for end in sorted(part.accepts))
    return Nfa(part.states + 1, (Arrow(0, None, 1), *part.shifted(1), *back), frozenset({0}))


def repeat(part: Nfa, least: int, most: int | None) -> Nfa:
    """`least` to `most` words, one after another; any number from `least` on where `most` is None."""
    if most is None:
        return concat([*[part] * least, star(part)])
    optional = union([part, EMPTY])
    return concat([*[part] * least, *[optional] * (most - least)])


def reverse(part: Nfa) -> Nfa:
    """Its words, read backwards."""
    turned = (Arrow(arrow.target + 1, arrow.symbols, arrow.source + 1) for arrow in part.arrows)
    starts = (Arrow(0, None, end + 1) for end in sorted(part.accepts))
    return Nfa(part.states + 1, (*turned, *starts), frozenset({1}))


def relabelled(part: Nfa, images: dict[int, int]) -> Nfa:
    """Its words, each symbol replaced by its image."""
    arrows = (
        arrow
        if arrow.symbols is None
        else replace(arrow, symbols=frozenset(images[symbol] for symbol in arrow.symbols))
        for arrow in part.arrows
    )
    return Nfa(part.states, tuple(arrows), part.accepts)
