"""Deterministic automata, least of their language: one value for one language over one alphabet.

Symbols that no arrow tells apart form an *atom*; arrows are over atoms. A missing arrow leads nowhere.
Least automata by Hopcroft's partition refinement (1971), O(n log n) for each atom; states no word passes
are left out, the rest numbered in the order a breadth-first walk from state 0 meets them.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from procdsl.grammars.regular.nondeterministic import Arrow, Nfa

Moves = Sequence[dict[int, int]]

# States of a deterministic automaton, unless a grammar says otherwise.
BUDGET = 10_000
# Arrows over atoms of a nondeterministic one: seconds of work.
ARROWS = 2_000_000


class TooLarge(ValueError):
    """An automaton would have more states than the budget allows."""


@dataclass(frozen=True)
class Dfa:
    """`moves[state][atom]` is the next state; 0 is the start. Atoms share out all symbols of the alphabet."""

    atoms: tuple[tuple[int, ...], ...]
    moves: tuple[dict[int, int], ...]
    accepts: frozenset[int]

    @cached_property
    def atom_of(self) -> dict[int, int]:
        """The atom that each symbol is in."""
        return {symbol: atom for atom, symbols in enumerate(self.atoms) for symbol in symbols}

    def step(self, state: int, symbol: int) -> int | None:
        """The state that a symbol leads to; None where no word goes on so."""
        return self.moves[state].get(self.atom_of[symbol])

    def follow(self, word: Iterable[int]) -> int | None:
        """The state after a word's symbols; None where no word begins so."""
        state: int | None = 0
        for symbol in word:
            if state is None:
                return None
            state = self.step(state, symbol)
        return state

    def arrows(self, state: int) -> dict[int, tuple[int, ...]]:
        """The states that one symbol leads to, each with its symbols in order."""
        found: dict[int, list[int]] = {}
        for atom, target in self.moves[state].items():
            found.setdefault(target, []).extend(self.atoms[atom])
        return {target: tuple(sorted(symbols)) for target, symbols in sorted(found.items())}

    def nfa(self) -> Nfa:
        """The same automaton, to build others of."""
        arrows = (
            Arrow(state, frozenset(symbols), target)
            for state in range(len(self.moves))
            for target, symbols in self.arrows(state).items()
        )
        return Nfa(len(self.moves), tuple(arrows), self.accepts)

    @property
    def empty(self) -> bool:
        """Whether no word is accepted."""
        return not self.accepts


def determinise(nfa: Nfa, symbols: int, budget: int = BUDGET) -> Dfa:
    """The least deterministic automaton of its language over so many symbols. TooLarge beyond the budget."""
    atoms = _atoms([arrow.symbols for arrow in nfa.arrows if arrow.symbols is not None], symbols)
    steps, silent = _steps(nfa, atoms)
    start = _closure([0], silent)
    index, waiting, moves = {start: 0}, deque([start]), list[dict[int, int]]()
    while waiting:
        here: dict[int, set[int]] = defaultdict(set)
        for state in waiting.popleft():
            for atom, target in steps[state]:
                here[atom].add(target)
        move = dict[int, int]()
        for atom, targets in here.items():
            after = _closure(targets, silent)
            if after not in index:
                index[after] = len(index)
                waiting.append(after)
                _within(len(index), budget)
            move[atom] = index[after]
        moves.append(move)
    accepts = frozenset(index[states] for states in index if not nfa.accepts.isdisjoint(states))
    return least(atoms, moves, accepts)


def hidden(follows: Sequence[int], writers: Sequence[int], ends: int, budget: int = BUDGET) -> Dfa:
    """The least automaton of what states that follow each other unseen can write. TooLarge beyond the budget.

    Sets of states are bits of numbers: follows[q] may come after state q, writers[s] can write symbol s, and
    words end in `ends`. State 0 stands before the first.
    """
    atoms: dict[int, list[int]] = defaultdict(list)
    for symbol, writer in enumerate(writers):
        atoms[writer].append(symbol)
    index, order, moves = {1: 0}, [1], list[dict[int, int]]()
    for here in order:
        ahead, move = 0, dict[int, int]()
        for state, following in enumerate(follows):
            ahead |= following if here >> state & 1 else 0
        for atom, writer in enumerate(atoms):
            if after := ahead & writer:
                if after not in index:
                    index[after] = len(order)
                    order.append(after)
                    _within(len(order), budget)
                move[atom] = index[after]
        moves.append(move)
    accepts = frozenset(place for states, place in index.items() if states & ends)
    return least([tuple(symbols) for symbols in atoms.values()], moves, accepts)


def product(one: Dfa, other: Dfa, keep: Callable[[bool, bool], bool], budget: int = BUDGET) -> Dfa:
    """The words that `keep` wants, told whether each of the two accepts them. Both have one alphabet."""
    atoms = _common(one, other)
    index: dict[tuple[int, int], int] = {(0, 0): 0}
    waiting, moves, accepts = deque([(0, 0)]), list[dict[int, int]](), set[int]()
    while waiting:
        p, q = pair = waiting.popleft()
        if keep(p in one.accepts, q in other.accepts):
            accepts.add(index[pair])
        move = dict[int, int]()
        for atom, (left, right, _) in enumerate(atoms):
            after = (one.moves[p].get(left, -1) if p >= 0 else -1, _next(other, q, right))
            if not _may_accept(after, keep):
                continue
            if after not in index:
                index[after] = len(index)
                waiting.append(after)
                _within(len(index), budget)
            move[atom] = index[after]
        moves.append(move)
    return least([symbols for _, _, symbols in atoms], moves, frozenset(accepts))


def both(one: Dfa, other: Dfa, budget: int = BUDGET) -> Dfa:
    """The words of both."""
    return product(one, other, lambda left, right: left and right, budget)


def without(one: Dfa, other: Dfa, budget: int = BUDGET) -> Dfa:
    """The words of the first that the other has not."""
    return product(one, other, lambda left, right: left and not right, budget)


def everything(symbols: int) -> Dfa:
    """All words over so many symbols."""
    return Dfa((tuple(range(symbols)),), ({0: 0},), frozenset({0}))


def complement(one: Dfa) -> Dfa:
    """All words over its alphabet that it does not accept."""
    return without(everything(sum(map(len, one.atoms))), one)


# ---------------------------------------------------------------- least automata


def least(atoms: Sequence[tuple[int, ...]], moves: Moves, accepts: frozenset[int]) -> Dfa:
    """The least automaton that accepts the same."""
    alive = _co_accessible(moves, accepts)
    if 0 not in alive:
        return Dfa((tuple(sorted(symbol for atom in atoms for symbol in atom)),), ({},), frozenset())
    useful = [
        {a: t for a, t in move.items() if t in alive} if q in alive else {} for q, move in enumerate(moves)
    ]
    block = _blocks(useful, accepts, len(atoms))
    merged = {block[q]: {a: block[t] for a, t in move.items()} for q, move in enumerate(useful) if q in alive}
    columns: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for atom, symbols in enumerate(atoms):
        column = tuple((b, move[atom]) for b, move in merged.items() if atom in move)
        columns.setdefault(column, []).extend(symbols)
    joined = sorted((sorted(symbols), column) for column, symbols in columns.items())
    by_block: dict[int, dict[int, int]] = {b: {} for b in merged}
    for atom, (_, column) in enumerate(joined):
        for b, target in column:
            by_block[b][atom] = target
    order = _breadth_first(by_block, block[0])
    return Dfa(
        tuple(tuple(symbols) for symbols, _ in joined),
        tuple({atom: order[target] for atom, target in by_block[b].items()} for b in order),
        frozenset(order[b] for b in {block[q] for q in accepts if q in alive} if b in order),
    )


def _blocks(moves: Moves, accepts: frozenset[int], atoms: int) -> list[int]:
    """The class of each state: equal for those from which the same words are accepted."""
    sink = len(moves)
    inverse: list[dict[int, list[int]]] = [defaultdict(list) for _ in range(atoms)]
    for q, move in enumerate([*moves, {}]):
        for atom in range(atoms):
            inverse[atom][move.get(atom, sink)].append(q)
    blocks = [set(accepts), set(range(sink + 1)) - accepts]
    block = [0 if q in accepts else 1 for q in range(sink + 1)]
    waiting = {0, 1}
    while waiting:
        splitter = list(blocks[waiting.pop()])
        for atom in range(atoms):
            met: dict[int, set[int]] = {}
            for target in splitter:
                for q in inverse[atom].get(target, ()):
                    met.setdefault(block[q], set()).add(q)
            for b, part in met.items():
                rest = blocks[b] - part
                if rest:
                    # The smaller half gets the new number and is looked at again: each state log n times.
                    blocks[b], small = (part, rest) if len(rest) < len(part) else (rest, part)
                    for q in small:
                        block[q] = len(blocks)
                    waiting.add(len(blocks))
                    blocks.append(small)
    return block


def _co_accessible(moves: Moves, accepts: frozenset[int]) -> set[int]:
    """The states from which a word can still end."""
    before: dict[int, list[int]] = defaultdict(list)
    for q, move in enumerate(moves):
        for target in move.values():
            before[target].append(q)
    found, waiting = set(accepts), list(accepts)
    while waiting:
        for q in before[waiting.pop()]:
            if q not in found:
                found.add(q)
                waiting.append(q)
    return found


def _breadth_first(moves: dict[int, dict[int, int]], start: int) -> dict[int, int]:
    """New numbers of the states that can be reached, in the order they are met."""
    order, waiting = {start: 0}, deque([start])
    while waiting:
        for _, target in sorted(moves[waiting.popleft()].items()):
            if target not in order:
                order[target] = len(order)
                waiting.append(target)
    return order


# ---------------------------------------------------------------- parts of the constructions


def _atoms(labels: Iterable[frozenset[int]], symbols: int) -> list[tuple[int, ...]]:
    """The symbols, those together that no label tells apart."""
    places = defaultdict[int, list[int]](list)
    for place, label in enumerate(dict.fromkeys(labels)):
        for symbol in label:
            places[symbol].append(place)
    found: dict[tuple[int, ...], list[int]] = {}
    for symbol in range(symbols):
        found.setdefault(tuple(places.get(symbol, ())), []).append(symbol)
    return [tuple(atom) for atom in found.values()]


def _common(one: Dfa, other: Dfa) -> list[tuple[int, int, tuple[int, ...]]]:
    """The atoms that both tell apart: the one's, the other's, the symbols in both."""
    found: dict[tuple[int, int], list[int]] = {}
    for symbol, atom in sorted(one.atom_of.items()):
        found.setdefault((atom, other.atom_of[symbol]), []).append(symbol)
    return [(left, right, tuple(symbols)) for (left, right), symbols in found.items()]


def _steps(nfa: Nfa, atoms: Sequence[tuple[int, ...]]) -> tuple[list[list[tuple[int, int]]], list[list[int]]]:
    """What each state's arrows do: over which atoms to which states, and silently."""
    firsts = [atom[0] for atom in atoms]
    of_label: dict[frozenset[int], list[int]] = {}
    steps: list[list[tuple[int, int]]] = [[] for _ in range(nfa.states)]
    silent: list[list[int]] = [[] for _ in range(nfa.states)]
    count = 0
    for arrow in nfa.arrows:
        if arrow.symbols is None:
            silent[arrow.source].append(arrow.target)
            continue
        if arrow.symbols not in of_label:
            of_label[arrow.symbols] = [a for a, first in enumerate(firsts) if first in arrow.symbols]
        steps[arrow.source] += [(atom, arrow.target) for atom in of_label[arrow.symbols]]
        count += len(of_label[arrow.symbols])
        _within(count, ARROWS, "arrows")
    return steps, silent


def _closure(states: Iterable[int], silent: Sequence[Sequence[int]]) -> frozenset[int]:
    """These states and what silent arrows reach from them."""
    found, waiting = set(states), list(states)
    while waiting:
        for target in silent[waiting.pop()]:
            if target not in found:
                found.add(target)
                waiting.append(target)
    return frozenset(found)


def _next(dfa: Dfa, state: int, atom: int) -> int:
    return dfa.moves[state].get(atom, -1) if state >= 0 else -1


def _may_accept(pair: tuple[int, int], keep: Callable[[bool, bool], bool]) -> bool:
    """Whether some word from here on might be kept: where one is lost, what it would say is known."""
    lefts, rights = ((True, False) if state >= 0 else (False,) for state in pair)
    return any(keep(left, right) for left in lefts for right in rights)


def _within(found: int, budget: int, what: str = "states") -> None:
    if found > budget:
        raise TooLarge(f"the automaton has more than {budget:,} {what}")
