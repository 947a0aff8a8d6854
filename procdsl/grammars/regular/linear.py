"""Rules as automata, where they are regular: where no symbol derives itself with something on both sides.

Nederhof 2000, Practical experiments with regular approximation of context-free languages, section 2: among
symbols that derive each other all recursion is to one side, so that each of them is a state. Others are
written out wherever they stand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from procdsl.grammars.regular.deterministic import TooLarge
from procdsl.grammars.regular.forests import Forest, bodies
from procdsl.grammars.regular.nondeterministic import NOTHING, Arrow, Nfa
from procdsl.silent import components

Bodies = Mapping[int, Sequence[tuple[int, ...]]]


def automaton(part: Forest, states: int) -> Nfa | None:
    """An automaton of the rules' words; None where recursion is to both sides. TooLarge beyond the budget."""
    trees = part.trees.trimmed()
    if trees is None:
        return NOTHING
    of: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    for production, body in zip(trees.productions, bodies(trees), strict=True):
        of[production.head].append(body)
    used = [{~code: 1.0 for body in of[a] for code in body if code < 0} for a in range(len(trees.names))]
    groups = [frozenset(part) for part in components(len(trees.names), used)]
    if any(_behind(group, of) and _before(group, of) for group in groups):
        return None
    recursive = {a: group for group in groups for a in group if len(group) > 1 or a in used[a]}
    return _written(of, recursive, states)


def _behind(group: frozenset[int], of: Bodies) -> bool:
    """Whether something stands behind one of a group in what derives it again."""
    return any(~code in group for a in group for body in of[a] for code in body[:-1])


def _before(group: frozenset[int], of: Bodies) -> bool:
    return any(~code in group for a in group for body in of[a] for code in body[1:])


def _written(of: Bodies, recursive: Mapping[int, frozenset[int]], states: int) -> Nfa:
    """State 0 leads to state 1 by what the start symbol derives: what is to be written between two states,
    symbol by symbol, until only terminals are left."""
    count, arrows = 2, list[Arrow]()
    waiting: list[tuple[int, tuple[int, ...], int]] = [(0, (~0,), 1)]
    while waiting:
        here, body, there = waiting.pop()
        if len(body) > 1:
            waiting += [(here, body[:1], count), (count, body[1:], there)]
            count += 1
        elif not body or body[0] >= 0:
            arrows.append(Arrow(here, frozenset(body) or None, there))
        elif (group := recursive.get(~body[0])) is None:
            waiting += [(here, inner, there) for inner in of[~body[0]]]
        else:
            place = dict(zip(sorted(group), range(count, count + len(group)), strict=True))
            count += len(group)
            own, left = place[~body[0]], _behind(group, of)
            arrows.append(Arrow(own, None, there) if left else Arrow(here, None, own))
            for a in group:
                for inner in of[a]:
                    again = [place[~code] for code in inner if ~code in place]
                    if left:
                        rest = inner[1:] if again else inner
                        waiting.append((again[0] if again else here, rest, place[a]))
                    else:
                        rest = inner[:-1] if again else inner
                        waiting.append((place[a], rest, again[0] if again else there))
        if count + len(waiting) > 20 * states:
            raise TooLarge(f"rules written out as an automaton make more than {20 * states:,} states")
    return Nfa(count, tuple(arrows), frozenset({1}))
