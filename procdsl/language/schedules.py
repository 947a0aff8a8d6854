"""Numbers of a grammar that change over a phase, as a spec writes them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from procdsl.language.base import Spec
from procdsl.language.quantities import PhaseSpan

# A number, or what holds numbers alone: a list of rules, a law of lengths.
Numbers = Any


class RampSchedule(Spec):
    """``{ from = 4, to = 16, over = "0%..50%" }``: from one number to another, and there it stays.

    Whole numbers go by `by`, each of them once; fractions, and more than 64 whole numbers, in 64 plateaus.
    """

    start: int | float = Field(alias="from")
    to: int | float
    over: PhaseSpan
    shape: Literal["linear", "cosine"] = "linear"
    by: int = Field(default=1, ge=1)


class StepsSchedule(Spec):
    """``{ steps = { "0%" = 4, "25%" = 8 } }``: a new value from each point of the phase."""

    steps: dict[str, Numbers] = Field(min_length=1)


class MasterySchedule(Spec):
    """``{ mastery = [8, 16, 32], metric = "sorting/exact_match", threshold = 0.99, for = 3 }``.

    The evaluation named is made on held-out rows of the value in force, as often as it says (`every`). When
    the metric was as good as `threshold` `for` times in a row, the next value is in force from that step on.
    """

    mastery: tuple[Numbers, ...] = Field(min_length=2)
    metric: str
    threshold: float
    patience: int = Field(default=1, alias="for", ge=1, le=1_000)
