"""Automata drawn anew for every row: what a row's language is, is to be learnt from its first words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal, Self

from pydantic import Field, model_validator

from procdsl.errors import Severity
from procdsl.grammars._automata import law_entropy
from procdsl.grammars._lengths import Length, law
from procdsl.grammars.base import END, PLENTY, Grammar, Problem
from procdsl.programs.base import SPECIALS, fillable
from procdsl.programs.random_automaton import RandomAutomatonProgram

BOS = SPECIALS[0]
MOST_STATES, MOST_SYMBOLS = 64, 256


class RandomAutomaton(Grammar):
    """Every row draws an automaton, then words of it, each with its `<end>`: in-context language learning.

    An automaton has a number of `states` and of `symbols` out of `pool`; every state has `degree` ways out,
    each by a symbol of its own to a state drawn evenly, and words are walks from the first state that take
    all ways alike and may end anywhere (Akyürek et al. 2024). Each number is one, or a law such as
    `{ uniform = [4, 12] }`. `length` is that of words; a row has room for `shots` of the longest and is
    filled with whole words. Held out are languages: automata that accept the same words are one.

    ```toml
    kind    = "random_automaton"
    states  = { uniform = [4, 12] }
    symbols = { uniform = [4, 18] }
    degree  = { uniform = [1, 4] }
    length  = { uniform = [1, 20] }
    shots   = 10
    ```
    """

    kind: Literal["random_automaton"] = "random_automaton"
    states: Length
    symbols: Length
    degree: Length
    pool: int | None = Field(default=None, ge=1, le=MOST_SYMBOLS)
    length: Length
    shots: int = Field(ge=1, le=4_096)

    @model_validator(mode="after")
    def _of_a_size(self) -> Self:
        states, symbols = (law(one, None).values[-1] for one in (self.states, self.symbols))
        if states > MOST_STATES:
            raise ValueError(f"an automaton of {states} states is too large: at most {MOST_STATES}")
        if symbols > (self.pool or MOST_SYMBOLS):
            raise ValueError(f"automata use {symbols} symbols, of only {self.pool or MOST_SYMBOLS}")
        return self

    def program(self) -> RandomAutomatonProgram:
        return RandomAutomatonProgram(
            count=self._count,
            states=law(self.states, None),
            symbols=law(self.symbols, None),
            degree=law(self.degree, None),
            lengths=law(self.length, None),
            split=self.held_out.split(),
        )

    def alphabet(self) -> tuple[str, ...]:
        return tuple(f"s{i}" for i in range(self._count))

    def longest(self) -> int:
        return self.shots * (law(self.length, None).values[-1] + 1)

    def reason(self, word: Sequence[str]) -> str | None:
        reading = _Reading(self.program(), self.alphabet())
        for place, token in enumerate(word, 1):
            fault = reading.fault(token)
            if fault:
                return f"{token!r} at {place}: {fault}"
            reading.read(token)
        return None if reading.complete else f"it ends too early, after {len(word)} tokens"

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        reading = _Reading(self.program(), self.alphabet())
        for token in prefix:
            if reading.fault(token):
                return frozenset()
            reading.read(token)
        legal = {token for token in (*self.alphabet(), BOS, END) if not reading.fault(token)}
        return frozenset(legal | ({END} if reading.complete and length in (None, len(prefix)) else set()))

    def problems(self, context: int) -> Iterator[Problem]:
        program = self.program()
        longest = program.lengths.values[-1]
        room = longest if program.lengths.values == (context,) else longest + 1
        if room > context:
            message = f"words of {longest} symbols do not fit a context of {context}"
            help = f"make the context at least {room}, or the words shorter"
            yield Problem("P352", message, ("length",), help)
            return
        blank = context + 1 - fillable(program.lengths, context).bit_length()
        if blank and program.lengths.values != (context,):
            message = f"{blank} of {context} positions of each row stay empty: no words fill them"
            yield Problem("P354", message, ("length",), severity=Severity.NOTE)
        nats = law_entropy(program)
        if nats < math.log(PLENTY) and self.held_out.any():
            message = f"too few automata to hold some out: only about {math.exp(nats):,.0f}"
            help = "draw larger ones, or hold nothing out (held_out)"
            yield Problem("P353", message, ("states",), help)

    def language(self) -> tuple[str, str]:
        return "regular, another in each row", "a row's words are walks of one finite automaton"

    @cached_property
    def _count(self) -> int:
        return self.pool or law(self.symbols, None).values[-1]


class _Reading:
    """A row as far as it was read, as a tree of its words: what begins alike has come to the same state.

    No automaton is looked for. What is told is what all obey: so many symbols in a row, so many ways out of
    a state. Whether words fit into few states is a hard question (Gold 1978), and is not asked.
    """

    def __init__(self, program: RandomAutomatonProgram, alphabet: Sequence[str]) -> None:
        self.known, self.lengths = frozenset(alphabet), program.lengths.values
        self.symbols, self.degree = program.symbols.values[-1], program.degree.values[-1]
        self.seen = set[str]()
        self.after: list[dict[str, int]] = [{}]
        self.node, self.length, self.tokens = 0, 0, 0
        self.complete = False

    def fault(self, token: str) -> str | None:
        """Why this token cannot come next."""
        if token == BOS:
            return "it stands first in a row, or nowhere" if self.tokens else None
        if token == END:
            return None if self.length in self.lengths else f"no word has {self.length} symbols"
        if token not in self.known:
            return "it is no symbol of the language"
        if self.length == self.lengths[-1]:
            return f"no word has over {self.length} symbols"
        ways = self.after[self.node]
        if token not in self.seen and len(self.seen) == self.symbols:
            return f"no automaton has over {self.symbols} symbols"
        if token not in ways and len(ways) == self.degree:
            return f"no state has over {self.degree} ways out: {' or '.join(sorted(ways))} can follow"
        return None

    def read(self, token: str) -> None:
        self.tokens += 1
        if token == END:
            self.node, self.length, self.complete = 0, 0, True
        elif token != BOS:
            self.seen.add(token)
            if token not in self.after[self.node]:
                self.after[self.node][token] = len(self.after)
                self.after.append({})
            self.node, self.length = self.after[self.node][token], self.length + 1
            # A word that fills its row has no end behind it.
            self.complete = self.lengths == (self.length,) and self.tokens <= self.length + 1
