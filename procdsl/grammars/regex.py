"""Regular expressions over tokens."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

from pydantic import Field

from procdsl.grammars.base import Problem
from procdsl.grammars.regular.deterministic import BUDGET, Dfa
from procdsl.grammars.regular.grammar import RegularGrammar
from procdsl.grammars.regular.patterns import Pattern, compiled, named, parse
from procdsl.grammars.regular.texts import TextError, Tokens, meanings, spelt


class Regex(RegularGrammar):
    """The words that a regular expression over tokens describes, every one of a length alike.

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
    measure: Literal["uniform"] = "uniform"
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

    def faults(self) -> Iterator[Problem]:
        return iter(())

    @cached_property
    def _parsed(self) -> Pattern:
        return parse(self.pattern, "pattern")
