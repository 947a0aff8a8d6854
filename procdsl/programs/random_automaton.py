"""Words of random automata."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from procdsl.programs.base import Lengths, Program


class RandomAutomatonProgram(Program):
    """Rows that each draw an automaton of their own, then words of it, packed by the rule of word programs.

    A number of `states` and of `symbols` out of `count`; each state, of its own `degree` or of as many as
    there are, different symbols, all alike, and for each the state that it leads to. Words are walks from
    state 0 that may end anywhere and take each way out of a state alike. What is hashed for the splits is
    the drawn automaton, made least and numbered in the order of its symbols: the language.
    """

    told_by: ClassVar[str] = "drawn automaton"
    kind: Literal["random_automaton"] = "random_automaton"
    count: int = Field(ge=1, le=1_024)
    states: Lengths
    symbols: Lengths
    degree: Lengths
    lengths: Lengths
