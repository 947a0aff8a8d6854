"""Curricula, the arms of a study: each an ordered list of phases with mixtures that may change over time."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from procdsl.language.base import Name, PhaseName, Spec
from procdsl.language.model import ModelChange
from procdsl.language.optimiser import TrainingChange
from procdsl.language.quantities import PhaseSpan, Quantity, StepBudget, TokenBudget
from procdsl.language.schedules import MasterySchedule
from procdsl.plan import Component


class Constant(Spec):
    """A share that stays. Shares are set against each other: 9 and 1 mean what 0.9 and 0.1 mean."""

    value: float = Field(le=1e9)


class Ramp(Spec):
    """A share that goes from one value to another over a stretch of the phase, and stays there."""

    start: float = Field(alias="from", le=1e9)
    to: float = Field(le=1e9)
    over: PhaseSpan
    shape: Literal["linear", "cosine"] = "linear"


class Piecewise(Spec):
    """A share with a new value from each point of the phase: ``{ steps = { "0%" = 1, "25%" = 0.5 } }``."""

    steps: dict[str, float] = Field(min_length=1)


class Awaited(Spec):
    """What a value of a grammar waits for: that the one `before` it is mastered, as said at `path`."""

    before: str
    path: tuple[str | int, ...]
    rule: MasterySchedule


class Windowed(Spec):
    """A share that is there in some parts of the phase alone: the compiler's, for grammars that change."""

    share: Constant | Ramp | Piecewise
    windows: tuple[tuple[Fraction, Fraction], ...]
    awaited: Awaited | None = None

    def holds(self, position: Fraction) -> bool:
        return any(first <= position < last for first, last in self.windows)


AnyShare = Constant | Ramp | Piecewise | Windowed


def _share(value: Any) -> Any:
    """One share by what is written: a number, or a table whose keys say which it is."""
    if isinstance(value, AnyShare):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | dict):
        raise PydanticCustomError("share", "a share is a number, or a table {{ from, to, over }}")
    if not isinstance(value, dict):
        return Constant(value=float(value))
    if "mastery" in value:
        raise PydanticCustomError("share", "a number of a grammar may wait for mastery, a share does not")
    return (Piecewise if "steps" in value else Ramp).model_validate(value)


def _mixture(value: Any) -> Any:
    return {value: Constant(value=1.0)} if isinstance(value, str) else value


Share = Annotated[
    Constant | Ramp | Piecewise,
    BeforeValidator(_share, json_schema_input_type=float | Ramp | Piecewise),
]
Mixture = Annotated[
    dict[Name, Share],
    BeforeValidator(_mixture, json_schema_input_type=str | dict[Name, float | Ramp | Piecewise]),
    Field(min_length=1),
]


class Start(Spec):
    """Where a phase's parameters come from: a phase's, through a transfer; without one, all as they are."""

    source: PhaseName = Field(alias="from")
    transfer: Name | None = None


def _start(value: Any) -> Any:
    if isinstance(value, str) and value != "fresh":
        raise PydanticCustomError("start", 'a start is "fresh" or a table {{ from, transfer }}')
    return value


class StopSpec(Spec):
    """What ends a phase before its budget: ``{ metric = "brackets/loss", reaches = 1.2, for = 2 }``.

    `metric` is "<evaluation>/<metric>"; the evaluation is made on the validation part, and the rule is looked
    at as often as it is made (its `every`; not before the first step). The phase ends when the metric is as
    good as `reaches` at `for` evaluations in a row: a loss has fallen to it, an accuracy has risen to it.
    """

    metric: str
    reaches: float
    patience: int = Field(default=1, alias="for", ge=1, le=1_000)


class Freezing(Spec):
    """What is frozen from each point on: ``{ steps = { "0%" = ["attention"], "25%" = [] } }``."""

    steps: dict[str, tuple[Component, ...]] = Field(min_length=1)


def _freezing(value: Any) -> Any:
    if isinstance(value, Freezing):
        return value
    return Freezing.model_validate(value if isinstance(value, dict) else {"steps": {"0%": value}})


Measure = Literal["tokens", "flops", "scored"]


class Match(Spec):
    """A budget that makes a whole curriculum equal to another in tokens fed, arithmetic or scored tokens."""

    curriculum: Name
    by: Measure


class PhaseSpec(Spec):
    """A stretch of training with its own start and optimiser.

    `tokens` counts the positions fed, prompts and padding included. `context` is the row's length;
    without it the longest row of the phase's sources, at most the model's. With `stop` the budget is the
    most the phase may take: the learning rate's schedule and the mixture span it, also where the phase ends
    before, and budgets that are shares of it are shares of the most. `match`, in place of both, gives the
    phase what the curriculum lacks to be equal to another. `freeze` names what is not trained, all through
    the phase or from points of it on. `replay` names an earlier phase of the curriculum whose rows are read
    again, from its first on; without it a phase reads rows that no phase before has read.
    """

    name: Name
    data: Mixture
    tokens: TokenBudget | None = None
    steps: StepBudget | None = None
    match: Match | None = None
    context: int | None = Field(default=None, ge=1, le=1_000_000)
    start: Annotated[Literal["fresh"] | Start, BeforeValidator(_start)] | None = None
    training: TrainingChange | None = None
    replay: Name | None = None
    stop: StopSpec | None = None
    freeze: Annotated[
        Freezing, BeforeValidator(_freezing, json_schema_input_type=tuple[Component, ...] | Freezing)
    ] = Freezing(steps={"0%": ()})

    @property
    def budget_key(self) -> Literal["tokens", "steps", "match"]:
        """How the budget is written."""
        return "tokens" if self.tokens is not None else "match" if self.match is not None else "steps"

    @property
    def told_budget(self) -> str:
        """The budget in words."""
        return f"as many {self.match.by} as {self.match.curriculum}" if self.match else str(self.budget)

    @property
    def budget(self) -> Quantity | None:
        """The one budget a phase has as an amount, whichever way it is written; none where it is matched."""
        budget: Quantity | None = self.tokens if self.tokens is not None else self.steps
        return budget


class CurriculumSpec(Spec):
    """The whole course of one model. `like` is what it was copied from, already overlaid.

    A phase has ids for what it reads; with ``vocabulary = "shared"`` all phases have ids for whatever any of
    them reads, so that they can go on from each other with all parameters as they are.
    """

    like: Name | None = None
    baseline: bool = False
    model: ModelChange | None = None
    vocabulary: Literal["own", "shared"] = "own"
    phases: tuple[PhaseSpec, ...]
