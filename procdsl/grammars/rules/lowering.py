"""From productions to the shapes of a tree program: those that differ only in their terminals become one."""

from __future__ import annotations

from collections.abc import Sequence

from procdsl.grammars.rules.trees import Production, Trees
from procdsl.programs.tree import TreeShape

Yields = tuple[tuple[int, ...], ...]


def shapes(trees: Trees) -> tuple[TreeShape, ...]:
    """The shapes of a grammar's productions, in order of their heads; 64 types of brackets make one."""
    groups: dict[tuple[int, tuple[int, ...], Yields], list[Production]] = {}
    for production in trees.productions:
        key = (production.head, production.children, _pattern(production))
        groups.setdefault(key, []).append(production)
    return tuple(
        TreeShape(
            head=head,
            children=children,
            yields=pattern,
            members=tuple(tuple(p.terminals()) for p in members),
            weights=tuple(p.weight for p in members),
        )
        for (head, children, pattern), members in sorted(groups.items(), key=lambda item: item[0][0])
    )


def unweighted(shapes: Sequence[TreeShape]) -> tuple[TreeShape, ...]:
    """Every derivation of a length as likely as any other."""
    return tuple(s.model_copy(update={"weights": (1.0,) * len(s.members)}) for s in shapes)


def _pattern(production: Production) -> Yields:
    """The yields with each terminal replaced by its place among the production's terminals."""
    pattern, place = list[tuple[int, ...]](), 0
    for component in production.yields:
        codes = list[int]()
        for code in component:
            codes.append(place if code >= 0 else code)
            place += code >= 0
        pattern.append(tuple(codes))
    return tuple(pattern)
