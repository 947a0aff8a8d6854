"""What samplers look up, as whole numbers: the same for the reference and for the kernels.

A threshold t stands for the probability t / 2**64. Counts are exact integers; where only doubles will do,
one order of + - * / is written here, for plain Python and for numba alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple


def closing_thresholds(length: int, depth: int) -> list[list[int]]:
    """table[left][height]: with what probability a uniform Dyck word of bounded depth closes there.

    The ballot numbers of a strip: how many walks of `left` steps lead from `height` to 0 within 0 .. depth.
    Where it must close (height = left or depth) the entry is 0 and not read.
    """
    table, walks = [[0] * (depth + 1)], [1] + [0] * (depth + 1)
    for left in range(1, length + 1):
        before = walks
        walks = [before[1], *(before[h - 1] + before[h + 1] for h in range(1, depth + 1)), 0]
        walks[depth] = before[depth - 1]
        table.append([0] * (depth + 1))
        for height in range(1, min(depth, left)):
            if walks[height]:
                table[left][height] = (before[height - 1] << 64) // walks[height]
    return table


def deep_thresholds(length: int, beyond: int, depth: int | None) -> list[list[int]]:
    """table[left][height]: with what probability a uniform Dyck word closes there that is yet to be deep.

    It is at most `depth` deep in all, and at some place more than `beyond`, which it has not come to.
    """
    behind = _walks_down(length, beyond + 1, depth)
    table, walks = [[0] * (beyond + 1)], [0] * (beyond + 2)
    for left in range(1, length + 1):
        before = [*walks[: beyond + 1], behind[left - 1]]
        walks = [before[1], *(before[h - 1] + before[h + 1] for h in range(1, beyond + 1)), 0]
        table.append([0] * (beyond + 1))
        for height in range(1, beyond + 1):
            if walks[height]:
                table[left][height] = (before[height - 1] << 64) // walks[height]
    return table


def _walks_down(length: int, height: int, depth: int | None) -> list[int]:
    """How many walks of 0 .. `length` steps lead from a height to 0 within 0 .. `depth`."""
    top = min(length, depth or length) + height
    walks, found = [1, *[0] * (top + 1)], list[int]()
    for _ in range(length + 1):
        found.append(walks[height] if depth is None or height <= depth else 0)
        walks = [walks[1], *(walks[h - 1] + walks[h + 1] for h in range(1, top + 1)), 0]
        if depth is not None:
            walks[depth + 1 :] = [0] * len(walks[depth + 1 :])
    return found


def deep_walk_thresholds(length: int, beyond: int, p_open: float, *, closed: bool) -> list[list[int]]:
    """As `deep_thresholds`, of the published walk, which opens with `p_open` where it may.

    What is tabled meanwhile is how likely the walk is to come to `beyond` + 1 from a height.
    """
    table, reach = [[0] * (beyond + 1)], [*[0.0] * (beyond + 1), 1.0]
    for left in range(1, length + 1):
        before = reach
        reach = [before[1], *[0.0] * beyond, 1.0]
        table.append([0] * (beyond + 1))
        for height in range(1, beyond + 1 if not closed else min(beyond + 1, left)):
            closes = (1.0 - p_open) * before[height - 1]
            reach[height] = closes + p_open * before[height + 1]
            if reach[height] > 0.0:
                table[left][height] = min(int(closes / reach[height] * 2**64), 2**64 - 1)
    return table


def alias(weights: Sequence[float]) -> list[tuple[int, int]]:
    """Walker's table: place i stays with probability threshold / 2**64, else gives way to the other place.

    Vose's order of small and large places, on doubles. A place that never gives way is its own other.

    >>> alias((1.0, 1.0)), alias((3.0, 1.0))
    ([(0, 0), (0, 1)], [(0, 0), (9223372036854775808, 0)])
    """
    total = 0.0
    for weight in weights:
        total += weight
    scaled = [weight / total * len(weights) for weight in weights]
    table = [(0, place) for place in range(len(weights))]
    small = [place for place, share in enumerate(scaled) if share < 1]
    large = [place for place, share in enumerate(scaled) if share >= 1]
    while small and large:
        low, high = small.pop(), large.pop()
        table[low] = (int(scaled[low] * 2**64), high)
        scaled[high] -= 1 - scaled[low]
        (small if scaled[high] < 1 else large).append(high)
    return table


# ---------------------------------------------------------------- normals


@lru_cache(maxsize=4)
def normals(edge: float) -> tuple[float, ...]:
    """4,096 quantiles, ascending, of the standard normal law cut off at so many deviations (up to 4).

    By Newton's steps on the series of its integral, each from the quantile before.
    """
    upper, at = [], 0.0
    whole, _ = _bell(edge)
    for place in range(2048):
        for _ in range(6):
            mass, height = _bell(at)
            at += ((2 * place + 1) / 4096 * whole - mass) / height
        upper.append(at)
    return (*(-one for one in reversed(upper)), *upper)


def _bell(x: float) -> tuple[float, float]:
    """The integral of exp(-t * t / 2) from 0 to x, and its value there."""
    term, mass, height = 1.0, 1.0, 1.0
    for k in range(1, 60):
        term *= -x * x / (2 * k)
        mass += term / (2 * k + 1)
        height += term
    return x * mass, height


@lru_cache(maxsize=1)
def pooled_weights() -> tuple[int, ...]:
    """What a pool's networks weigh, all alike: normal, cut off at two deviations, as Flax draws them."""
    return tuple(int(512 * one) for one in normals(2.0))


@lru_cache(maxsize=1)
def pooled_shares() -> tuple[int, ...]:
    """A state's shares of a start, all alike: exponentials of normal logits, in thousandths."""
    found = []
    for one in normals(4.0):
        term = power = 1.0
        for k in range(1, 60):
            term *= (one if one > 0 else -one) / k
            power += term
        found.append(1 + int(1000 * (power if one > 0 else 1 / power)))
    return tuple(found)


# ---------------------------------------------------------------- k-shuffle-Dyck


def halves(k: int) -> list[int]:
    """The numbers of types that halving k of them leads to, 2 and more, ascending.

    >>> halves(6)
    [2, 3, 6]
    """
    found, pending = set[int](), [k]
    while pending:
        kinds = pending.pop()
        if kinds > 1 and kinds not in found:
            found.add(kinds)
            pending += [kinds // 2, kinds - kinds // 2]
    return sorted(found)


def split_row(one: Any, other: Any, share: float, pairs: int, chances: Any, row: Any) -> float:
    """Thresholds (over 2**62) for how many of `pairs` bracket pairs go to the first of two groups of types.

    `one[i]` stands for the words of i pairs over the first group, divided by what grows: (2 i)! j**(2 i) /
    i!**2 for j types. With it a count of words is a sum of squared binomial probabilities, which no length
    can drive out of range. Returns the number for both groups together; `share` is the first group's share
    of the types. Plain floating point in one order, so that lists and arrays give the same.
    """
    mode = min(int((pairs + 1) * share), pairs)
    chances[mode] = 1.0
    for i in range(mode, 0, -1):
        chances[i - 1] = chances[i] * i * (1.0 - share) / ((pairs - i + 1) * share)
    for i in range(mode, pairs):
        chances[i + 1] = chances[i] * (pairs - i) * share / ((i + 1) * (1.0 - share))
    whole = 0.0
    for i in range(pairs + 1):
        whole += chances[i]
    total = 0.0
    for i in range(pairs + 1):
        chance = chances[i] / whole
        total += one[i] * other[pairs - i] * chance * chance
    reached = 0.0
    for i in range(pairs + 1):
        chance = chances[i] / whole
        reached += one[i] * other[pairs - i] * chance * chance
        row[i] = int(reached / total * 4611686018427387904.0)
    return total


class Depths(NamedTuple):
    """How the open brackets of all types can stand, as partitions of the depth, and the moves between them.

    Moves of state s are those from offsets[s] to offsets[s + 1]: to `targets`, in `ways` ways, by a bracket
    of a type that stands at height `heights` and goes up or down (`rises`). Words end in state 0, where
    nothing is open, and begin in `start`.
    """

    offsets: list[int]
    targets: list[int]
    ways: list[int]
    heights: list[int]
    rises: list[int]
    start: int = 0


@lru_cache(maxsize=16)
def depths(k: int, depth: int) -> Depths:
    """The states of k-shuffle-Dyck with at most `depth` brackets open."""
    states: list[tuple[int, ...]] = [()]
    index: dict[tuple[int, ...], int] = {(): 0}
    made = Depths([0], [], [], [], [])
    for state in states:
        for height in sorted({0, *state}):
            same = state.count(height) if height else k - len(state)
            for rises in (1, 0):
                if (rises and sum(state) == depth) or (not rises and not height) or not same:
                    continue
                rest = list(state)
                if height:
                    rest.remove(height)
                moved = height + 1 if rises else height - 1
                target = tuple(sorted([*rest, moved] if moved else rest))
                if target not in index:
                    index[target] = len(states)
                    states.append(target)
                made.targets.append(index[target])
                made.ways.append(same)
                made.heights.append(height)
                made.rises.append(rises)
        made.offsets.append(len(made.targets))
    return made


@lru_cache(maxsize=16)
def move_count(k: int, depth: int) -> int:
    """How many moves `depths` has, without making them.

    A partition, and a height in it, are a partition of what is left without that part, into one less.

    >>> move_count(3, 4) == len(depths(3, 4).targets)
    True
    """
    parts = [1] + [0] * depth  # partitions of each number into at most k - 1 parts, so of parts up to k - 1
    for part in range(1, min(k - 1, depth) + 1):
        for n in range(part, depth + 1):
            parts[n] += parts[n - part]
    heights = [sum(parts[:n]) for n in range(depth + 1)]
    return sum(heights) + sum(heights[:-1]) + sum(parts[:-1])


@lru_cache(maxsize=16)
def deep_depths(k: int, depth: int, beyond: int) -> Depths:
    """As `depths`, of words that are somewhere more than `beyond` deep.

    Behind the states are those of words that are yet to be: they lead to each other, and from there to the
    others.
    """
    all_ = depths(k, depth)
    states, level = len(all_.offsets) - 1, {0: 0}
    for state in range(states):
        for move in range(all_.offsets[state], all_.offsets[state + 1]):
            level.setdefault(all_.targets[move], level[state] + (1 if all_.rises[move] else -1))
    yet = {
        state: states + place for place, state in enumerate(s for s in range(states) if level[s] <= beyond)
    }
    made = Depths(
        [*all_.offsets], [*all_.targets], [*all_.ways], [*all_.heights], [*all_.rises], start=states
    )
    for state in yet:
        for move in range(all_.offsets[state], all_.offsets[state + 1]):
            made.targets.append(yet.get(all_.targets[move], all_.targets[move]))
            made.ways.append(all_.ways[move])
            made.heights.append(all_.heights[move])
            made.rises.append(all_.rises[move])
        made.offsets.append(len(made.targets))
    return made


def move_thresholds(
    length: int, offsets: Any, targets: Any, ways: Any, before: Any, after: Any, out: Any
) -> None:
    """out[left][move]: thresholds (over 2**62, cumulated over a state's moves) with `left` symbols to come.

    `before` and `after` hold one number a state: the words that lead from it to state 0, scaled by powers
    of two, which changes no quotient.
    """
    states = len(offsets) - 1
    for state in range(states):
        before[state] = 1.0 if state == 0 else 0.0
    for left in range(1, length + 1):
        top = 0.0
        for state in range(states):
            total = 0.0
            for move in range(offsets[state], offsets[state + 1]):
                total += ways[move] * before[targets[move]]
            after[state] = total
            reached = 0.0
            for move in range(offsets[state], offsets[state + 1]):
                reached += ways[move] * before[targets[move]]
                out[left][move] = int(reached / total * 4611686018427387904.0) if total > 0.0 else 0
            top = max(top, total)
        scale = 1.0
        while top * scale > 1.0:
            scale *= 0.5
        for state in range(states):
            before[state] = after[state] * scale


# ---------------------------------------------------------------- n-grams


class Followers(NamedTuple):
    """What follows what: state 0 is the beginning of a word, every other the last symbols before a place.

    After state s come symbols[j], `counts` of them cumulated, for j from offsets[s] to offsets[s + 1]; state
    targets[j] is then the longest end of what was read that anything followed.
    """

    offsets: list[int]
    symbols: list[int]
    cumulated: list[int]
    targets: list[int]


def followers(words: Iterable[Sequence[int]], order: int) -> Followers:
    """Counted over words: each symbol after the `order` - 1 before it, and after every end of these."""
    counts: dict[tuple[int, ...], dict[int, int]] = {}
    for word in words:
        padded = (-1, *word)
        for place in range(1, len(padded)):
            for back in range(min(order, place + 1)):
                seen = counts.setdefault(tuple(padded[place - back : place]), {})
                seen[padded[place]] = seen.get(padded[place], 0) + 1
    begin = (-1,) if (-1,) in counts else ()
    contexts = [begin, *sorted(context for context in counts if context != begin)]
    index = {context: state for state, context in enumerate(contexts)}
    made = Followers([0], [], [], [])
    for context in contexts:
        total = 0
        for symbol, count in sorted(counts[context].items()):
            total += count
            ending: tuple[int, ...] = (*context, symbol)[-(order - 1) :] if order > 1 else ()
            while ending not in index:
                ending = ending[1:]
            made.symbols.append(symbol)
            made.cumulated.append(total)
            made.targets.append(index[ending])
        made.offsets.append(len(made.symbols))
    return made
