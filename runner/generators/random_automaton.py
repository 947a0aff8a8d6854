"""Rows of drawn automata, as `procdsl.generate.random_automaton` says.

An automaton is a number of ways out of each state, and two arrays of one row a state: symbols and targets.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import uint64

from procdsl.programs.base import Lengths
from procdsl.programs.random_automaton import RandomAutomatonProgram
from procdsl.splits import empty_part, spelt_state
from procdsl.streams import ATTEMPTS, LANGUAGE_SLOT
from runner.generators.address import Address
from runner.generators.compiling import allocating, kernel
from runner.generators.philox import begin, below, below_from, new_draws, slots
from runner.generators.rows import layout, plan
from runner.generators.splits import content


class Laws(NamedTuple):
    """How many symbols there are; numbers of states, symbols and ways, each with its cumulated shares."""

    alphabet: int
    states: Any
    state_edges: Any
    symbols: Any
    symbol_edges: Any
    degrees: Any
    degree_edges: Any


class Automaton(NamedTuple):
    """What a row draws, and room for making it least: a class for each state, before and after a round."""

    ways: Any
    symbols: Any
    targets: Any
    pool: Any
    classes: Any
    before: Any
    number: Any
    order: Any


def fill(program: RandomAutomatonProgram, address: Address, ids: Any, scored: Any) -> None:
    """Rows from the address on. RunError where a part holds nothing that can be found."""
    context = ids.shape[1] - 1
    laid_out = layout(program.lengths, program.split, program.count, context)
    laws, states, ways = _laws(program)
    made = Automaton(
        np.zeros(states, np.int64), np.zeros((states, ways), np.int64), np.zeros((states, ways), np.int64),
        np.zeros((2, program.count), np.int64),
        *(np.zeros(states, np.int64) for _ in range(4)),
    )  # fmt: skip
    spelt = np.concatenate([address.spelt[: program.count], _spelt_states(states)])
    low, high = address.bounds(program.split)
    scratch = np.empty(context + 1, np.int64), np.zeros(states * (2 * ways + 1), np.int64)
    place = (address.key, address.start, spelt, low, high)
    failed = _fill(laws, laid_out, new_draws(context), made, scratch, place, ids, scored)
    if failed >= 0:
        raise empty_part(address.name, address.split, failed)


@lru_cache(maxsize=64)
def _laws(program: RandomAutomatonProgram) -> tuple[Laws, int, int]:
    arrays = [array for law in (program.states, program.symbols, program.degree) for array in _edges(law)]
    ways = min(program.symbols.values[-1], program.degree.values[-1])
    return Laws(program.count, *arrays), program.states.values[-1], ways


def _edges(law: Lengths) -> tuple[Any, Any]:
    return np.array(law.values, np.int64), np.cumsum(np.array(law.shares, np.int64))


@lru_cache(maxsize=16)
def _spelt_states(states: int) -> Any:
    """The spelling of the end of a state's ways, then of the states."""
    return np.array([spelt_state(number) for number in range(-1, states)], np.uint64)


@kernel
def _fill(laws, laid_out, draws, made, scratch, place, ids, scored):
    """The index of the first row that cannot be had, or -1."""
    key, start, spelt, low, high = place
    lengths, word = scratch
    context = ids.shape[1] - 1
    for b in range(ids.shape[0]):
        for attempt in range(ATTEMPTS):
            begin(draws, key, start + b, attempt << 16 | LANGUAGE_SLOT)
            states = _draw(laws, draws, made)
            found = uint64(content(spelt, word[: _least(made, states, laws.alphabet, word)]))
            if low <= found <= high:
                break
        else:
            return start + b
        ids[b, 0], scored[b, 0], at = laws.alphabet, 0, 1
        count = plan(laid_out, draws, key, start + b, 0, context, lengths)
        for slot in range(count):
            begin(draws, key, start + b, slot)
            _walk(made, draws, ids[b, at : at + lengths[slot]])
            at += lengths[slot]
            if not laid_out.single:
                ids[b, at] = laws.alphabet + 1
                at += 1
        scored[b, 1:at] = 1
        scored[b, at:] = 0
        ids[b, at:] = laws.alphabet + 2
    return -1


@kernel
def _drawn(draws, values, edges):
    """A number by a law."""
    if values.size == 1:
        return values[0]
    return values[np.searchsorted(edges, below(draws, edges[-1]), side="right")]


@kernel
def _different(draws, pool, count):
    """Moves so many, drawn evenly, to the front."""
    if count == pool.size:
        return
    for place in range(count):
        other = place + below(draws, pool.size - place)
        pool[place], pool[other] = pool[other], pool[place]


@allocating
def _draw(laws, draws, made):
    """An automaton; how many states it has."""
    states = _drawn(draws, laws.states, laws.state_edges)
    chosen = _drawn(draws, laws.symbols, laws.symbol_edges)
    known, pool = made.pool[0], made.pool[1, :chosen]
    for symbol in range(laws.alphabet):
        known[symbol] = symbol
    _different(draws, known, chosen)
    for q in range(states):
        degree = min(_drawn(draws, laws.degrees, laws.degree_edges), chosen)
        for place in range(chosen):
            pool[place] = known[place]
        _different(draws, pool, degree)
        made.ways[q] = degree
        pool[:degree].sort()
        for way in range(degree):
            made.symbols[q, way] = pool[way]
        for way in range(degree):
            made.targets[q, way] = below(draws, states)
    return states


@kernel
def _walk(made, draws, out):
    slots(draws, out.size)
    ways, symbols, targets, state = made.ways, made.symbols, made.targets, 0
    for t in range(out.size):
        way = below_from(draws, ways[state], draws.buffer[t])
        out[t] = symbols[state, way]
        state = targets[state, way]


@kernel
def _least(made, states, count, word):
    """Writes what is hashed of the least automaton; how long that is.

    The ids of states follow those of the symbols: `count` ends a state's ways, `count` + 1 is state 0.
    """
    _refine(made, states)
    number, order, met, size = made.number, made.order, 1, 0
    number[:states] = -1
    number[made.classes[0]], order[0] = 0, 0
    done = 0
    while done < met:
        q = order[done]
        done += 1
        for way in range(made.ways[q]):
            to = made.targets[q, way]
            if number[made.classes[to]] < 0:
                number[made.classes[to]] = met
                order[met] = to
                met += 1
            word[size], word[size + 1] = made.symbols[q, way], count + 1 + number[made.classes[to]]
            size += 2
        word[size] = count
        size += 1
    return size


@kernel
def _refine(made, states):
    """The class of each state: the first rounds of Moore's that tell no more apart."""
    classes, before, count = made.classes, made.before, 1
    classes[:states] = 0
    while True:
        for q in range(states):
            before[q] = classes[q]
        found = 0
        for q in range(states):
            classes[q] = -1
            for other in range(q):
                if _alike(made, q, other):
                    classes[q] = classes[other]
                    break
            if classes[q] < 0:
                classes[q] = found
                found += 1
        if found == count:
            return
        count = found


@kernel
def _alike(made, one, other):
    """Whether two states have the same symbols, which lead to the same classes of the last round."""
    if made.ways[one] != made.ways[other]:
        return False
    for way in range(made.ways[one]):
        if made.symbols[one, way] != made.symbols[other, way]:
            return False
        if made.before[made.targets[one, way]] != made.before[made.targets[other, way]]:
            return False
    return True
