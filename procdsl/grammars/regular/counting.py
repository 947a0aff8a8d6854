"""How words go on from each state of an automaton: whether, and in how many ways, in exactly so many
symbols."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Generic, TypeVar

from procdsl.grammars.regular.deterministic import Dfa

T = TypeVar("T", bound=Hashable)
# The states that can be reached, each with the number of ways.
Ways = tuple[tuple[int, int], ...]


class Orbit(Generic[T]):
    """first, step(first), step(step(first)), …: computed as far as asked, and no further than it goes
    round."""

    def __init__(self, first: T, step: Callable[[T], T]) -> None:
        self._step, self._values, self._place = step, [first], {first: 0}
        self._round: int | None = None

    def __getitem__(self, n: int) -> T:
        while n >= len(self._values) and self._round is None:
            value = self._step(self._values[-1])
            if value in self._place:
                self._round = len(self._values) - self._place[value]
            else:
                self._place[value] = len(self._values)
                self._values.append(value)
        if n < len(self._values):
            return self._values[n]
        assert self._round is not None
        begin = len(self._values) - self._round
        return self._values[begin + (n - begin) % self._round]


class Completions:
    """Of a least automaton: from state 0, the words themselves."""

    def __init__(self, dfa: Dfa, enough: int) -> None:
        self._dfa, self._enough = dfa, enough

    def alive(self, left: int) -> int:
        """The states from which some word has exactly `left` more symbols: bit q stands for state q."""
        return self._alive[left]

    def few(self, length: int) -> int:
        """How many words have so many symbols, or `enough` where there are more."""
        return min(self._enough, self._accepted(self._few[length]))

    def count(self, length: int) -> int:
        """How many words have so many symbols, exactly."""
        ways: Ways = ((0, 1),)
        for _ in range(length):
            ways = self._stepped(ways, None)
        return self._accepted(ways)

    def _accepted(self, ways: Ways) -> int:
        return sum(count for state, count in ways if state in self._dfa.accepts)

    def _stepped(self, ways: Ways, most: int | None) -> Ways:
        """In how many ways each state is reached one symbol later, `most` standing for more."""
        found: dict[int, int] = {}
        for state, count in ways:
            for target, size in self._arrows[state]:
                found[target] = found.get(target, 0) + size * count
        if most is not None:
            return tuple(sorted((state, min(count, most)) for state, count in found.items()))
        return tuple(found.items())

    @cached_property
    def _arrows(self) -> list[list[tuple[int, int]]]:
        states = range(len(self._dfa.moves))
        return [[(t, len(symbols)) for t, symbols in self._dfa.arrows(q).items()] for q in states]

    @cached_property
    def _alive(self) -> Orbit[int]:
        before = [0] * len(self._arrows)
        for q, arrows in enumerate(self._arrows):
            for target, _ in arrows:
                before[target] |= 1 << q
        return Orbit(_bits(self._dfa.accepts), lambda mask: _preceding(mask, before))

    @cached_property
    def _few(self) -> Orbit[Ways]:
        return Orbit(((0, 1),), lambda ways: self._stepped(ways, self._enough))


def _bits(states: frozenset[int]) -> int:
    mask = 0
    for state in states:
        mask |= 1 << state
    return mask


def _preceding(mask: int, before: list[int]) -> int:
    """The states with an arrow into one of these."""
    found = 0
    while mask:
        lowest = mask & -mask
        found |= before[lowest.bit_length() - 1]
        mask ^= lowest
    return found
