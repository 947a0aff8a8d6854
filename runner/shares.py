"""Shares as whole rows: how many rows of each feed stand before each step, a pure function of the operation.

At every step the realised share of every feed is within one row of the declared one.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from procdsl.plan import AnyOperation, Plan, PrepareOperation, Stage, TrainOperation, Trial


class Fed(NamedTuple):
    """How many tokens of each sort a model was fed."""

    text: int
    procedural: int


def fed(plan: Plan, trial: Trial) -> Fed:
    """All that a trial's model was fed, in phases of other curricula that it starts from as well."""
    ids = dict.fromkeys(id for phase in trial.phases for id in plan.origins(phase.train))
    operations = [plan.operation(id, TrainOperation) for id in ids]
    text = sum(text_tokens(plan, operation, operation.steps) for operation in operations)
    return Fed(text, sum(operation.tokens for operation in operations) - text)


def text_tokens(plan: Plan, operation: TrainOperation, step: int) -> int:
    """Positions of text fed in the first `step` steps."""
    is_text = tuple(_is_text(plan.by_id[feed.source]) for feed in operation.feeds)
    if any(is_text) and not all(is_text):
        return _text_rows(operation.stages, operation.batch_rows, is_text)[step] * operation.context
    return step * operation.batch_rows * operation.context * all(is_text)


def _is_text(source: AnyOperation) -> bool:
    """Whether it gives text, and not what is only made of a text's tokens."""
    return isinstance(source, PrepareOperation) and source.likeness is None


@lru_cache(maxsize=32)
def _text_rows(stages: tuple[Stage, ...], batch_rows: int, is_text: tuple[bool, ...]) -> array[int]:
    rows = row_counts(stages, batch_rows)
    return array("q", (sum(n for n, text in zip(count, is_text, strict=True) if text) for count in rows))


def row_counts(stages: Sequence[Stage], batch_rows: int) -> Iterator[tuple[int, ...]]:
    """How many rows of each feed stand before each step, and after the last: steps + 1 times.

    A feed's n-th row may come once its quota exceeds n - 1 and must have come when it reaches n. Taking the
    rows with the earliest deadlines meets all of them (Tijdeman 1980, the chairman assignment problem),
    also where shares change: counts never fall, and stay less than one row from the quota.

    >>> list(row_counts([Stage(steps=4, shares=(0.75, 0.25))], 2))
    [(0, 0), (1, 1), (3, 1), (4, 2), (6, 2)]
    """
    if len(stages[0].shares) == 1:
        steps = sum(stage.steps for stage in stages)
        return ((step * batch_rows,) for step in range(steps + 1))
    return _Apportionment(stages, batch_rows).counts()


class _Apportionment:
    """Earliest deadlines first, in whole numbers: quotas are kept in units of 1/`unit` rows."""

    def __init__(self, stages: Sequence[Stage], batch_rows: int) -> None:
        exact = [_exact(stage.shares) for stage in stages]
        self.unit = math.lcm(*(share.denominator for shares in exact for share in shares))
        self.rates = [[int(share * self.unit) * batch_rows for share in shares] for shares in exact]
        self.steps = [stage.steps for stage in stages]
        self.batch_rows = batch_rows
        self.feeds = len(exact[0])

    def counts(self) -> Iterator[tuple[int, ...]]:
        quota, count, step = [0] * self.feeds, [0] * self.feeds, 0
        yield tuple(count)
        for stage, (steps, rates) in enumerate(zip(self.steps, self.rates, strict=True)):
            for left in range(steps - 1, -1, -1):
                quota = [q + rate for q, rate in zip(quota, rates, strict=True)]
                step += 1
                self._take(count, quota, step * self.batch_rows, stage, left)
                yield tuple(count)

    def _take(self, count: list[int], quota: list[int], rows: int, stage: int, left: int) -> None:
        """Raise `count` to `rows` rows: those that are due, then one more for the feeds due next."""
        for feed, q in enumerate(quota):
            count[feed] = max(count[feed], q // self.unit)
        free = rows - sum(count)
        if not free:
            return
        open = [feed for feed, q in enumerate(quota) if count[feed] * self.unit < q]
        open.sort(
            key=lambda feed: (self._due(feed, (count[feed] + 1) * self.unit - quota[feed], stage, left), feed)
        )
        for feed in open[:free]:
            count[feed] += 1

    def _due(self, feed: int, lacking: int, stage: int, left: int) -> Fraction:
        """In how many steps from now the quota of a feed has grown by `lacking`."""
        waited = Fraction(0)
        for later, rates in enumerate(self.rates[stage:], stage):
            steps = left if later == stage else self.steps[later]
            if steps * rates[feed] >= lacking:
                return waited + (Fraction(lacking, rates[feed]) if rates[feed] else 0)
            lacking -= steps * rates[feed]
            waited += steps
        return waited + lacking  # never due: after all that are, those that lack least first


def _exact(shares: Sequence[float]) -> list[Fraction]:
    """Shares as they were written (0.1 is a tenth), made to sum to one."""
    written = [Fraction(repr(share)) for share in shares]
    return [share / sum(written) for share in written]
