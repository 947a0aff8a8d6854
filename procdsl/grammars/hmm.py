"""Hidden Markov models: states follow each other unseen, each writes a symbol."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from procdsl.errors import Severity
from procdsl.grammars.base import Problem
from procdsl.grammars.regular.deterministic import Dfa
from procdsl.grammars.regular.deterministic import hidden as hidden_words
from procdsl.grammars.regular.dirichlet import dirichlet
from procdsl.grammars.regular.lowering import hidden
from procdsl.grammars.regular.natural import StoppingGrammar
from procdsl.grammars.regular.texts import Tokens, spelt
from procdsl.kinds import Node
from procdsl.programs.automaton import AutomatonProgram
from procdsl.programs.base import Lengths, Split

# Probabilities in both matrices: seconds to draw.
_LARGEST = 500_000
Chance = Annotated[float, Field(ge=0, le=1)]
Shares = tuple[Annotated[float, Field(ge=0, le=1e100)], ...]


class Drawn(Node):
    """Rows drawn from a symmetric Dirichlet distribution: the smaller the number, the more uneven."""

    dirichlet: float = Field(ge=1e-6, le=1e6)
    seed: int = Field(ge=0)


class Hmm(StoppingGrammar):
    """A hidden Markov model: `states` that follow each other by `transition`, each writing by `emission`.

    Both are matrices, a row for each state, or drawn: `{ dirichlet = 0.3, seed = 1 }`. The first state is
    drawn by `initial`, all alike without it. With `length = "natural"` words end by themselves: behind what a
    state writes with probability `stop`, a number for all states or a list. With `mixture = 5` there are five
    models with transitions of their own, one of which makes each word (GINC, Xie et al. 2022). Words hide
    their states, so the loss floor is an interval: what a predictor can know lies between the last few
    symbols and these with the state before them; where that is wide, it is measured on words.

    ```toml
    kind       = "hmm"
    states     = 3
    transition = { dirichlet = 0.3, seed = 1 }
    emission   = { dirichlet = 0.1, seed = 2 }
    tokens     = { w = 6 }
    length     = { uniform = [8, 40] }
    ```
    """

    kind: Literal["hmm"] = "hmm"
    states: int = Field(ge=1, le=1_000)
    transition: Drawn | tuple[Shares, ...]
    emission: Drawn | tuple[Shares, ...]
    initial: Shares | None = None
    stop: Chance | Annotated[tuple[Chance, ...], Field(min_length=1)] | None = None
    mixture: int = Field(default=1, ge=1, le=1_000)
    declared: Tokens = Field(alias="tokens")
    measure: Literal["natural"] = "natural"

    @model_validator(mode="after")
    def _of_a_size(self) -> Self:
        if self.natural and self.stop is None:
            raise ValueError('length = "natural" needs a `stop`: how likely words end behind a state')
        if self.mixture > 1 and not isinstance(self.transition, Drawn):
            raise ValueError("the models of a mixture draw their transitions: { dirichlet = 0.3, seed = 1 }")
        numbers = self.states * (self.mixture * self.states + len(self.alphabet()))
        if numbers > _LARGEST:
            raise ValueError(f"{numbers:,} probabilities are more than {_LARGEST:,}: fewer states or tokens")
        return self

    def alphabet(self) -> tuple[str, ...]:
        return spelt(self.declared)

    def recognised(self) -> Dfa:
        goes_on = [True, *(stop < 1 for stop in self._stop or (0.0,) * len(self._transition))]
        rows = [self._initial, *self._transition]
        follows = [_bits(row) if onward else 0 for row, onward in zip(rows, goes_on, strict=True)]
        writers = [_bits(column) for column in zip(*self._emission, strict=True)]
        return hidden_words(follows, writers, _bits(self._stop) or (1 << len(rows)) - 1)

    def program(self) -> AutomatonProgram:
        return self.walks(self.lengths()).model_copy(update={"split": self.split()})

    def walks(self, lengths: Lengths) -> AutomatonProgram:
        return hidden(self._initial, self._transition, self._emission, lengths, Split(), self._stop)

    def faults(self) -> Iterator[Problem]:
        shapes = {"transition": self.states, "emission": len(self.alphabet())}
        for field, width in shapes.items():
            rows = getattr(self, field)
            if isinstance(rows, tuple):
                yield from self._matrix_faults(field, rows, width)
        if self.initial is not None:
            yield from _row_faults(("initial",), self.initial, self.states)
        if isinstance(self.stop, tuple) and len(self.stop) != self.states:
            yield Problem("P397", f"{len(self.stop)} numbers, where {self.states} are wanted", ("stop",))
        elif self.stop is not None and not any(self._stop):
            yield Problem("P380", "no word ends: `stop` is 0 everywhere", ("stop",), "some must be above 0")

    def _matrix_faults(self, field: str, rows: tuple[Shares, ...], width: int) -> Iterator[Problem]:
        if len(rows) != self.states:
            message = f"{field} has {len(rows)} rows for {self.states} states"
            yield Problem("P397", message, (field,), "a row for each state")
        for place, row in enumerate(rows):
            yield from _row_faults((field, place), row, width)

    # ------------------------------------------------------------ rows that sum to one

    @cached_property
    def _initial(self) -> Shares:
        return _normalised((self.initial or (1.0,) * self.states) * self.mixture)

    @cached_property
    def _transition(self) -> tuple[Shares, ...]:
        """Models of a mixture follow each other: no transition leads from one to another."""
        rows = self._rows(self.transition, self.states, "transition", self.mixture * self.states)
        before = [state // self.states * self.states for state in range(len(rows))]
        return (
            tuple(
                (0.0,) * first + row + (0.0,) * (len(rows) - first - self.states)
                for first, row in zip(before, rows, strict=True)
            )
            if self.mixture > 1
            else rows
        )

    @cached_property
    def _emission(self) -> tuple[Shares, ...]:
        return self._rows(self.emission, len(self.alphabet()), "emission", self.states) * self.mixture

    @cached_property
    def _stop(self) -> Shares:
        if self.stop is None:
            return ()
        return (self.stop if isinstance(self.stop, tuple) else (self.stop,) * self.states) * self.mixture

    def _rows(
        self, given: Drawn | tuple[Shares, ...], width: int, name: str, count: int
    ) -> tuple[Shares, ...]:
        if isinstance(given, Drawn):
            states = range(count)
            given = tuple(dirichlet(given.dirichlet, width, given.seed, name, row=q) for q in states)
        return tuple(map(_normalised, given))


def _bits(row: Sequence[float]) -> int:
    """The states of a row, counted from one, whose numbers are not 0."""
    return sum(1 << state for state, share in enumerate(row, 1) if share)


def _normalised(row: Shares) -> Shares:
    """The shares of a row; none where it is all zeros, which `faults` tells."""
    whole = math.fsum(row) or 1.0
    return tuple(share / whole for share in row)


def _row_faults(path: tuple[str | int, ...], row: Shares, width: int) -> Iterator[Problem]:
    """A row of the wrong size, of nothing, or of probabilities that sum to something else than one."""
    whole = math.fsum(row)
    if len(row) != width:
        yield Problem("P397", f"{len(row)} numbers, where {width} are wanted", path)
    elif not whole > 0:
        yield Problem("P397", "a row of zeros leads nowhere", path, "some number must be above 0")
    elif abs(whole - 1) > 1e-6:
        message = f"the numbers sum to {whole:g}: they are taken as shares of that"
        yield Problem("P397", message, path, severity=Severity.NOTE)
