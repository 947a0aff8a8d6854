"""Walks of automata: exact where no two walks write one word, between two bounds where some do.

Walks of a length are a Markov chain whose arrows' shares depend on how many steps are to go. Where the
automaton is deterministic, words are walks, and their entropy adds up over the steps. Where it is not, a
symbol is at least as uncertain to who knows the state some symbols ago as to who knows all the past, and at
most as uncertain as to who has seen only these symbols (Cover & Thomas 2006, theorem 4.5.1). Where these
bounds are wide, or too large to compute, words are drawn, and the forward algorithm tells how uncertain each
of their symbols is to who has seen all before it: the mean over words is the entropy, within its errors.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from procdsl.analysis.rows import exactly
from procdsl.programs.automaton import AutomatonProgram, Letters
from procdsl.programs.base import Interval
from procdsl.streams import key
from procdsl.walks import rows

# Numbers in the largest table that a bound is computed from.
ROOM = 2**19
SAME = 1e-13
# Bounds further apart than this part of the upper one are measured between: on so many words at most, so many
# at least, with so many steps and multiplications in all (seconds). Standard errors on either side.
NEAR = 0.01
WORDS, FEWEST, STEPS, WORK, WIDE = 64, 16, 2**13, 2**32, 5


def entropy(program: AutomatonProgram, length: int) -> Interval | None:
    """Nats a word."""
    if deterministic(program):
        return exactly(_entropies(program)[length])
    proved = _bounds(program, length)
    if proved and proved.high - proved.low <= NEAR * proved.high:
        return proved
    return _between(proved, _followed(program, length), length * math.log(program.count))


def chance(program: AutomatonProgram) -> float:
    """The share of the likeliest symbol in the longest words."""
    import numpy as np

    longest, seen = program.lengths.values[-1], np.zeros(len(program.letters))
    for _, used in _steps(program, longest):
        seen += np.bincount(program.writes, used, len(seen))
    return float((seen @ _letters(program)).max() / longest)


def deterministic(program: AutomatonProgram) -> bool:
    """Whether no two arrows of a state write the same symbol."""
    written = set[tuple[int, int]]()
    for source, place in zip(program.sources, program.writes, strict=True):
        own = {(source, symbol) for symbol in program.letters[place].symbols}
        if not written.isdisjoint(own):
            return False
        written |= own
    return True


# ---------------------------------------------------------------- the chain of arrows


class _Chain(NamedTuple):
    """Arrows, and [left][state]: the logarithm of the weight of all walks with `left` steps to go."""

    sources: Any
    targets: Any
    weights: Any
    logarithms: Any

    def shares(self, left: int) -> Any:
        """The probability of each arrow at its state, with `left` steps to go."""
        import numpy as np

        here = self.logarithms[left][self.sources]
        after = self.weights + self.logarithms[left - 1][self.targets]
        alive = (here > -np.inf) & (after > -np.inf)
        return np.where(alive, np.exp(np.where(alive, after, 0.0) - np.where(alive, here, 0.0)), 0.0)


@lru_cache(maxsize=8)
def _chain(program: AutomatonProgram) -> _Chain:
    """The arrows by their states, weights as logarithms."""
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
    return _Chain(sources, targets, weights, found)


def _steps(program: AutomatonProgram, length: int) -> Iterator[tuple[Any, Any]]:
    """For each symbol of a word: the probability of each state before it, and of each arrow."""
    import numpy as np

    chain, states = _chain(program), program.states
    at: Any = np.zeros(states)
    at[0] = 1.0
    for left in range(length, 0, -1):
        used = at[chain.sources] * chain.shares(left)
        yield at, used
        at = np.bincount(chain.targets, used, minlength=states)


@lru_cache(maxsize=8)
def _entropies(program: AutomatonProgram) -> list[float]:
    """[length]: nats of a walk from the start and of the letters it writes."""
    import numpy as np

    chain = _chain(program)
    letters = np.array([_letters_entropy(one) for one in program.letters])[list(program.writes)]
    to_go: Any = np.zeros(program.states)
    found = [0.0]
    for left in range(1, program.lengths.values[-1] + 1):
        shares = chain.shares(left)
        nats = letters + to_go[chain.targets] - np.log(np.where(shares > 0, shares, 1.0))
        to_go = np.bincount(chain.sources, shares * nats, minlength=program.states)
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


def _bounds(program: AutomatonProgram, length: int) -> Interval | None:
    """The bounds of a word; of all lengths at once where how many symbols are to come says nothing."""
    found = _blocks(program, program.lengths.values[-1] if rows(program) == 1 else length)
    return found[length] if found else None


@lru_cache(maxsize=64)
def _blocks(program: AutomatonProgram, length: int) -> list[Interval] | None:
    """For each n, of words' first n symbols: by blocks of as many symbols as there is room for."""
    size = program.states**2 * program.count
    if size > ROOM:
        return None
    depth = 1
    while size * program.count**depth <= ROOM and depth < length:
        depth += 1
    window: deque[tuple[Any, Any]] = deque(maxlen=depth)
    low, high, still, added = 0.0, 0.0, 0, (0.0, 0.0)
    found = [Interval(low=0.0, high=0.0)]
    for at, kernel in _kernels(program, length):
        unmoved = bool(window) and _close(window[-1][0], at) and _close(window[-1][1], kernel)
        still = still + 1 if unmoved else 0
        window.append((at, kernel))
        if still <= depth:
            added = _conditional(window, knows_state=True), _conditional(window, knows_state=False)
        low, high = low + added[0], high + added[1]
        found.append(Interval(low=min(low, high), high=high))
    return found


def _kernels(program: AutomatonProgram, length: int) -> Iterator[tuple[Any, Any]]:
    """For each symbol: the states before it, and kernel[state, symbol, next state]."""
    import numpy as np

    chain, pairs = _chain(program), _written(program)
    sources, targets = chain.sources[pairs.arrows], chain.targets[pairs.arrows]
    place = (sources * program.count + pairs.symbols) * program.states + targets
    shape = (program.states, program.count, program.states)
    for left, (at, _) in zip(range(length, 0, -1), _steps(program, length), strict=True):
        shares = chain.shares(left)[pairs.arrows] * pairs.shares
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


# ---------------------------------------------------------------- measured between wide bounds


def _between(proved: Interval | None, measured: tuple[float, float] | None, most: float) -> Interval | None:
    """What was measured, a mean and its error, as far as nothing that is proved speaks against it."""
    if measured is None:
        return proved
    (mean, error), known = measured, proved or Interval(low=0.0, high=most)
    low, high = (min(max(end, known.low), known.high) for end in (mean - WIDE * error, mean + WIDE * error))
    return Interval(low=low, high=high, measured=True)


def _followed(program: AutomatonProgram, length: int) -> tuple[float, float] | None:
    """The mean nats of a word, and its standard error; None where words are too much work.

    Where how many symbols are to come says nothing, what words of all lengths begin with is followed once.
    """
    free = rows(program) == 1
    found = _forward(program, program.lengths.values[-1] if free else length, free)
    return found[length] if found else None


@lru_cache(maxsize=1024)
def _forward(program: AutomatonProgram, length: int, free: bool) -> list[tuple[float, float]] | None:
    """For each n, of words' first n symbols: the mean nats, as each symbol comes, and its standard error."""
    import numpy as np

    groups, group = np.unique(np.array([program.targets, program.writes]), axis=1, return_inverse=True)
    steps, size = length if free else sum(program.lengths.values), program.states * groups.shape[1]
    words = min(WORDS, WORK // (size * steps))
    if words < FEWEST or steps > STEPS or size > 16 * ROOM:
        return None
    chain, letters = _chain(program), _letters(program)[groups[1]]
    entered, begins = np.unique(groups[0], return_index=True)
    cells = chain.sources * groups.shape[1] + group.ravel()
    moves: Any = np.zeros((program.states, groups.shape[1]))
    at, sums, found = np.zeros((words, program.states)), np.zeros(words), [(0.0, 0.0)]
    at[:, 0] = 1.0
    for left, units in zip(range(length, 0, -1), _units(length, words), strict=True):
        if left == length or not free:
            moves = np.bincount(cells, chain.shares(left), moves.size).reshape(moves.shape)
        # Not by a library of matrices: its threads wait for each other where others compute too.
        ahead = np.einsum("ws,sg->wg", at, moves)
        shares = np.einsum("wg,gx->wx", ahead, letters)
        shares /= shares.sum(1, keepdims=True)
        sums -= (shares * np.log(np.where(shares > 0, shares, 1.0))).sum(1)
        found.append((float(sums.mean()), float(sums.std(ddof=1)) / math.sqrt(words)))
        cumulated = shares.cumsum(1)
        drawn = (cumulated <= units[:, None] * cumulated[:, -1:]).sum(1)
        at[:] = 0.0
        at[:, entered] = np.add.reduceat(ahead * letters[:, drawn].T, begins, axis=1)
        at /= at.sum(1, keepdims=True)
    return found


def _letters(program: AutomatonProgram) -> Any:
    """[place, symbol]: the share of a symbol among letters."""
    import numpy as np

    made = np.zeros((len(program.letters), program.count))
    for place, letters in enumerate(program.letters):
        made[place, list(letters.symbols)] = letters.weights or 1.0
    return made / made.sum(1, keepdims=True)


def _units(length: int, words: int) -> Any:
    """Numbers on [0, 1), the same everywhere: the bits of a generator by counter."""
    import numpy as np

    bits = np.random.Philox(key=key(0, "analysis", "automaton")).random_raw(length * words)
    return (bits >> np.uint64(11)).reshape(length, words) * 2.0**-53
