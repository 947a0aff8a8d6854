"""Finite automata, probabilistic or not, by their arrows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from procdsl.errors import Severity
from procdsl.grammars.base import Problem
from procdsl.grammars.regular.arrows import Written, read
from procdsl.grammars.regular.deterministic import BUDGET, Dfa, determinise
from procdsl.grammars.regular.lowering import Move, trimmed, useful, weighted
from procdsl.grammars.regular.natural import StoppingGrammar
from procdsl.grammars.regular.nondeterministic import Arrow, Nfa
from procdsl.grammars.regular.texts import TextError, Tokens, meanings, near, spelt
from procdsl.programs.automaton import AutomatonProgram
from procdsl.programs.base import Lengths, Split

Weight = Annotated[float, Field(gt=0, le=1e9)]


class Automaton(StoppingGrammar):
    """An automaton by its arrows: `state -symbol-> state`, with a `[weight]` where words are not alike.

    Arrows stand on lines of their own or between semicolons; several symbols on one arrow are as many
    arrows. `accept` lists the states where a word may end, "*" stands for all; a table of them says with what
    weight it does: `{ p = 0.5 }`. `measure = "uniform"` draws every word of a length alike, `"weighted"` by
    the product of its weights, `"natural"` as a walk whose weights are made to sum to one at each state; both
    are conditioned on the length. With `length = "natural"` walks stop by themselves, which weighs as much
    as the table says, or one; `{ natural = 100 }` leaves out what is longer. Where a word has several walks
    their weights add up, and the loss floor is an interval. Of automata that are not deterministic at most
    `states` states are made.

    ```toml
    kind   = "automaton"
    start  = "ee"
    accept = ["ee"]
    edges  = '''
    ee -a-> oe ; ee -b-> eo ; oe -a-> ee ; oe -b-> oo
    eo -a-> oo ; eo -b-> ee ; oo -a-> eo ; oo -b-> oe
    '''
    length = { uniform = [2, 40] }
    ```
    """

    kind: Literal["automaton"] = "automaton"
    start: str
    accept: str | tuple[str, ...] | dict[str, Weight] = "*"
    edges: str = Field(max_length=10_000_000)
    declared: Tokens | None = Field(default=None, alias="tokens")
    measure: Literal["uniform", "weighted", "natural"] = "uniform"
    states: int = Field(default=BUDGET, ge=1, le=1_000_000)

    def alphabet(self) -> tuple[str, ...]:
        if self.declared is not None:
            return spelt(self.declared)
        return tuple(dict.fromkeys(arrow.symbol for arrow in self._read[0]))

    def recognised(self) -> Dfa:
        if self._read[1]:
            raise self._read[1][0]
        names, known = self._names, meanings(self.alphabet(), self.declared)
        arrows = (
            Arrow(names[one.source], known[one.symbol], names[one.target])
            for one in self._read[0]
            if one.symbol in known
        )
        return determinise(Nfa(len(names), tuple(arrows), self._ends), len(self.alphabet()), self.states)

    def program(self) -> AutomatonProgram:
        if self.measure == "uniform":
            return super().program()
        return self.walks(self.lengths()).model_copy(update={"split": self.split()})

    def walks(self, lengths: Lengths) -> AutomatonProgram:
        moves, ends = trimmed(*self._walk)
        return weighted(moves, ends, len(self.alphabet()), lengths, Split())

    def faults(self) -> Iterator[Problem]:
        arrows, unreadable = self._read
        yield from (fault.problem("P390") for fault in unreadable)
        yield from self._unknown_symbols(arrows)
        if unreadable:
            return
        if not arrows:
            yield Problem("P390", "the automaton has no arrows", ("edges",), "as in  p -a-> q ; q -b-> p")
            return
        unknown = list(self._unknown_states())
        yield from unknown
        if not unknown:
            yield from self._idle(arrows)
            yield from self._hidden(arrows)

    # ------------------------------------------------------------ what the text says

    @cached_property
    def _read(self) -> tuple[list[Written], list[TextError]]:
        return read(self.edges)

    @cached_property
    def _names(self) -> dict[str, int]:
        """The states' numbers, the start's first."""
        names = dict.fromkeys([self.start, *(q for one in self._read[0] for q in (one.source, one.target))])
        return {name: number for number, name in enumerate(names)}

    @cached_property
    def _ends(self) -> frozenset[int]:
        return frozenset(self._names[name] for name in self._accepting() if name in self._names)

    @cached_property
    def _written(self) -> list[Move]:
        """Every arrow over every symbol it stands for, with its weight."""
        if self._read[1]:
            raise self._read[1][0]
        written, known = self._read[0], meanings(self.alphabet(), self.declared)
        return [
            Move(self._names[one.source], symbol, self._names[one.target], one.weight or 1.0)
            for one in written
            for symbol in sorted(known.get(one.symbol, ()))
        ]

    @cached_property
    def _walk(self) -> tuple[list[Move], dict[int, float]]:
        """The arrows, and with what weight words end where they may; probabilities where these are walks."""
        moves, told = self._written, self.accept if isinstance(self.accept, dict) else {}
        stops = {end: told.get(name, 1.0) for name, end in self._names.items() if end in self._ends}
        if self.measure != "natural":
            return moves, stops
        sums = defaultdict[int, float](float)
        for move in moves:
            sums[move.source] += move.weight
        if told or self.natural:
            for end, stop in stops.items():
                sums[end] += stop
            stops = {end: stop / sums[end] for end, stop in stops.items()}
        return [Move(m.source, m.symbol, m.target, m.weight / sums[m.source]) for m in moves], stops

    def _accepting(self) -> tuple[str, ...]:
        if self.accept == "*":
            return tuple(self._names)
        return (self.accept,) if isinstance(self.accept, str) else tuple(self.accept)

    # ------------------------------------------------------------ what is wrong with it

    def _unknown_symbols(self, arrows: list[Written]) -> Iterator[Problem]:
        known = meanings(self.alphabet(), self.declared)
        for one in arrows:
            if one.symbol not in known:
                help = near(one.symbol, known, "`tokens` lists them all")
                fault = TextError(
                    f"{one.symbol!r} is no token of this grammar", "edges", one.at, len(one.symbol), help
                )
                yield fault.problem("P390")

    def _unknown_states(self) -> Iterator[Problem]:
        known = {q for one in self._read[0] for q in (one.source, one.target)}
        if self.start not in known:
            yield Problem(
                "P393", f"no arrow touches the start {self.start!r}", ("start",), near(self.start, known)
            )
        for place, name in enumerate(self._accepting()):
            if name not in known and name != self.start:
                keys: dict[type, str | int] = {tuple: place, dict: name}
                path = ("accept", *(key for kind, key in keys.items() if isinstance(self.accept, kind)))
                yield Problem("P393", f"no arrow touches the state {name!r}", path, near(name, known))

    def _idle(self, arrows: list[Written]) -> Iterator[Problem]:
        """States that no word passes."""
        passed = useful(self._written, self._ends)
        ends = [(state, one) for one in arrows for state in (one.source, one.target)]
        idle = [(state, one) for state, one in ends if self._names[state] not in passed]
        if idle:
            (state, first), others = idle[0], len({state for state, _ in idle}) - 1
            more = f" and {others} more" if others else ""
            message = f"no word passes the state {state!r}{more}: its arrows are left out"
            help = (
                f"what cannot be reached from {self.start!r}, or leads to no state of `accept`, does nothing"
            )
            fault = TextError(message, "edges", first.source_at, len(first.source), help)
            yield fault.problem("P394", Severity.WARNING)

    def _hidden(self, arrows: list[Written]) -> Iterator[Problem]:
        """Weights that do nothing, and weights whose walks words hide."""
        weighing = next((one for one in arrows if one.weight is not None), None)
        if self.measure == "uniform" and (weighing or isinstance(self.accept, dict)):
            message = "the weights do nothing: every word of a length is alike"
            help = 'measure = "weighted" or "natural" uses them'
            yield Problem("P395", message, ("edges" if weighing else "accept",), help, Severity.WARNING)
        seen: dict[tuple[int, int], int] = {}
        for move in self._written if self.measure != "uniform" else ():
            if seen.setdefault((move.source, move.symbol), move.target) != move.target:
                name = next(name for name, number in self._names.items() if number == move.source)
                message = (
                    f"several arrows of {name!r} write {self.alphabet()[move.symbol]!r}: words do not "
                    "show their walks, and the loss floor is an interval"
                )
                yield Problem("P396", message, ("edges",), severity=Severity.NOTE)
                return
