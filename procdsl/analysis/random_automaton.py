"""Drawn automata: between who knows the row's automaton from the first and who must learn it.

Who knows it loses the mean logarithm of the ways out of the states that words pass: that depends on how often
walks come back, and is measured on drawn automata, each exactly; where all states have as many ways it is
known. To be told the automaton is worth at most its entropy, which the upper bound adds to a row. Where there
are few automata the best predictor, which weighs all of them by the words so far, is measured on rows.
"""

from __future__ import annotations

import math
from collections import defaultdict
from functools import lru_cache
from itertools import combinations, product
from typing import Any

from procdsl.analysis.rows import exactly, row_floor
from procdsl.grammars._automata import Ways, draw, law_entropy, least, walk
from procdsl.grammars._lengths import drawn_lengths
from procdsl.programs.base import Interval, Lengths, fillable
from procdsl.programs.random_automaton import RandomAutomatonProgram
from procdsl.streams import LANGUAGE_SLOT, Stream, key

DRAWN = 400
# So many automata are weighed against each other, on so many rows.
FEW, ROWS = 512, 400
# Standard errors on either side of a mean: one interval in a million is wrong.
WIDE = 5


def floor(program: RandomAutomatonProgram, context: int) -> Interval | None:
    """Nats a scored token."""
    lengths, told = program.lengths, _told(program)
    known = row_floor(lengths, told.__getitem__, context)
    if known is None:
        return None
    most = math.log(min(program.symbols.values[-1], program.count))
    blind = row_floor(lengths, lambda n: exactly(n * most), context)
    scored = context if lengths.values == (context,) else fillable(lengths, context).bit_length() - 1
    learnt = known.high + law_entropy(program) / scored
    if blind and program.symbols.values[0] == program.count:
        learnt = min(learnt, blind.high)
    low, high, measured = known.low, max(learnt, known.low), known.measured
    if _count(program) <= FEW and scored * len(_languages(program)) <= 2**18:
        mean, error = _weighed(program, context)
        low, high, measured = max(low, mean - WIDE * error), min(high, mean + WIDE * error), True
    return Interval(low=low, high=max(high, low), measured=measured)


def chance(program: RandomAutomatonProgram) -> float:
    """Before a row is seen, no symbol is likelier than another."""
    return 1 / program.count


@lru_cache(maxsize=16)
def _told(program: RandomAutomatonProgram) -> dict[int, Interval]:
    """[length]: nats of a word to who knows its automaton."""
    degrees = {min(d, c) for d in program.degree.values for c in program.symbols.values}
    if len(degrees) == 1:
        return {n: exactly(n * math.log(*degrees)) for n in program.lengths.values}
    import numpy as np

    drawn = [draw(program, Stream(key(0, "analysis", "automaton"), i, LANGUAGE_SLOT)) for i in range(DRAWN)]
    states = program.states.values[-1]
    steps, nats = np.zeros((DRAWN, states, states)), np.zeros((DRAWN, states))
    for one, automaton in enumerate(drawn):
        for state, ways in enumerate(automaton):
            nats[one, state] = math.log(len(ways))
            for _, to in ways:
                steps[one, state, to] += 1 / len(ways)
    at, so_far, found = np.eye(states)[[0] * DRAWN], np.zeros(DRAWN), dict[int, Interval]()
    for n in range(1, program.lengths.values[-1] + 1):
        so_far += (at * nats).sum(1)
        at = np.einsum("aq,aqr->ar", at, steps)
        error = WIDE * float(so_far.std(ddof=1)) / math.sqrt(DRAWN)
        mean = float(so_far.mean())
        found[n] = Interval(low=max(mean - error, 0.0), high=mean + error, measured=True)
    return found


# ---------------------------------------------------------------- few automata


def _count(program: RandomAutomatonProgram) -> int:
    """How many automata can be drawn, their states numbered."""
    return sum(
        math.comb(program.count, c)
        * sum(math.comb(c, d) * n**d for d in {min(d, c) for d in program.degree.values}) ** n
        for n in program.states.values
        for c in program.symbols.values
    )


@lru_cache(maxsize=4)
def _languages(program: RandomAutomatonProgram) -> dict[tuple[Ways, ...], float]:
    """Each least automaton and its probability."""
    found = defaultdict[tuple[Ways, ...], float](float)
    sizes = list(zip(program.states.values, program.states.shares, strict=True))
    chosen = list(zip(program.symbols.values, program.symbols.shares, strict=True))
    for (n, n_share), (c, c_share) in product(sizes, chosen):
        share = n_share / sum(program.states.shares) * c_share / sum(program.symbols.shares)
        for known in combinations(range(program.count), c):
            of_a_state = _states(program.degree, known, n)
            for states in product(of_a_state.items(), repeat=n):
                automaton = tuple(least([ways for ways, _ in states]))
                chance = math.prod(chance for _, chance in states)
                found[automaton] += share / math.comb(program.count, c) * chance
    return dict(found)


def _states(degree: Lengths, known: tuple[int, ...], states: int) -> dict[Ways, float]:
    """The ways out that a state can have, and how likely."""
    found = defaultdict[Ways, float](float)
    for d, share in zip(degree.values, degree.shares, strict=True):
        d = min(d, len(known))
        each = share / sum(degree.shares) / (math.comb(len(known), d) * states**d)
        for symbols in combinations(known, d):
            for targets in product(range(states), repeat=d):
                found[tuple(zip(symbols, targets, strict=True))] += each
    return dict(found)


@lru_cache(maxsize=16)
def _weighed(program: RandomAutomatonProgram, context: int) -> tuple[float, float]:
    """Mean nats a scored token of who weighs all automata, and its standard error."""
    import numpy as np

    languages, rows = _languages(program), _rows(program, context)
    states = max(map(len, languages))
    to, ways = np.full((len(languages), states, program.count), -1), np.ones((len(languages), states))
    for one, automaton in enumerate(languages):
        for state, out in enumerate(automaton):
            ways[one, state] = len(out)
            for symbol, target in out:
                to[one, state, symbol] = target
    nats, weights = np.zeros(ROWS), np.tile(np.array(list(languages.values())), (ROWS, 1))
    at, every = np.zeros(weights.shape, int), np.arange(len(languages))
    for column in rows.T:
        ends = column < 0
        after = to[every, at, np.where(ends, 0, column)[:, None]]
        likely = np.where(ends[:, None], 1.0, np.where(after >= 0, 1 / ways[every, at], 0.0))
        whole = (weights * likely).sum(1)
        nats -= np.log(whole)
        weights, at = weights * likely / whole[:, None], np.where(ends[:, None] | (after < 0), 0, after)
    ends_too = row_floor(program.lengths, lambda n: exactly(0.0), context)
    assert ends_too is not None
    each = nats / rows.shape[1] + ends_too.low
    return float(each.mean()), float(each.std(ddof=1)) / math.sqrt(ROWS)


def _rows(program: RandomAutomatonProgram, context: int) -> Any:
    """Rows without their first token; -1 for ends."""
    import numpy as np

    found = []
    for index in range(ROWS):
        stream = Stream(key(0, "analysis", "automaton rows"), index)
        automaton, row = draw(program, stream), list[int]()
        for length in drawn_lengths(program.lengths, context, stream):
            row += walk(automaton, stream, length)
            row += [-1] * (program.lengths.values != (context,))
        found.append(row)
    return np.array(found)
