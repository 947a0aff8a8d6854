"""Curricula that differ in amounts alone: a grid of doses, or of budgets, as lines over that amount."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from procdsl.plan import AnyOperation, Plan, Stage, TrainOperation
from runner.shares import Fed, fed

Sort = Literal["procedural", "text"]


@dataclass(frozen=True)
class Line:
    """Curricula that are alike but for how many tokens of one sort they are given, the fewest first."""

    name: str
    sort: Sort
    curricula: tuple[str, ...]


def lines(plan: Plan) -> Iterator[Line]:
    """Every set of two or more curricula that differ in tokens of one sort alone."""
    alike = plan.with_operations(_amountless(operation) for operation in plan.operations)
    tokens: dict[str, Fed] = {}
    sets: dict[tuple[str, ...], list[str]] = {}
    for trial in plan.trials:
        if trial.curriculum not in tokens:
            tokens[trial.curriculum] = fed(plan, trial)
            course = tuple(alike.key(phase.train) for phase in trial.phases)
            sets.setdefault(course, []).append(trial.curriculum)
    for names in sets.values():
        text, procedural = ({tokens[name][sort] for name in names} for sort in (0, 1))
        if len(procedural) > 1 and len(text) == 1:
            yield _line(names, "procedural", {name: tokens[name].procedural for name in names})
        elif len(text) > 1 and len(procedural) == 1:
            yield _line(names, "text", {name: tokens[name].text for name in names})


def _line(names: Sequence[str], sort: Sort, tokens: dict[str, int]) -> Line:
    """A line by what its names have in common: ``set_first_steps50`` and ``…steps200`` are ``set_first``."""
    words = zip(*(name.split("_") for name in names), strict=False)
    common = "_".join(parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, words))
    return Line(common or names[0], sort, tuple(sorted(names, key=lambda one: tokens[one])))


def _amountless(operation: AnyOperation) -> AnyOperation:
    """An operation as it would be for any number of steps, from wherever its rows begin."""
    if not isinstance(operation, TrainOperation):
        return operation
    update = {
        "stages": tuple(Stage(steps=1, shares=stage.shares) for stage in operation.stages),
        "schedule": operation.schedule.model_copy(update={"warmup": 0}),
        "feeds": tuple(feed.model_copy(update={"offset": 0}) for feed in operation.feeds),
    }
    return operation.model_copy(update=update)
