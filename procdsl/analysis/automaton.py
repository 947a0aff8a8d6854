"""Walks of automata: exact where no two walks write one word, between two bounds where some do.

Walks of a length are a Markov chain whose arrows' shares depend on how many steps are to go. Where the
automaton is deterministic, words are walks, and their entropy adds up over the steps. Where it is not, a
symbol is at least as uncertain to who knows the state some symbols ago as to who knows all the past, and at
most as uncertain as to who has seen only these symbols (Cover & Thomas 2006, theorem 4.5.1).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from procdsl.analysis.rows import exactly
from procdsl.programs import AutomatonProgram, Interval, Letters

if TYPE_CHECKING:
    from numpy import ndarray

# Numbers in the largest table that a bound is computed from.
ROOM = 2**19
SAME = 1e-13


def entropy(program: AutomatonProgram, length: int) -> Interval | None:
    """Nats a word."""
    if deterministic(program):
        return exactly(_entropies(program)[length])
    return _bounds(program, length)


def chance(program: AutomatonProgram) -> float:
    """The share of the likeliest symbol in the longest words."""
    import numpy as np

    longest, seen = program.lengths.values[-1], np.zeros(program.count)
    pairs = _written(program)
    for _, used in _steps(program, longest):
        seen += np.bincount(pairs.symbols, used[pairs.arrows] * pairs.shares, minlength=program.count)
    return float(seen.max() / longest)


def deterministic(program: AutomatonProgram) -> bool:
    """Whether no two arrows of a state write the same symbol."""
    written = set[tuple[int, int]]()
    total = 0
    for source, letters in zip(program.sources, program.writes, strict=True):
        symbols = program.letters[letters].symbols
        written.update((source, symbol) for symbol in symbols)
        total += len(symbols)
    return len(written) == total


# ---------------------------------------------------------------- the chain of arrows


@lru_cache(maxsize=8)
def _logarithms(program: AutomatonProgram) -> ndarray[Any, Any]:
    """[left][state]: the logarithm of the weight of all walks with `left` steps to go."""
    import numpy as np

    sources, targets = np.array(program.sources), np.array(program.targets)
    weights, found = (
        np.log(program.weights),
        np.full((program.lengths.values[-1] + 1, program.states), -np.inf),
    )
    found[0, list(program.accepts)] = np.log(program.stops) if program.stops else 0.0
    for left in range(1, len(found)):
        shares = weights + found[left - 1][targets]
        alive = shares > -np.inf
        top = np.full(program.states, -np.inf)
        np.maximum.at(top, sources[alive], shares[alive])
        sums = np.bincount(
            sources[alive], np.exp(shares[alive] - top[sources[alive]]), minlength=program.states
        )
        found[left][sums > 0] = top[sums > 0] + np.log(sums[sums > 0])
    return found


def _shares(program: AutomatonProgram, left: int) -> ndarray[Any, Any]:
    """The probability of each arrow at its state, with `left` steps to go."""
    import numpy as np

    logarithms = _logarithms(program)
    here = logarithms[left][list(program.sources)]
    after = np.log(program.weights) + logarithms[left - 1][list(program.targets)]
    alive = (here > -np.inf) & (after > -np.inf)
    return np.where(alive, np.exp(np.where(alive, after, 0.0) - np.where(alive, here, 0.0)), 0.0)


def _steps(program: AutomatonProgram, length: int) -> Iterator[tuple[Any, Any]]:
    """For each symbol of a word: the probability of each state before it, and of each arrow."""
    import numpy as np

    at: Any = np.zeros(program.states)
    sources, targets = np.array(program.sources), np.array(program.targets)
    at[0] = 1.0
    for left in range(length, 0, -1):
        used = at[sources] * _shares(program, left)
        yield at, used
        at = np.bincount(targets, used, minlength=program.states)


@lru_cache(maxsize=8)
def _entropies(program: AutomatonProgram) -> list[float]:
    """[length]: nats of a walk from the start and of the letters it writes."""
    import numpy as np

    sources, targets = np.array(program.sources), np.array(program.targets)
    letters = np.array([_letters_entropy(one) for one in program.letters])[list(program.writes)]
    to_go: Any = np.zeros(program.states)
    found = [0.0]
    for left in range(1, program.lengths.values[-1] + 1):
        shares = _shares(program, left)
        nats = letters + to_go[targets] - np.log(np.where(shares > 0, shares, 1.0))
        to_go = np.bincount(sources, shares * nats, minlength=program.states)
        found.append(float(to_go[0]))
    return found


def _letters_entropy(letters: Letters) -> float:
    if not letters.weights:
        return math.log(len(letters.symbols))
    whole = math.fsum(letters.weights)
    return -math.fsum(w / whole * math.log(w / whole) for w in letters.weights)


class _Written(NamedTuple):
    """Every letter of every arrow, with its share among the arrow's letters."""

    arrows: Any
    symbols: Any
    shares: Any


def _written(program: AutomatonProgram) -> _Written:
    import numpy as np

    arrows, symbols, shares = list[int](), list[int](), list[float]()
    for arrow, place in enumerate(program.writes):
        letters = program.letters[place]
        weights = letters.weights or (1.0,) * len(letters.symbols)
        arrows += [arrow] * len(weights)
        symbols += letters.symbols
        shares += [weight / math.fsum(weights) for weight in weights]
    return _Written(np.array(arrows), np.array(symbols), np.array(shares))


# ---------------------------------------------------------------- bounds where words hide their walks


@lru_cache(maxsize=64)
def _bounds(program: AutomatonProgram, length: int) -> Interval | None:
    """By blocks of as many symbols as there is room for."""
    size = program.states**2 * program.count
    if size > ROOM:
        return None
    depth = 1
    while size * program.count**depth <= ROOM and depth < length:
        depth += 1
    window: deque[tuple[Any, Any]] = deque(maxlen=depth)
    low, high, still, added = 0.0, 0.0, 0, (0.0, 0.0)
    for at, kernel in _kernels(program, length):
        unmoved = bool(window) and _close(window[-1][0], at) and _close(window[-1][1], kernel)
        still = still + 1 if unmoved else 0
        window.append((at, kernel))
        if still <= depth:
            added = _conditional(window, knows_state=True), _conditional(window, knows_state=False)
        low, high = low + added[0], high + added[1]
    return Interval(low=min(low, high), high=high)


def _kernels(program: AutomatonProgram, length: int) -> Iterator[tuple[Any, Any]]:
    """For each symbol: the states before it, and kernel[state, symbol, next state]."""
    import numpy as np

    sources, targets, pairs = np.array(program.sources), np.array(program.targets), _written(program)
    place = (sources[pairs.arrows] * program.count + pairs.symbols) * program.states + targets[pairs.arrows]
    shape = (program.states, program.count, program.states)
    for left, (at, _) in zip(range(length, 0, -1), _steps(program, length), strict=True):
        shares = _shares(program, left)[pairs.arrows] * pairs.shares
        yield at, np.bincount(place, shares, minlength=math.prod(shape)).reshape(shape)


def _conditional(window: deque[tuple[Any, Any]], *, knows_state: bool) -> float:
    """The entropy of the window's last symbol, given those before it and perhaps the state before them."""
    import numpy as np

    first = window[0][0]
    joint, before = np.diag(first) if knows_state else first[None, :], 0.0
    for _, kernel in window:
        before = _nats(joint.sum(1))
        joint = np.einsum("bs,svz->bvz", joint, kernel).reshape(-1, len(first))
    return _nats(joint.sum(1)) - before


def _nats(probabilities: Any) -> float:
    import numpy as np

    return -float((probabilities * np.log(np.where(probabilities > 0, probabilities, 1.0))).sum())


def _close(one: Any, other: Any) -> bool:
    import numpy as np

    return bool(np.abs(one - other).max() < SAME)
