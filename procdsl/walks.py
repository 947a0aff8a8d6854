"""How many walks an automaton still has, weighted: what the sampler of regular words looks up.

The weight of all walks of r steps from a state to an accepting one is a sum over its arrows of the weights
with r - 1 steps to go. Weights of different states grow apart without bound, so each has a power of two of
its own; only what one state's arrows weigh against each other is ever compared. `thresholds` is + * / on
doubles in one order, run by plain Python and by numba.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Any, NamedTuple

from procdsl.programs.automaton import AutomatonProgram

# A weight this many powers of two below its neighbour adds nothing to a sum of doubles.
FAR = 1000


class Arrows(NamedTuple):
    """A program's arrows: those of state q from offsets[q] to offsets[q + 1]; `halves` are powers of 1/2."""

    offsets: Any
    targets: Any
    weights: Any
    halves: Any


def thresholds(
    arrows: Any, values: Any, powers: Any, new_values: Any, new_powers: Any, reached: Any, out: Any
) -> None:
    """Fills out[left][arrow]: thresholds over 2**62, cumulated over a state's arrows, with `left` steps to
    go.

    `values` and `powers` hold the weight of each state with no step to go; they and the next are scratch.
    """
    offsets, targets, weights, halves = arrows
    states = len(offsets) - 1
    for left in range(1, len(out)):
        for q in range(states):
            top, alive = 0, False
            for e in range(offsets[q], offsets[q + 1]):
                t = targets[e]
                if values[t] > 0.0 and (not alive or powers[t] > top):
                    top, alive = powers[t], True
            total = 0.0
            for e in range(offsets[q], offsets[q + 1]):
                t = targets[e]
                if values[t] > 0.0 and top - powers[t] < FAR:
                    total += weights[e] * values[t] * halves[top - powers[t]]
                reached[e] = total
            if total > 0.0:
                for e in range(offsets[q], offsets[q + 1]):
                    out[left][e] = int(reached[e] / total * 4611686018427387904.0)
            while total >= 1.0:
                total *= 0.5
                top += 1
            while 0.0 < total < 0.5:
                total *= 2.0
                top -= 1
            new_values[q], new_powers[q] = total, top
        for q in range(states):
            values[q], powers[q] = new_values[q], new_powers[q]


def arrows(program: AutomatonProgram) -> Arrows:
    """The arrows of a program, state by state."""
    degrees = [0] * program.states
    for source in program.sources:
        degrees[source] += 1
    halves = [math.ldexp(1.0, -power) for power in range(FAR)]
    return Arrows([0, *accumulate(degrees)], list(program.targets), list(program.weights), halves)


def rows(program: AutomatonProgram) -> int:
    """How many rows of thresholds there are: more steps to go than these change nothing.

    One, where a word may end anywhere and the arrows of every state weigh the same together: a free chain.
    """
    sums = [0.0] * program.states
    for source, weight in zip(program.sources, program.weights, strict=True):
        sums[source] += weight
    anywhere = len(set(program.accepts)) == program.states and len(set(program.stops)) <= 1
    free = anywhere and max(sums) - min(sums) <= 1e-12 * max(sums)
    return 1 if free else program.lengths.values[-1]


def ends(program: AutomatonProgram) -> list[float]:
    """The weight of each state with no step to go: 1/2 where words end most easily, with the power 1."""
    found, stops = [0.0] * program.states, program.stops or (1.0,) * len(program.accepts)
    for state, stop in zip(program.accepts, stops, strict=True):
        found[state] = 0.5 * (stop / max(stops))
    return found


def slots_a_symbol(program: AutomatonProgram) -> int:
    """Fixed slots for each symbol: the arrow; the letter, where some have several; whether it gives way."""
    if all(len(letters.symbols) == 1 for letters in program.letters):
        return 1
    return 3 if any(letters.weights for letters in program.letters) else 2
