"""What rules come to: a weighted regular tree grammar whose rules carry a yield, in whole numbers.

Koller & Kuhlmann 2011 call it an interpreted regular tree grammar: derivations are trees, and each rule says
how the strings of its children, with terminals between them, make its own. A context-free rule yields one
string, in order; a multiple context-free one yields a tuple. Lengths add up over the tree, so one dynamic
programme serves them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

# A yield's component is a sequence of numbers: a terminal's id, or CHILD - (child * FANOUT + component).
FANOUT = 8
CHILD = -1


def reference(child: int, component: int) -> int:
    """How a yield names a component of a child, both counted from zero.

    >>> reference(0, 0), referred(reference(2, 1))
    (-1, (2, 1))
    """
    return CHILD - (child * FANOUT + component)


def referred(code: int) -> tuple[int, int]:
    """The child and the component that a negative entry of a yield names."""
    return divmod(CHILD - code, FANOUT)


@dataclass(frozen=True, slots=True)
class Production:
    """head → children, with the tuple of strings it yields; `weight` among the head's productions.

    Words that a `held` one derives are held out.
    """

    head: int
    children: tuple[int, ...]
    yields: tuple[tuple[int, ...], ...]
    weight: float
    line: int = 0
    held: bool = False

    def terminals(self) -> Iterator[int]:
        """The terminals it writes, in order of writing."""
        return (code for component in self.yields for code in component if code >= 0)


@dataclass(frozen=True, slots=True)
class Trees:
    """Productions over interned nonterminals and terminals; `names[0]` is the start symbol."""

    names: tuple[str, ...]
    alphabet: tuple[str, ...]
    productions: tuple[Production, ...]

    def productive(self) -> frozenset[int]:
        """The nonterminals that some finite tree hangs from."""
        waiting = [len(set(p.children)) for p in self.productions]
        users: dict[int, list[int]] = {}
        for place, p in enumerate(self.productions):
            for child in set(p.children):
                users.setdefault(child, []).append(place)
        good = set[int]()
        queue = [p.head for p in self.productions if not p.children]
        while queue:
            found = queue.pop()
            if found not in good:
                good.add(found)
                for place in users.get(found, ()):
                    waiting[place] -= 1
                    if not waiting[place]:
                        queue.append(self.productions[place].head)
        return frozenset(good)

    def reachable(self) -> frozenset[int]:
        """The nonterminals that occur in some tree grown from the start symbol."""
        children: dict[int, set[int]] = {}
        for p in self.productions:
            children.setdefault(p.head, set()).update(p.children)
        found, queue = set[int](), [0]
        while queue:
            head = queue.pop()
            if head not in found:
                found.add(head)
                queue += children.get(head, ())
        return frozenset(found)

    def trimmed(self) -> Trees | None:
        """Without what no tree from the start symbol can use; None where nothing is left."""
        good = self.productive()
        if 0 not in good:
            return None
        alive = replace(
            self, productions=tuple(p for p in self.productions if good.issuperset((p.head, *p.children)))
        )
        kept = sorted(alive.reachable())
        number = {old: new for new, old in enumerate(kept)}
        return Trees(
            tuple(self.names[old] for old in kept),
            self.alphabet,
            tuple(_renumbered(p, number) for p in alive.productions if p.head in number),
        )

    def fanouts(self) -> tuple[int, ...]:
        """How many strings each nonterminal yields."""
        found = {p.head: len(p.yields) for p in self.productions}
        return tuple(found.get(n, 1) for n in range(len(self.names)))


def _renumbered(production: Production, number: dict[int, int]) -> Production:
    children = tuple(number[child] for child in production.children)
    return replace(production, head=number[production.head], children=children)
