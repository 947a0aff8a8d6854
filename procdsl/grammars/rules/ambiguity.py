"""Does a word have several derivations? Nobody can always tell: a proof, a witness, or how far there is none.

The proof is a conflict-free LALR(1) table, made by lark: one derivation for each word (DeRemer 1969).
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lark.common import ParserConf
from lark.exceptions import GrammarError
from lark.grammar import NonTerminal, Rule, Symbol, Terminal
from lark.parsers.lalr_analysis import LALR_Analyzer

from procdsl.grammars.rules.trees import referred
from procdsl.programs.tree import TreeProgram, TreeShape

# The search goes on until it has made so many strings, or words of this length.
_STRINGS, _LONGEST = 20_000, 12
# The table of so many rules, or items, takes some seconds.
_MOST_RULES, _MOST_ITEMS = 1_000, 20_000
Strings = tuple[tuple[int, ...], ...]
# A rule: its head, and terminals' ids and ~ of nonterminals.
Body = tuple[int, tuple[int, ...]]


@dataclass(frozen=True)
class Verdict:
    """`certain` that words have one derivation each; or a witness and its derivations (0: endlessly many);
    or neither, having looked at some words of up to `searched` symbols.
    """

    certain: bool = False
    witness: tuple[int, ...] | None = None
    derivations: int = 0
    searched: int = 0


@lru_cache(maxsize=16)
def verdict(shapes: tuple[TreeShape, ...]) -> Verdict:
    """What can be said of trimmed rules."""
    if all(len(shape.yields) == 1 for shape in shapes) and _certified(shapes):
        return Verdict(certain=True)
    return _search(shapes)


def derived_once(program: TreeProgram) -> bool:
    """Whether it is known that every word has one derivation."""
    return program.unambiguous or verdict(program.shapes).certain


def _certified(shapes: Sequence[TreeShape]) -> bool:
    """First without telling apart what can stand in the same places: a word's structure then has one
    derivation at most, and its symbols say which members of the shapes it is made of.
    """
    merged = dict.fromkeys(_merged(shapes))
    if len(merged) == len(shapes) and _conflict_free(merged):
        return True
    return _conflict_free(dict.fromkeys(_rules(shapes)))


def _conflict_free(rules: Collection[Body]) -> bool:
    if len(rules) > _MOST_RULES or _items(rules) > _MOST_ITEMS:
        return False
    made = [Rule(NonTerminal(f"n{head}"), [_symbol(s) for s in body]) for head, body in rules]
    table = LALR_Analyzer(ParserConf(made, {}, ["n0"]), strict=True)
    try:
        table.compute_lalr()  # type: ignore[no-untyped-call]
    except GrammarError:  # what lark calls a conflict
        return False
    return True


def _items(rules: Collection[Body]) -> int:
    """How many items the states of a table have, at most: for each place before a nonterminal, the rules that
    can begin there.
    """
    first: dict[int, set[int]] = {}
    for head, body in rules:
        first.setdefault(head, set()).update(~code for code in body[:1] if code < 0)
    size = Counter(head for head, _ in rules)
    begin = dict[int, int]()
    for head in first:
        reached, waiting = {head}, [head]
        while waiting:
            more = first.get(waiting.pop(), set()) - reached
            reached |= more
            waiting += more
        begin[head] = sum(size[a] for a in reached)
    return sum(begin.get(~code, 0) for _, body in rules for code in body if code < 0)


def _symbol(code: int) -> Symbol:
    return NonTerminal(f"n{~code}") if code < 0 else Terminal(f"T{code}")


def _merged(shapes: Sequence[TreeShape]) -> Iterator[Body]:
    """Context-free rules, one a shape, over classes of terminals: those that stand in one place are alike."""
    classes: dict[int, set[int]] = {}
    for shape in shapes:
        for place in zip(*shape.members, strict=True):
            whole = set[int]().union(*(classes.get(terminal, {terminal}) for terminal in place))
            classes.update(dict.fromkeys(whole, whole))
    least = {terminal: min(whole) for terminal, whole in classes.items()}
    for shape in shapes:
        yield (
            shape.head,
            tuple(
                least[shape.members[0][c]] if c >= 0 else ~shape.children[referred(c)[0]]
                for c in shape.yields[0]
            ),
        )


def _rules(shapes: Sequence[TreeShape]) -> Iterator[Body]:
    """Context-free rules. Terminals that no other rule has and that stand alone need one name only."""
    heads: dict[int, set[int]] = {}
    for number, shape in enumerate(shapes):
        for terminal in itertools.chain.from_iterable(shape.members):
            heads.setdefault(terminal, set()).add(number)
    for number, shape in enumerate(shapes):
        merge = len(shape.members[0]) == 1 and all(heads[t] == {number} for (t,) in shape.members)
        for member in shape.members[:1] if merge else shape.members:
            body = (member[c] if c >= 0 else ~shape.children[referred(c)[0]] for c in shape.yields[0])
            yield shape.head, tuple(body)


def _search(shapes: Sequence[TreeShape]) -> Verdict:
    """Counts derivations of short words; two members of each shape are enough to meet most ambiguities."""
    search = _Search(shapes)
    for n in range(_LONGEST + 1):
        settled = search.extend(n)
        words = search.found[0][n]
        if not settled and words:
            return Verdict(witness=min(words)[0], searched=n)
        for word, derivations in words.items():
            # The empty word is left out of every language.
            if n and derivations > 1:
                return Verdict(witness=word[0], derivations=derivations, searched=n)
        if search.spent > _STRINGS:
            return Verdict(searched=n)
    return Verdict(searched=_LONGEST)


class _Search:
    """The derivations of each string of each nonterminal, length by length."""

    def __init__(self, shapes: Sequence[TreeShape]) -> None:
        count = 1 + max(max((shape.head, *shape.children)) for shape in shapes)
        self.found: list[list[dict[Strings, int]]] = [[] for _ in range(count)]
        self.shapes: list[list[TreeShape]] = [[] for _ in range(count)]
        for shape in shapes:
            self.shapes[shape.head].append(shape)
        self.spent = 0

    def extend(self, n: int) -> bool:
        """One length more; false where derivations go on without end."""
        for of in self.found:
            of.append({})
        for _ in range(len(self.found) + 1):
            made = [self._derived(a, n) for a in range(len(self.found))]
            if made == [of[n] for of in self.found]:
                return True
            for of, words in zip(self.found, made, strict=True):
                of[n] = words
        return False

    def _derived(self, a: int, n: int) -> dict[Strings, int]:
        words: dict[Strings, int] = {}
        for shape in self.shapes[a]:
            left = n - len(shape.members[0])
            for parts in _shared(left, len(shape.children)) if left >= 0 else ():
                choices = [self.found[c][m].items() for c, m in zip(shape.children, parts, strict=True)]
                for chosen in itertools.product(*choices):
                    for member in shape.members[:2]:
                        made = tuple(_written(codes, member, chosen) for codes in shape.yields)
                        words[made] = words.get(made, 0) + math.prod(ways for _, ways in chosen)
                        self.spent += 1
        return words


def _written(
    codes: Sequence[int], member: Sequence[int], chosen: Sequence[tuple[Strings, int]]
) -> tuple[int, ...]:
    out = list[int]()
    for code in codes:
        if code >= 0:
            out.append(member[code])
        else:
            child, component = referred(code)
            out += chosen[child][0][component]
    return tuple(out)


def _shared(length: int, parts: int) -> Iterator[tuple[int, ...]]:
    """All ways to share a length out."""
    if parts == 0:
        if length == 0:
            yield ()
        return
    if parts == 1:
        yield (length,)
        return
    for own in range(length + 1):
        for rest in _shared(length - own, parts - 1):
            yield own, *rest
