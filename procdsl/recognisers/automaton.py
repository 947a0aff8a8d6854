"""Words of an automaton: all states its walks can be in, of those that some walk ends from."""

from __future__ import annotations

from functools import lru_cache

from procdsl.programs.automaton import AutomatonProgram

Moves = list[dict[int, frozenset[int]]]


class Walks:
    """The states that what was read leads to."""

    def __init__(self, program: AutomatonProgram) -> None:
        self.moves, self.accepts = _moves(program), frozenset(program.accepts)
        self.states, self.empty = frozenset([0]), True

    def legal(self) -> frozenset[int]:
        return frozenset().union(*(self.moves[state] for state in self.states))

    def ends(self) -> bool:
        return not self.empty and not self.accepts.isdisjoint(self.states)

    def read(self, symbol: int) -> bool:
        after = frozenset[int]().union(*(self.moves[state].get(symbol, ()) for state in self.states))
        if not after:
            return False
        self.states, self.empty = after, False
        return True


@lru_cache(maxsize=8)
def _moves(program: AutomatonProgram) -> Moves:
    """Where each symbol leads from each state, without states that no walk ends from."""
    arrows = list(zip(program.sources, program.targets, program.writes, strict=True))
    alive = set(program.accepts)
    while more := {source for source, target, _ in arrows if target in alive} - alive:
        alive |= more
    found: list[dict[int, set[int]]] = [{} for _ in range(program.states)]
    for source, target, write in arrows:
        for symbol in program.letters[write].symbols if target in alive else ():
            found[source].setdefault(symbol, set()).add(target)
    return [{symbol: frozenset(targets) for symbol, targets in moves.items()} for moves in found]
