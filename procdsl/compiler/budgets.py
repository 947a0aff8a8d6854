"""Budgets settled: contexts, batches and whole steps, with a note where rounding changed what was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from procdsl.compiler.findings import Finding, note
from procdsl.compiler.matching import per_step
from procdsl.compiler.names import address, procedural
from procdsl.compiler.names import phases as phases_of
from procdsl.compiler.study import Address
from procdsl.language.curricula import Match, Measure, PhaseSpec
from procdsl.language.model import ModelSpec
from procdsl.language.optimiser import TrainingSpec, changed, training_of
from procdsl.language.quantities import Quantity
from procdsl.language.sources.base import Procedural
from procdsl.language.study import ExperimentSpec
from procdsl.plan import Schedule


class Budget(NamedTuple):
    """A phase's size: `steps` of `batch_rows` rows that feed `context` positions each. `asked` in tokens."""

    model: ModelSpec
    training: TrainingSpec
    context: int
    batch_rows: int
    steps: int
    asked: Fraction

    @property
    def step_tokens(self) -> int:
        return self.batch_rows * self.context

    @property
    def tokens(self) -> int:
        return self.steps * self.step_tokens


@dataclass
class Budgets:
    """Settles phases on demand, each after the one its budget is a share of. No circle is left here."""

    spec: ExperimentSpec
    procedural: Mapping[str, Procedural]
    settled: dict[Address, Budget] = field(default_factory=dict)

    def all(self) -> dict[Address, Budget]:
        """Every phase's budget, in the order written."""
        self._written = {at: phase for at, _, phase in phases_of(self.spec)}
        return {at: self._of(at) for at in self._written}

    def _of(self, at: Address) -> Budget:
        if at not in self.settled:
            self.settled[at] = self._settle(at, self._written[at])
        return self.settled[at]

    def _settle(self, at: Address, phase: PhaseSpec) -> Budget:
        model = changed(self.spec.model, self.spec.curricula[at[0]].model)
        training = training_of(self.spec.training, phase.training)
        context = phase.context or self._context(phase, model)
        rows = training.batch_rows or max(1, round(Fraction(training.batch_tokens or 0, context)))
        one = Budget(model, training, context, rows, 1, Fraction(0))
        asked = self._asked(at, phase, one)
        return one._replace(steps=max(1, _nearest(asked / one.step_tokens)), asked=asked)

    def comes_to(self, at: Address, by: Measure) -> Fraction:
        """What a whole phase comes to."""
        own = self._of(at)
        return own.steps * per_step(self.spec, self.procedural, at, own, by=by)

    def _lacking(self, here: Address, match: Match) -> Fraction:
        """What a phase has to come to for its curriculum to be equal to another; perhaps less than zero."""
        lacking = Fraction(0)
        for at in self._written:
            if at[0] == match.curriculum:
                lacking += self.comes_to(at, match.by)
            elif at[0] == here[0] and at != here:
                lacking -= self.comes_to(at, match.by)
        return lacking

    def _context(self, phase: PhaseSpec, model: ModelSpec) -> int:
        """The longest row of the phase's sources, at most the model's; text fills any row."""
        longest = (self._longest(name, model) for name in phase.data)
        return min(model.context, max(longest))

    def _longest(self, name: str, model: ModelSpec) -> int:
        return self.procedural[name].longest() if name in self.procedural else model.context

    def _asked(self, at: Address, phase: PhaseSpec, one: Budget) -> Fraction:
        """The tokens that are asked for, given what one step is."""
        if phase.match is not None:
            step = per_step(self.spec, self.procedural, at, one, by=phase.match.by)
            return self._lacking(at, phase.match) / step * one.step_tokens
        budget = phase.budget
        assert budget is not None, "checked: every phase has a budget"
        if budget.unit == "steps":
            return Fraction(budget.amount) * one.step_tokens
        if budget.anchor is None:
            return Fraction(budget.amount)
        return budget.share * self._of(address(at[0], budget.anchor)).tokens


def scored(spec: ExperimentSpec) -> dict[Address, int]:
    """About how many scored tokens each phase comes to."""
    budgets = Budgets(spec, procedural(spec))
    return {at: round(budgets.comes_to(at, "scored")) for at in budgets.all()}


def notes(spec: ExperimentSpec, budgets: Mapping[Address, Budget]) -> Iterator[Finding]:
    """What rounding to whole rows and whole steps did."""
    for at, path, phase in phases_of(spec):
        budget = budgets[at]
        if budgets.get((spec.curricula[at[0]].like or "", at[1])) == budget:
            continue  # said of the curriculum that this one is like
        asked_rows = Fraction(budget.training.batch_tokens or 0, budget.context)
        if budget.training.batch_tokens and asked_rows != budget.batch_rows:
            yield note("P401", path, _batch_note(at, budget))
        if budget.asked != budget.tokens and budget.asked >= budget.step_tokens:
            yield note("P402", (*path, phase.budget_key), _steps_note(at, budget, phase))


def schedule(training: TrainingSpec, steps: int, step_tokens: int) -> Schedule:
    """The schedule of a phase of this many steps."""
    warmup = stretch(training.schedule.warmup, steps, step_tokens)
    return Schedule(kind=training.schedule.kind, warmup=warmup, floor=training.schedule.floor)


def stretch(quantity: Quantity, steps: int, step_tokens: int) -> int:
    """A stretch of a phase, or a cadence in it, in whole steps."""
    if quantity.unit == "%":
        return _nearest(quantity.share * steps)
    if quantity.unit == "tokens":
        return _nearest(Fraction(quantity.amount) / step_tokens)
    return int(quantity.amount)


def _nearest(exact: Fraction) -> int:
    """The nearest whole number, halves up.

    >>> _nearest(Fraction(5, 2))
    3
    """
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def _batch_note(at: Address, budget: Budget) -> str:
    return (
        f"{'.'.join(at)}: a batch of {budget.training.batch_tokens:,} tokens becomes {budget.batch_rows:,} "
        f"rows of {budget.context:,} = {budget.step_tokens:,} tokens"
    )


def _steps_note(at: Address, budget: Budget, phase: PhaseSpec) -> str:
    off = float((budget.tokens - budget.asked) / budget.asked)
    return (
        f"{'.'.join(at)}: {phase.told_budget} becomes {budget.steps:,} steps of {budget.step_tokens:,} "
        f"= {budget.tokens:,} tokens ({off:+.2%})"
    )
