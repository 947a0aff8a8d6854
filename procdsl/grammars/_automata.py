"""Automata that are drawn: their law, their least form, and walks of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from procdsl.grammars._lengths import drawn_length
from procdsl.programs.base import Lengths
from procdsl.programs.random_automaton import RandomAutomatonProgram
from procdsl.splits import spelt_state
from procdsl.streams import Stream

# A state's ways out, symbols ascending: a symbol and the state it leads to.
Ways = tuple[tuple[int, int], ...]


def draw(program: RandomAutomatonProgram, stream: Stream) -> list[Ways]:
    """An automaton by the program's law; state 0 is the start."""
    states = drawn_length(program.states, stream)
    known = _different(range(program.count), drawn_length(program.symbols, stream), stream)
    found = list[Ways]()
    for _ in range(states):
        degree = min(drawn_length(program.degree, stream), len(known))
        symbols = sorted(_different(known, degree, stream))
        found.append(tuple((symbol, stream.below(states)) for symbol in symbols))
    return found


def walk(automaton: Sequence[Ways], stream: Stream, length: int) -> list[int]:
    """A word of this length. Fixed slots: word t chooses the way at position t."""
    state, word = 0, list[int]()
    for first in stream.words(length):
        ways = automaton[state]
        symbol, state = ways[stream.below(len(ways), first)]
        word.append(symbol)
    return word


def least(automaton: Sequence[Ways]) -> list[Ways]:
    """The least automaton of the same language, numbered as its states are first met, symbols ascending.

    Every state accepts, so two are one if they have the same symbols, which lead to states that are one
    (Moore 1956): equal languages have equal least automata.
    """
    classes, count = [0] * len(automaton), 1
    while True:
        known = dict[Ways, int]()
        keys = [tuple((symbol, classes[to]) for symbol, to in ways) for ways in automaton]
        classes = [known.setdefault(key, len(known)) for key in keys]
        if len(known) == count:
            break
        count = len(known)
    number, order = {classes[0]: 0}, [0]
    for state in order:
        for _, to in automaton[state]:
            if classes[to] not in number:
                number[classes[to]] = len(order)
                order.append(to)
    return [tuple((symbol, number[classes[to]]) for symbol, to in automaton[q]) for q in order]


def spelt(automaton: Sequence[Ways], symbols: Sequence[int]) -> Iterator[int]:
    """What stands for an automaton in a split's hash, given the `spelling` of each symbol."""
    for ways in least(automaton):
        for symbol, to in ways:
            yield symbols[symbol]
            yield spelt_state(to)
        yield spelt_state(-1)


def _different(known: Sequence[int], count: int, stream: Stream) -> list[int]:
    """So many of them, by the beginning of a Fisher and Yates shuffle; all of them in their order."""
    pool = list(known)
    if count == len(pool):
        return pool
    for place in range(count):
        other = place + stream.below(len(pool) - place)
        pool[place], pool[other] = pool[other], pool[place]
    return pool[:count]


def law_entropy(program: RandomAutomatonProgram) -> float:
    """Nats of the draw: at least those of the language, for different draws may be one language."""
    degrees, nats = program.degree, _entropy(program.states) + _entropy(program.symbols)
    for n, states in _shared(program.states):
        for c, symbols in _shared(program.symbols):
            of = Counter[int]()
            for d, share in zip(degrees.values, degrees.shares, strict=True):
                of[min(d, c)] += share
            own = _nats(of.values()) + sum(
                share * (_log_choose(c, d) + d * math.log(n)) for d, share in of.items()
            ) / sum(of.values())
            nats += states * symbols * (_log_choose(program.count, c) + n * own)
    return nats


def _shared(law: Lengths) -> list[tuple[int, float]]:
    """The values of a law and their probabilities."""
    return [(n, share / sum(law.shares)) for n, share in zip(law.values, law.shares, strict=True)]


def _entropy(law: Lengths) -> float:
    return _nats(law.shares)


def _nats(shares: Iterable[int]) -> float:
    shares = [share for share in shares if share]
    return -math.fsum(share / sum(shares) * math.log(share / sum(shares)) for share in shares)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
