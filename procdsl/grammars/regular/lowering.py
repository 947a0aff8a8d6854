"""Automata as programs: arrows between two states joined, with the letters they write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from procdsl.grammars.regular.deterministic import Dfa
from procdsl.programs.automaton import AutomatonProgram, Letters
from procdsl.programs.base import Lengths, Split

# Thresholds in a sampler's table: half a gigabyte.
TABLE = 2**26


@dataclass(frozen=True, slots=True)
class Move:
    """An arrow of a weighted automaton whose start is state 0."""

    source: int
    symbol: int
    target: int
    weight: float


def uniform(dfa: Dfa, symbols: int, lengths: Lengths, split: Split) -> AutomatonProgram:
    """Every word of a length alike: each arrow weighs as many as its letters."""
    letters: dict[Letters, int] = {}
    rows = [
        (source, target, letters.setdefault(Letters(symbols=written), len(letters)), float(len(written)))
        for source in range(len(dfa.moves))
        for target, written in dfa.arrows(source).items()
    ]
    return _program(rows, letters, sorted(dfa.accepts), symbols, lengths, split)


def weighted(
    moves: Iterable[Move], ends: Mapping[int, float], symbols: int, lengths: Lengths, split: Split
) -> AutomatonProgram:
    """Walks as likely as the products of their weights, and of that of the state they end in."""
    between: dict[tuple[int, int], dict[int, float]] = {}
    for move in moves:
        written = between.setdefault((move.source, move.target), {})
        written[move.symbol] = written.get(move.symbol, 0.0) + move.weight
    letters: dict[Letters, int] = {}
    rows = [
        (source, target, letters.setdefault(_letters(written), len(letters)), sum(written.values()))
        for (source, target), written in sorted(between.items())
    ]
    return _program(rows, letters, sorted(ends), symbols, lengths, split, ends)


def hidden(
    initial: Sequence[float],
    transition: Sequence[Sequence[float]],
    emission: Sequence[Sequence[float]],
    lengths: Lengths,
    split: Split,
    stop: Sequence[float] = (),
) -> AutomatonProgram:
    """A hidden Markov model: arrows write what the state they lead to emits; state 0 stands before the
    first. With `stop`, so often a word ends behind what a state writes."""
    letters: dict[Letters, int] = {}
    emitted = [
        letters.setdefault(_letters({s: share for s, share in enumerate(row) if share}), len(letters))
        for row in emission
    ]
    rows = [
        (state, after + 1, emitted[after], share * (1 - stop[state - 1] if stop and state else 1))
        for state, row in enumerate([initial, *transition])
        for after, share in enumerate(row)
        if share and not (stop and state and stop[state - 1] == 1)
    ]
    ends = {state: often for state, often in enumerate(stop, 1) if often}
    accepts = sorted(ends) or list(range(len(initial) + 1))
    return _program(rows, letters, accepts, len(emission[0]), lengths, split, ends)


def useful(moves: Iterable[Move], accepts: Iterable[int]) -> set[int]:
    """The states on walks from state 0 to an accepting one."""
    edges = {(move.source, move.target) for move in moves}
    return _closure({0}, edges) & _closure(set(accepts), {(target, source) for source, target in edges})


def stopping(program: AutomatonProgram, longest: int, rest: float) -> tuple[list[float], float]:
    """How likely walks stop at each length up to `longest`, and how likely they are still under way then.

    It ends before where no more than `rest` of them are. Arrows and stops of a state are probabilities; what
    they lack to one leads where no word ends.
    """
    import numpy as np

    sources, targets, weights = (
        np.array(program.sources), np.array(program.targets), np.array(program.weights)
    )  # fmt: skip
    stops = np.zeros(program.states)
    at: Any = np.zeros(program.states)
    at[0], stops[list(program.accepts)] = 1.0, program.stops or 1.0
    found = list[float]()
    while len(found) <= longest and at.sum() > rest:
        found.append(float(at @ stops))
        at = np.bincount(targets, at[sources] * weights, minlength=program.states)
    return found, float(at.sum())


def trimmed(moves: Sequence[Move], ends: Mapping[int, float]) -> tuple[list[Move], dict[int, float]]:
    """What lies on walks from state 0 to one where words end, its states numbered anew, 0 still the first."""
    number = {old: new for new, old in enumerate(sorted(useful(moves, ends)))}
    return [
        Move(number[move.source], move.symbol, number[move.target], move.weight)
        for move in moves
        if move.source in number and move.target in number
    ], {number[end]: stop for end, stop in sorted(ends.items()) if end in number}


def _letters(written: Mapping[int, float]) -> Letters:
    """Symbols in order, with their shares unless these are alike."""
    symbols, top = tuple(sorted(written)), max(written.values())
    shares = tuple(written[symbol] / top for symbol in symbols)
    return Letters(symbols=symbols, weights=() if min(shares) == 1 else shares)


def _program(
    rows: list[tuple[int, int, int, float]],
    letters: Mapping[Letters, int],
    accepts: list[int],
    symbols: int,
    lengths: Lengths,
    split: Split,
    stops: Mapping[int, float] = {},
) -> AutomatonProgram:
    sources, targets, writes, weights = zip(*rows, strict=True)
    return AutomatonProgram(
        count=symbols,
        letters=tuple(letters),
        sources=sources,
        targets=targets,
        writes=writes,
        weights=weights,
        accepts=tuple(accepts),
        stops=() if set(stops.values()) <= {1.0} else tuple(stops[end] for end in accepts),
        lengths=lengths,
        split=split,
    )


def _closure(states: set[int], edges: set[tuple[int, int]]) -> set[int]:
    after: dict[int, list[int]] = {}
    for source, target in edges:
        after.setdefault(source, []).append(target)
    found, waiting = set(states), list(states)
    while waiting:
        for target in after.get(waiting.pop(), ()):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found
