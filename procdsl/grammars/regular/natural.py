"""Regular grammars whose walks stop by themselves: lengths are the walk's own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Self

from pydantic import model_validator

from procdsl.errors import Severity
from procdsl.grammars._lengths import (
    NATURAL_LONGEST,
    NATURAL_REST,
    Length,
    Natural,
    NaturalLength,
    natural_law,
)
from procdsl.grammars.base import Problem
from procdsl.grammars.regular.grammar import RegularGrammar
from procdsl.grammars.regular.lowering import stopping
from procdsl.programs.automaton import AutomatonProgram
from procdsl.programs.base import Lengths

_ANY = Lengths(values=(1,))


class StoppingGrammar(RegularGrammar):
    """A regular language whose words may be walks that stop at a state with a probability."""

    length: Length | Natural | NaturalLength  # type: ignore[assignment]

    @abstractmethod
    def walks(self, lengths: Lengths) -> AutomatonProgram:
        """The walks, each state's arrows and stop probabilities, conditioned on these lengths."""

    @model_validator(mode="after")
    def _walks_have_lengths(self) -> Self:
        if self.natural and getattr(self, "measure", "") != "natural":
            raise ValueError('only walks have lengths of their own: give a length, or measure = "natural"')
        return self

    @property
    def natural(self) -> bool:
        """Whether lengths are the walk's own."""
        return isinstance(self.length, str | NaturalLength)

    def law(self) -> Lengths:
        return natural_law(self._shares[0]) if self.natural else super().law()

    def asked(self) -> Lengths:
        return self.law() if self.natural else super().asked()

    def problems(self, context: int) -> Iterator[Problem]:
        found = list(super().problems(context))
        yield from found
        if self.natural and not any(problem.severity is Severity.ERROR for problem in found):
            yield from self._endings()

    def _endings(self) -> Iterator[Problem]:
        """P380: walks that never stop, and words beyond the longest."""
        shares, on_the_way = self._shares
        lost = 1 - sum(shares) - on_the_way
        if lost > NATURAL_REST:
            message = f"{lost:.1%} of walks come to where no word ends: they are left out"
            help = "let what leads there weigh less, or words end there too"
            yield Problem("P380", message, ("length",), help, Severity.WARNING)
        if on_the_way > NATURAL_REST:
            message = f"{on_the_way:.1%} of walks have over {len(shares) - 1:,} symbols: they are left out"
            help = "length = { natural = … } sets the end; or let words stop sooner"
            severe = Severity.WARNING if on_the_way > 0.1 else Severity.NOTE
            yield Problem("P380", message, ("length",), help, severe)

    @cached_property
    def _shares(self) -> tuple[list[float], float]:
        """How likely each length is, and how likely a longer one."""
        cut = self.length.natural if isinstance(self.length, NaturalLength) else None
        return stopping(self.walks(_ANY), cut or NATURAL_LONGEST, 0.0 if cut else NATURAL_REST)
