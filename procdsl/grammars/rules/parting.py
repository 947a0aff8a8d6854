"""Rules in two parts: what training has, and what is held out of it.

By rules: what is derived without certain of them, and what is derived by one of them at least. They are named
as they are written, without weights, or by their left-hand side. By depth: products with two automata.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from procdsl.grammars._held_out import HeldOut
from procdsl.grammars.base import Problem
from procdsl.grammars.regular import nesting
from procdsl.grammars.regular.deterministic import Dfa, complement
from procdsl.grammars.regular.forests import Forest, meet
from procdsl.grammars.rules import findings
from procdsl.grammars.rules.deduction import kept
from procdsl.grammars.rules.syntax import parse
from procdsl.grammars.rules.trees import Production, Trees, reference
from procdsl.grammars.rules.written import Alternative, Group, Name, Quoted, Repeat, Rule, RuleError, Spot

# A rule's number and its alternative's.
Places = frozenset[tuple[int, int]]


def part(trees: Trees, held_out: HeldOut) -> Trees:
    """The rules of the words of this part. ValueError where there is none."""
    if held_out.rules:
        trees = _alive(using(trees) if held_out.tests_all else without(trees))
    if held_out.depth:
        bound = nesting.at_most(held_out.depth.over, trees.alphabet)
        trees = _alive(_met(trees, complement(bound) if held_out.tests_all else bound))
    return trees


def _alive(trees: Trees) -> Trees:
    alive = trees.trimmed()
    if alive is None:
        raise ValueError("no word is left")
    return alive


def _met(trees: Trees, dfa: Dfa) -> Trees:
    """The rules of the words that an automaton accepts too."""
    written = ([code for codes in p.yields for code in codes if code < 0] for p in trees.productions)
    in_order = all(
        codes == [reference(i, 0) for i in range(len(p.children))]
        for p, codes in zip(trees.productions, written, strict=True)
    )
    if in_order and max(trees.fanouts()) == 1:
        return meet(Forest(trees, True), dfa).trees
    return kept(trees, dfa)


def places(held_out: HeldOut, rules: Sequence[Rule]) -> Places:
    """The alternatives that are held out; `problems` tells which texts name none."""
    found = set[tuple[int, int]]()
    for text in held_out.rules or ():
        with suppress(RuleError):
            found |= named(str(text), rules)
    return frozenset(found)


def problems(held_out: HeldOut, rules: Sequence[Rule], alphabet: Sequence[str]) -> Iterator[Problem]:
    """P357, P371: what cannot be told of words, or is no rule."""
    for place, text in enumerate(held_out.rules or ()):
        at = ("held_out", "rules", place)
        if not isinstance(text, str):
            yield Problem("P357", f"{text} is no rule", at, 'as in rules = ["NP -> det noun RC"]')
            return
        try:
            named(text, rules)
        except RuleError as fault:
            where = findings.span(text, fault.spot)
            yield Problem(fault.code, fault.message, at, fault.help, span=where)
            return
    if held_out.depth and not all(nesting.sides(alphabet)):
        help = "as ( and ), or open[0] and close[0]"
        yield Problem("P357", "no token opens or closes a bracket", ("held_out", "depth"), help)


def named(text: str, rules: Sequence[Rule]) -> Places:
    """The alternatives that a text names: ``NP -> det noun``, or ``NP`` for all of them. RuleError: none.

    >>> sorted(named('S -> "b" S', parse('S -> "a" S [0.2] | "b" S [0.3] | ε [0.5]')))
    [(0, 1)]
    """
    if "->" not in text and "::=" not in text:
        whole = frozenset((i, j) for i, rule in enumerate(rules) if rule.head.name == text.strip()
                          for j in range(len(rule.alternatives)))  # fmt: skip
        if not whole:
            near = get_close_matches(text.strip(), [rule.head.name for rule in rules], 1)
            raise RuleError("P371", f"no rule is called {text}", Spot(1, 1, len(text)), *_meant(near))
        return whole
    return frozenset(place for rule in parse(text) for place in _written(rule, rules))


def _written(wanted: Rule, rules: Sequence[Rule]) -> Iterator[tuple[int, int]]:
    known = {
        (i, j): (_plain(rule.head), _plain(alternative))
        for i, rule in enumerate(rules)
        for j, alternative in enumerate(rule.alternatives)
    }
    for alternative in wanted.alternatives:
        found = [at for at, plain in known.items() if plain == (_plain(wanted.head), _plain(alternative))]
        if not found:
            spot = wanted.head.spot
            help = "write it as it stands in `rules`, without its weight"
            raise RuleError("P371", f"there is no such rule of {wanted.head.name}", spot, help)
        yield from found


def _meant(near: Sequence[str]) -> tuple[str, ...]:
    return (f"did you mean {near[0]}?",) if near else ()


def _plain(part: Any) -> Any:
    """A part of a rule without its places and weights."""
    match part:
        case Alternative():
            return tuple(map(_plain, part.items)), _plain(part.yields)
        case Group():
            return tuple(map(_plain, part.alternatives))
        case Repeat():
            return _plain(part.item), part.least, part.most
        case Name():
            return part.name, part.index
        case Quoted():
            return (part.text,)
        case tuple():
            return tuple(map(_plain, part))
    return part and (part.child, part.component)


def without(trees: Trees) -> Trees:
    """The derivations that use no rule that is held out."""
    return replace(trees, productions=tuple(p for p in trees.productions if not p.held))


def using(trees: Trees) -> Trees:
    """The derivations that use one that is held out, each once and with its weight.

    Of each nonterminal A there are three: any derivation; those without; those with. One with a held rule is
    one by such a rule, or by another whose first child of that sort is the i-th: those before are without,
    those behind any.
    """
    size = len(trees.names)
    names = (f"{trees.names[0]}+", *trees.names, *(f"{n}-" for n in trees.names),
             *(f"{n}+" for n in trees.names[1:]))  # fmt: skip

    def any_(a: int) -> int:
        return 1 + a

    def off(a: int) -> int:
        return 1 + size + a

    def on(a: int) -> int:
        return 2 * size + a if a else 0

    made = list[Production]()
    for p in trees.productions:
        whole = tuple(map(any_, p.children))
        made.append(replace(p, head=any_(p.head), children=whole))
        if p.held:
            made.append(replace(p, head=on(p.head), children=whole))
            continue
        made.append(replace(p, head=off(p.head), children=tuple(map(off, p.children))))
        for i, child in enumerate(p.children):
            children = (*map(off, p.children[:i]), on(child), *whole[i + 1 :])
            made.append(replace(p, head=on(p.head), children=children))
    return Trees(names, trees.alphabet, tuple(made))
