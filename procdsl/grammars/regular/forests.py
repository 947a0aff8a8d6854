"""Operators on context-free rules: what stays context-free, with its derivations.

The product with an automaton is Bar-Hillel, Perles & Shamir's (1961): a nonterminal A becomes (p, A, q), the
words of A that lead from state p to q. Only those that occur behind a prefix that can be read are made, as in
Earley's algorithm.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from procdsl.grammars.regular import nondeterministic
from procdsl.grammars.regular.deterministic import Dfa, TooLarge, determinise
from procdsl.grammars.regular.nondeterministic import Arrow
from procdsl.grammars.rules.trees import Production, Trees, reference, referred
from procdsl.programs.automaton import AutomatonProgram

# Rules of a product: seconds of work.
RULES = 200_000
Rows = list[tuple[tuple[int, ...], tuple[tuple[int, ...], ...], float]]


@dataclass(frozen=True)
class Forest:
    """Rules; `certain` where it is known that no word has two derivations."""

    trees: Trees
    certain: bool

    @cached_property
    def symbols(self) -> frozenset[int]:
        """The terminals that words are made of."""
        alive = self.trees.trimmed()
        return frozenset(code for p in (alive.productions if alive else ()) for code in p.terminals())

    @property
    def nullable(self) -> bool:
        """Whether the empty word is derived."""
        silent = replace(
            self.trees,
            productions=tuple(p for p in self.trees.productions if not any(True for _ in p.terminals())),
        )
        return 0 in silent.productive()

    @property
    def nonempty(self) -> bool:
        """Whether some word of at least one symbol is derived."""
        return bool(self.symbols)


@dataclass(frozen=True)
class Shuffle:
    """Words of several rules between each other: of symbols that tell which part each belongs to."""

    parts: tuple[Forest, ...]

    @property
    def symbols(self) -> frozenset[int]:
        """The terminals that words are made of."""
        return frozenset().union(*(part.symbols for part in self.parts))


def brackets(alphabet: Sequence[str], pairs: Sequence[tuple[int, int]], depth: int | None) -> Forest:
    """Well-nested words of these pairs, at most `depth` deep: S -> ( S ) S | ε, with a copy for each
    depth."""
    levels = 1 if depth is None else depth + 1
    productions = [Production(level, (), ((),), 0.5) for level in range(levels)]
    for level in range(levels if depth is None else depth):
        inner = level if depth is None else level + 1
        productions += [
            Production(
                level, (inner, level), ((open, reference(0, 0), close, reference(1, 0)),), 0.5 / len(pairs)
            )
            for open, close in pairs
        ]
    return Forest(
        Trees(tuple(f"S{level}" for level in range(levels)), tuple(alphabet), tuple(productions)), True
    )


def right_linear(dfa: Dfa, alphabet: Sequence[str]) -> Forest:
    """Rules for an automaton: a nonterminal for each state, which the words lead from it to an end."""
    productions = [Production(end, (), ((),), 1.0) for end in sorted(dfa.accepts)]
    for state in range(len(dfa.moves)):
        arrows = [(s, target) for target, symbols in dfa.arrows(state).items() for s in symbols]
        productions += [
            Production(state, (target,), ((symbol, reference(0, 0)),), 1.0 / len(arrows))
            for symbol, target in arrows
        ]
    names = tuple(f"q{state}" for state in range(len(dfa.moves)))
    return Forest(Trees(names, tuple(alphabet), tuple(productions)), True)


def walks(program: AutomatonProgram, images: Mapping[int, int], alphabet: Sequence[str]) -> Forest:
    """Rules for weighted walks: a nonterminal for each state, a rule for each arrow and letter."""
    arrows = list[tuple[int, int, int, float]]()
    for source, target, place, weight in zip(
        program.sources, program.targets, program.writes, program.weights, strict=True
    ):
        letters = program.letters[place]
        own = letters.weights or (1.0,) * len(letters.symbols)
        arrows += [
            (source, images[symbol], target, weight * share / math.fsum(own))
            for symbol, share in zip(letters.symbols, own, strict=True)
        ]
    # Weights of rules are at most one. A factor for every symbol alike changes nothing at a given length.
    top = max(1.0, *(weight for *_, weight in arrows))
    stops = program.stops or (1.0,) * len(program.accepts)
    productions = [
        Production(end, (), ((),), stop / max(stops))
        for end, stop in zip(program.accepts, stops, strict=True)
    ]
    productions += [
        Production(source, (target,), ((symbol, reference(0, 0)),), weight / top)
        for source, symbol, target, weight in arrows
    ]
    names = tuple(f"q{state}" for state in range(program.states))
    certain = len({(source, symbol) for source, symbol, *_ in arrows}) == len(arrows)
    return Forest(Trees(names, tuple(alphabet), tuple(productions)), certain)


def concat(parts: Sequence[Forest]) -> Forest:
    """A word of each, one after another."""
    body = tuple(reference(place, 0) for place in range(len(parts)))
    made = _over(parts, [(tuple(range(len(parts))), (body,), 1.0)])
    # Where a part ends is plain if the next begins with symbols that it has not.
    tellable = all(one.symbols.isdisjoint(other.symbols) for one, other in pairwise(parts))
    split = tellable and not any(part.nullable for part in parts[1:-1])
    return replace(made, certain=split and all(part.certain for part in parts))


def union(parts: Sequence[Forest], *, apart: bool = False) -> Forest:
    """A word of any of them, each as likely before the length is known; `apart` if they share no word."""
    rows: Rows = [((place,), ((reference(0, 0),),), 1.0 / len(parts)) for place in range(len(parts))]
    alphabets = [symbol for part in parts for symbol in part.symbols]
    apart = apart or len(set(alphabets)) == len(alphabets)
    return replace(_over(parts, rows), certain=apart and all(part.certain for part in parts))


def repeat(part: Forest, least: int, most: int) -> Forest:
    """`least` to `most` words, one after another."""
    if most > 64:
        raise TooLarge("at most 64 words of rules can follow each other")
    rows: Rows = []
    for times in range(least, most + 1):
        body = tuple(reference(place, 0) for place in range(times))
        rows.append(((0,) * times, (body,), 1.0 / (most - least + 1)))
    return _over([part], rows)


def reverse(part: Forest) -> Forest:
    """Its words, read backwards."""

    def turned(production: Production) -> Production:
        last = len(production.children) - 1
        (codes,) = production.yields
        body = tuple(
            code if code >= 0 else reference(last - referred(code)[0], 0) for code in reversed(codes)
        )
        return replace(production, children=production.children[::-1], yields=(body,))

    return Forest(replace(part.trees, productions=tuple(map(turned, part.trees.productions))), part.certain)


def relabelled(part: Forest, images: Mapping[int, int], alphabet: Sequence[str]) -> Forest:
    """Its words with every symbol replaced by its image, over another alphabet."""
    productions = tuple(
        replace(p, yields=tuple(tuple(images[c] if c >= 0 else c for c in codes) for codes in p.yields))
        for p in part.trees.productions
    )
    one_to_one = len(set(images.values())) == len(images)
    return Forest(Trees(part.trees.names, tuple(alphabet), productions), part.certain and one_to_one)


def shuffle(part: Forest, dfa: Dfa, states: int) -> Forest:
    """Its words with those of an automaton between them: (G with anything between) & (the automaton's words
    with anything between), for which the automaton's symbols are told apart from the rules' own meanwhile.

    Each word has one derivation for each way to part it in two, and one where no symbol is in both.
    """
    size = len(part.trees.alphabet)
    alphabet = (*part.trees.alphabet, *part.trees.alphabet)
    own, other = sorted(part.symbols), sorted({s for move in dfa.moves for a in move for s in dfa.atoms[a]})
    anything = len(part.trees.names) + 1
    productions = [
        Production(0, (1, anything), ((reference(0, 0), reference(1, 0)),), 1.0),
        Production(anything, (), ((),), 1.0),
        *(Production(anything, (anything,), ((s + size, reference(0, 0)),), 1.0) for s in other),
    ]
    for p in part.trees.productions:
        children, codes = list[int](), list[int]()
        for code in p.yields[0]:
            child = anything if code >= 0 else p.children[referred(code)[0]] + 1
            codes.append(reference(len(children), 0))
            children.append(child)
            codes += [code] if code >= 0 else []
        productions.append(Production(p.head + 1, tuple(children), (tuple(codes),), p.weight))
    names = ("S", *part.trees.names, "between")
    spread = Forest(Trees(names, alphabet, tuple(productions)), part.certain)
    shadow = nondeterministic.relabelled(dfa.nfa(), {s: s + size for s in range(size)})
    loops = tuple(Arrow(q, frozenset(own), q) for q in range(shadow.states))
    kept = determinise(replace(shadow, arrows=(*shadow.arrows, *loops)), 2 * size, states)
    met = meet(spread, kept)
    return relabelled(met, {s: s for s in own} | {s + size: s for s in other}, part.trees.alphabet)


def meet(part: Forest, dfa: Dfa, rules: int = RULES) -> Forest:
    """The words that the automaton accepts too, each with the derivations it had. TooLarge beyond the
    budget."""
    trees = part.trees.trimmed() or part.trees
    found = _paths(trees, dfa, rules)
    written = bodies(trees)
    number: dict[tuple[int, int, int], int] = {}
    productions = list[Production]()
    for place, path in found:
        production, steps = trees.productions[place], list(pairwise(path))
        head = number.setdefault((path[0], production.head, path[-1]), len(number) + 1)
        children = tuple(
            number.setdefault((before, ~code, after), len(number) + 1)
            for code, (before, after) in zip(written[place], steps, strict=True)
            if code < 0
        )
        productions.append(replace(production, head=head, children=children))
    roots = [made for (p, a, q), made in number.items() if p == 0 and a == 0 and q in dfa.accepts]
    starts = [Production(0, (root,), ((reference(0, 0),),), 1.0) for root in roots]
    names = ("S", *(f"{trees.names[a]}<{p},{q}>" for p, a, q in number))
    return Forest(Trees(names, trees.alphabet, (*starts, *productions)), part.certain)


def _paths(trees: Trees, dfa: Dfa, rules: int) -> list[tuple[int, tuple[int, ...]]]:
    """Every production with the states before, between and behind its symbols, from state 0 and its start."""
    written = bodies(trees)
    of_head: dict[int, list[int]] = defaultdict(list)
    for place, production in enumerate(trees.productions):
        of_head[production.head].append(place)
    ends: dict[tuple[int, int], dict[int, None]] = defaultdict(dict)
    waiting: dict[tuple[int, int], list[tuple[int, tuple[int, ...]]]] = {(0, 0): []}
    agenda: list[tuple[int, tuple[int, ...]]] = [(place, (0,)) for place in of_head[0]]
    found = list[tuple[int, tuple[int, ...]]]()
    while agenda:
        place, begun = agenda.pop()
        body, path = written[place], _read(written[place], begun, dfa)
        if path is None:
            continue
        if len(path) <= len(body):
            key = (~body[len(path) - 1], path[-1])
            if key not in waiting:
                waiting[key] = []
                agenda += [(other, (path[-1],)) for other in of_head[key[0]]]
            waiting[key].append((place, path))
            agenda += [(place, (*path, end)) for end in ends[key]]
            continue
        found.append((place, path))
        if len(found) + len(agenda) > rules:
            raise TooLarge(f"the rules that keep to the automaton are more than {rules:,}")
        key = (trees.productions[place].head, path[0])
        if path[-1] not in ends[key]:
            ends[key][path[-1]] = None
            agenda += [(other, (*before, path[-1])) for other, before in waiting[key]]
    return found


def _read(body: Sequence[int], path: tuple[int, ...], dfa: Dfa) -> tuple[int, ...] | None:
    """The path, on over the terminals that come next; None where the automaton stops."""
    states = list(path)
    while len(states) <= len(body) and body[len(states) - 1] >= 0:
        after = dfa.step(states[-1], body[len(states) - 1])
        if after is None:
            return None
        states.append(after)
    return tuple(states)


def bodies(trees: Trees) -> list[tuple[int, ...]]:
    """Right-hand sides: terminals' ids, and ~ of nonterminals."""
    return [
        tuple(code if code >= 0 else ~p.children[referred(code)[0]] for code in p.yields[0])
        for p in trees.productions
    ]


def _over(parts: Sequence[Forest], rows: Rows) -> Forest:
    """A new start symbol above the parts: children are the parts' numbers."""
    names, productions, roots = ["S"], list[Production](), list[int]()
    for part in parts:
        shift = len(names)
        roots.append(shift)
        names += part.trees.names
        productions += [
            replace(p, head=p.head + shift, children=tuple(child + shift for child in p.children))
            for p in part.trees.productions
        ]
    starts = [
        Production(0, tuple(roots[child] for child in children), yields, weight)
        for children, yields, weight in rows
    ]
    alphabet = parts[0].trees.alphabet
    return Forest(Trees(tuple(names), alphabet, (*starts, *productions)), False)
