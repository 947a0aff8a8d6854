"""L-systems: every symbol is rewritten at once, generation after generation (Lindenmayer 1968)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal

from pydantic import Field

from procdsl.errors import Severity
from procdsl.grammars._lengths import Length, law
from procdsl.grammars._rewriting import Reading, Rewriting, codes, lengths, nats, read
from procdsl.grammars.base import END, PLENTY, Grammar, Problem
from procdsl.grammars.regular.texts import TextError
from procdsl.kinds import Node
from procdsl.programs.base import LONGEST
from procdsl.programs.lsystem import LsystemProgram

SEPARATOR, PAD = "<row>", "<pad>"


class DrawnAxiom(Node):
    """An axiom of this length, its symbols drawn evenly among those that have rules."""

    length: Length


class Lsystem(Grammar):
    """An axiom and `generations` of it, each made from the one before by `rules` for all symbols at once.

    A rule is `A -> A B`; alternatives stand behind `|`, with their `[weight]`, and are drawn for each symbol
    by itself (a stochastic L-system). `ε` is nothing, a symbol without a rule stays as it is, and what means
    something in rules is written in quotes: `F -> F "[" + F "]" F`. The axiom is a text, or drawn anew for
    every row: `{ length = { uniform = [2, 6] } }`. Unless `loss = "all"` it is not scored. Held out are drawn
    axioms, or, where the axiom is fixed, last generations.

    ```toml
    kind        = "lsystem"
    axiom       = { length = { uniform = [16, 24] } }
    rules       = 'A -> A B ; B -> A'
    generations = 3
    ```
    """

    kind: Literal["lsystem"] = "lsystem"
    axiom: str | DrawnAxiom
    rules: str = Field(max_length=1_000_000)
    generations: int = Field(ge=1, le=1_000)
    loss: Literal["later", "all"] = "later"

    def program(self) -> LsystemProgram:
        written, ids = self._read, {symbol: id for id, symbol in enumerate(self.alphabet())}
        drawn = law(self.axiom.length, None) if isinstance(self.axiom, DrawnAxiom) else None
        return LsystemProgram(
            symbols=len(ids),
            axiom=() if drawn else tuple(ids[symbol] for symbol in written.axiom),
            drawn=drawn,
            heads=tuple(ids[head] for head in written.rules),
            images=tuple(
                tuple(tuple(ids[symbol] for symbol in image) for image in images)
                for images in written.rules.values()
            ),
            thresholds=tuple(codes(weights) for weights in written.weights.values()),
            generations=self.generations,
            scores_first=self.loss == "all",
            split=self.held_out.split(),
        )

    def alphabet(self) -> tuple[str, ...]:
        return self._read.alphabet

    def tokens(self) -> tuple[str, ...]:
        return (*self.alphabet(), SEPARATOR, PAD)

    def longest(self) -> int:
        return sum(lengths(self.program(), longest=True)) + self.generations

    def reason(self, word: Sequence[str]) -> str | None:
        reading = self._reading()
        for place, token in enumerate(word, 1):
            legal = reading.legal
            if not reading.read(token):
                shown = " or ".join(sorted(legal)[:4]) or "the end of the row"
                return f"{token!r} at {place} should be {shown}"
        return None if reading.complete else f"it ends too early, after {len(word)} tokens"

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        reading = self._reading()
        if not all(reading.read(token) for token in prefix):
            return frozenset()
        complete = reading.complete and length in (None, len(prefix))
        return frozenset(reading.legal | ({END} if complete else set()))

    def problems(self, context: int) -> Iterator[Problem]:
        try:
            program = self.program()
        except TextError as fault:
            yield fault.problem("P390")
            return
        longest = self.longest()
        if longest > min(context, LONGEST):
            message = (
                f"{self.generations} generations can feed {longest:,} positions, the context has {context:,}"
            )
            yield Problem("P352", message, ("generations",), "fewer generations, or a longer context")
        if not any(lengths(program, longest=False)[1:]):
            message = "every generation may be empty: nothing is left to be predicted"
            yield Problem("P389", message, ("rules",), severity=Severity.WARNING)
        known = nats(program)
        if known < math.log(PLENTY) and self.held_out.any():
            what = "axioms" if program.drawn else "derivations"
            message = f"too few {what} to hold some out: only about {math.exp(known):,.0f}"
            help = "draw a longer axiom, or hold nothing out (held_out)"
            yield Problem("P353", message, ("axiom",), help)

    def language(self) -> tuple[str, str]:
        return "context-sensitive", "all symbols of a generation are rewritten at once"

    @cached_property
    def _read(self) -> Rewriting:
        return read(self.rules, self.axiom if isinstance(self.axiom, str) else None)

    def _reading(self) -> Reading:
        return Reading(self.program(), self.tokens())
