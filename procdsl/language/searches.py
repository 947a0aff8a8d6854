"""Searches: the smallest budget with which a curriculum is as good as the baseline."""

from __future__ import annotations

from pydantic import Field

from procdsl.language.base import Name, Spec
from procdsl.language.quantities import Cadence


class SearchSpec(Spec):
    """The smallest budget of one phase with which a curriculum's mean reaches the baseline's.

    Budgets are shares of the phase's own, or steps or tokens, and at most its own. Each is a run of its own,
    with a schedule of its own length: annealed anew, no cut of a longer one. All other phases stay as they
    are. First `grid` budgets are tried, evenly spaced `between` the two; then the stretch below the smallest
    from which on all reach the baseline is halved, until it is no longer than `tolerance`.

    `metric` is by default what the study compares, `baseline` what it is compared with.
    """

    curriculum: Name
    phase: Name
    between: tuple[Cadence, Cadence]
    tolerance: Cadence
    grid: int = Field(default=2, ge=2, le=100)
    metric: str | None = None
    baseline: Name | None = None
