"""Membership and legal next symbols for multiple context-free rules, for words of some dozens of symbols.

An item is a nonterminal with a span for each component: where some tree writes it. Top down from the whole
word, every item is looked at once. Where the length is open the word goes on in a loop, and items are found
bottom up, all there are: O(n ** (2 × components)) of them at worst, either way.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from procdsl.grammars.regular.deterministic import Dfa, TooLarge
from procdsl.grammars.rules.trees import Production, Trees, reference, referred

# Rules of a product: seconds of work.
WAYS = 200_000
State = int
Spans = tuple[tuple[State, State], ...]
Item = tuple[int, Spans]
Way = tuple[Production, tuple["Item", ...]]


class Spelling:
    """One word, None standing for any symbol; `lengths` says which each nonterminal has, as bits."""

    def __init__(self, trees: Trees, word: Sequence[int | None], lengths: Sequence[int]) -> None:
        self.word, self.lengths = word, lengths
        self.productions: list[list[Production]] = [[] for _ in trees.names]
        for production in trees.productions:
            self.productions[production.head].append(production)
        self.known: dict[Item, bool] = {}
        self.open: set[Item] = set()
        self.circular = False

    def derived(self) -> bool:
        """Whether the rules derive it."""
        return self._holds((0, ((0, len(self.word)),)))

    def _holds(self, item: Item) -> bool:
        """Whether an item is derived; not by itself: no shortest derivation holds what is open above it."""
        length = sum(end - begin for begin, end in item[1])
        if not self.lengths[item[0]] >> length & 1:
            return False
        if item in self.known:
            return self.known[item]
        if item in self.open:
            self.circular = True
            return False
        self.open.add(item)
        found = any(self._follows(production, item[1]) for production in self.productions[item[0]])
        self.open.discard(item)
        # A no that rests on an open item may be a yes elsewhere.
        if found or not self.circular or not self.open:
            self.known[item] = found
        if not self.open:
            self.circular = False
        return found

    def _follows(self, production: Production, spans: Spans) -> bool:
        for parts in self._shared_out(production.yields, spans, {}):
            children = (
                (child, tuple(parts[i, j] for j in range(sum(place[0] == i for place in parts))))
                for i, child in enumerate(production.children)
            )
            if all(map(self._holds, children)):
                return True
        return False

    def _shared_out(
        self, yields: Sequence[Sequence[int]], spans: Spans, parts: dict[tuple[int, int], tuple[int, int]]
    ) -> Iterator[dict[tuple[int, int], tuple[int, int]]]:
        """All ways to lay a production's yields over spans: where each component of each child stands."""
        if not yields:
            yield parts
            return
        (begin, end), codes = spans[0], yields[0]
        if not codes:
            if begin == end:
                yield from self._shared_out(yields[1:], spans[1:], parts)
            return
        code, rest = codes[0], (codes[1:], *yields[1:])
        if code >= 0:
            if begin < end and self.word[begin] in (code, None):
                yield from self._shared_out(rest, ((begin + 1, end), *spans[1:]), parts)
            return
        # Nothing but terminals behind it: then there is one place where it can end.
        last = all(other >= 0 for other in rest[0])
        ends = [end - len(rest[0])] if last else range(begin, end + 1)
        for cut in ends:
            if begin <= cut:
                placed = {**parts, referred(code): (begin, cut)}
                yield from self._shared_out(rest, ((cut, end), *spans[1:]), placed)


@dataclass(frozen=True)
class Paths:
    """An automaton: from where to where each symbol leads, and where any symbol leads."""

    states: int
    reads: dict[int, list[tuple[State, State]]]
    free: list[tuple[State, State]]

    def steps(self, symbol: int) -> Iterator[tuple[State, State]]:
        """The moves that a symbol allows."""
        return itertools.chain(self.reads.get(symbol, ()), self.free)


def next_symbols(trees: Trees, prefix: Sequence[int]) -> frozenset[int]:
    """What words that begin with the prefix, of any length, have next."""
    reads: dict[int, list[tuple[State, State]]] = {}
    for place, symbol in enumerate(prefix):
        reads.setdefault(symbol, []).append((place, place + 1))
    here, last = len(prefix), len(prefix) + 1
    deduction = _Deduction(trees, Paths(last + 1, reads, [(here, last), (last, last)]))
    return deduction.written((0, ((0, last),)), (here, last))


def kept(trees: Trees, dfa: Dfa) -> Trees:
    """The rules of the words that an automaton accepts too, each with the derivations it had. TooLarge beyond
    the budget.

    A nonterminal is one before, and where each of its components leads from and to (Seki et al. 1991).
    """
    reads: dict[int, list[tuple[State, State]]] = {}
    for state in range(len(dfa.moves)):
        for target, symbols in dfa.arrows(state).items():
            for symbol in symbols:
                reads.setdefault(symbol, []).append((state, target))
    deduction = _Deduction(trees, Paths(len(dfa.moves), reads, []), WAYS)
    goals: list[Item] = [(0, ((0, end),)) for end in sorted(dfa.accepts)]
    order = [goal for goal in goals if goal in deduction.found]
    number = {item: place for place, item in enumerate(order, 1)}
    made = [Production(0, (place,), ((reference(0, 0),),), 1.0) for place in number.values()]
    for item in order:
        for production, children in deduction.found[item]:
            for child in children:
                if child not in number:
                    order.append(child)
                    number[child] = len(order)
            places = tuple(number[child] for child in children)
            made.append(replace(production, head=number[item], children=places))
    return Trees(("S", *(f"{trees.names[a]}{spans}" for a, spans in order)), trees.alphabet, tuple(made))


class _Deduction:
    """Items, each with the ways it was found: what its production wrote where, and from which items.

    TooLarge beyond so many ways.
    """

    def __init__(self, trees: Trees, paths: Paths, most: float = math.inf) -> None:
        self.trees, self.paths = trees, paths
        self.users: dict[int, list[Production]] = {}
        for production in trees.productions:
            for child in dict.fromkeys(production.children):
                self.users.setdefault(child, []).append(production)
        self.by_head: dict[int, list[Item]] = {}
        self.found: dict[Item, list[Way]] = {}
        queue: list[tuple[Item, Way]] = []
        for production in trees.productions:
            if not production.children:
                queue += [(item, (production, ())) for item in self._made(production, ())]
        ways = 0
        while queue:
            item, way = queue.pop()
            ways += 1
            if ways > most:
                raise TooLarge(f"the rules that keep to the automaton are more than {most:,}")
            if item in self.found:
                self.found[item].append(way)
                continue
            self.found[item] = [way]
            self.by_head.setdefault(item[0], []).append(item)
            for production in self.users.get(item[0], ()):
                for children in self._combinations(production, item):
                    queue += [(made, (production, children)) for made in self._made(production, children)]

    def written(self, goal: Item, step: tuple[State, State]) -> frozenset[int]:
        """The symbols that trees of the goal write on one step of the automaton."""
        symbols, queue, seen = set[int](), [goal], set[Item]()
        while queue:
            item = queue.pop()
            if item not in seen:
                seen.add(item)
                for production, children in self.found.get(item, ()):
                    queue += children
                    for codes, ends in zip(production.yields, item[1], strict=True):
                        symbols.update(s for s, move in self._walks(codes, children, ends) if move == step)
        return frozenset(symbols)

    # ------------------------------------------------------------ one production

    def _combinations(self, production: Production, item: Item) -> Iterator[tuple[Item, ...]]:
        """The children of a production, at least one of them the item, the others found before."""
        for place, child in enumerate(production.children):
            if child == item[0]:
                before = (self._others(c, item) for c in production.children[:place])
                behind = (self.by_head.get(c, []) for c in production.children[place + 1 :])
                yield from itertools.product(*before, [item], *behind)

    def _others(self, child: int, item: Item) -> list[Item]:
        return [other for other in self.by_head.get(child, ()) if other != item]

    def _made(self, production: Production, children: tuple[Item, ...]) -> Iterator[Item]:
        spans = [self._spans(codes, children) for codes in production.yields]
        return ((production.head, chosen) for chosen in itertools.product(*spans))

    def _spans(self, codes: Sequence[int], children: Sequence[Item]) -> list[tuple[State, State]]:
        """Where a component can begin and end."""
        if not codes:
            return [(state, state) for state in range(self.paths.states)]
        found = dict.fromkeys(self._moves(codes[0], children))
        for code in codes[1:]:
            after: dict[State, list[State]] = {}
            for begin, end in self._moves(code, children):
                after.setdefault(begin, []).append(end)
            found = dict.fromkeys((begin, end) for begin, here in found for end in after.get(here, ()))
        return list(found)

    def _moves(self, code: int, children: Sequence[Item]) -> Iterator[tuple[State, State]]:
        if code >= 0:
            return self.paths.steps(code)
        child, component = referred(code)
        return iter((children[child][1][component],))

    def _walks(
        self, codes: Sequence[int], children: Sequence[Item], ends: tuple[State, State]
    ) -> list[tuple[int, tuple[State, State]]]:
        """The terminals on the ways a component leads from one end to the other."""
        layers = [{ends[0]}]
        moves = [list(self._moves(code, children)) for code in codes]
        for steps in moves:
            layers.append({end for begin, end in steps if begin in layers[-1]})
        alive, found = {ends[1]}, list[tuple[int, tuple[State, State]]]()
        for code, steps, layer in zip(reversed(codes), reversed(moves), reversed(layers[:-1]), strict=True):
            used = [(begin, end) for begin, end in steps if begin in layer and end in alive]
            found += [(code, move) for move in used if code >= 0]
            alive = {begin for begin, _ in used}
        return found
