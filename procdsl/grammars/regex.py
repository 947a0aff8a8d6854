"""Regular expressions over tokens."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

from pydantic import Field

from procdsl.grammars.base import Problem
from procdsl.grammars.regular.deterministic import BUDGET, Dfa
from procdsl.grammars.regular.lowering import Move, weighted
from procdsl.grammars.regular.natural import StoppingGrammar
from procdsl.grammars.regular.patterns import Pattern, compiled, named, parse
from procdsl.grammars.regular.texts import TextError, Tokens, meanings, spelt
from procdsl.programs.automaton import AutomatonProgram
from procdsl.programs.base import Lengths, Split


class Regex(StoppingGrammar):
    """The words that a regular expression over tokens describes, every one of a length alike.

    With `measure` and `length = "natural"` they are walks of the least automaton, which at every state go on
    by any symbol or, where a word may end, stop, all alike.

    Tokens stand apart by blanks; `|`, `( )`, `* + ?` and `{m,n}` as usual, `.` is any token, `[a b]` one of
    some, `[^a b]` any but these; marks stand in quotes: `"("`. `tokens` lists the alphabet, or pools of
    tokens that the pattern may name; without it, the tokens of the pattern are all there are. The automaton
    has at most `states` states.

    ```toml
    kind    = "regex"
    pattern = "(b | a b)* a?"
    length  = { uniform = [1, 32] }
    ```
    """

    kind: Literal["regex"] = "regex"
    pattern: str = Field(max_length=1_000_000)
    declared: Tokens | None = Field(default=None, alias="tokens")
    measure: Literal["uniform", "natural"] = "uniform"
    states: int = Field(default=BUDGET, ge=1, le=1_000_000)

    def alphabet(self) -> tuple[str, ...]:
        if self.declared is not None:
            return spelt(self.declared)
        try:
            return tuple(dict.fromkeys(name for name, _ in named(self._parsed)))
        except TextError:
            return ()

    def recognised(self) -> Dfa:
        alphabet = self.alphabet()
        known = meanings(alphabet, self.declared)
        return compiled(self._parsed, known, len(alphabet), self.states, "pattern")

    def program(self) -> AutomatonProgram:
        if self.measure == "uniform":
            return super().program()
        return self.walks(self.lengths()).model_copy(update={"split": self.split()})

    def walks(self, lengths: Lengths) -> AutomatonProgram:
        states, ends = self.automaton, self.automaton.accepts
        arrows = [states.arrows(q) for q in range(len(states.moves))]
        ways = [sum(map(len, out.values())) + (q in ends) for q, out in enumerate(arrows)]
        moves = [
            Move(q, symbol, target, 1 / ways[q])
            for q, out in enumerate(arrows)
            for target, symbols in out.items()
            for symbol in symbols
        ]
        stops = {q: 1 / ways[q] for q in ends}
        return weighted(moves, stops, len(self.alphabet()), lengths, Split())

    def faults(self) -> Iterator[Problem]:
        return iter(())

    @cached_property
    def _parsed(self) -> Pattern:
        return parse(self.pattern, "pattern")
