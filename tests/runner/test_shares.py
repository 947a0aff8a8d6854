"""Shares as whole rows: exact at every step, and what is counted is what is fed."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from procdsl.plan import Feed, Stage
from runner.shares import row_counts, text_tokens
from tests.runner.corpora.made import operation
from tests.runner.training import dyck, phase, plan_of

share = st.integers(0, 20)


@st.composite
def mixtures(draw: st.DrawFn) -> tuple[list[Stage], int]:
    feeds = draw(st.integers(1, 5))
    stages = []
    for _ in range(draw(st.integers(1, 4))):
        weights = draw(st.lists(share, min_size=feeds, max_size=feeds).filter(any))
        shares = tuple(weight / sum(weights) for weight in weights)
        stages.append(Stage(steps=draw(st.integers(1, 12)), shares=shares))
    return stages, draw(st.integers(1, 17))


@settings(max_examples=300)
@given(mixtures())
def test_shares_are_within_one_row_of_the_declared_at_every_step(mixture: tuple[list[Stage], int]) -> None:
    stages, batch_rows = mixture
    counts = np.array([*row_counts(stages, batch_rows)])
    steps = [np.array(stage.shares) for stage in stages for _ in range(stage.steps)]
    quotas = np.cumsum([np.zeros(len(stages[0].shares)), *steps], axis=0) * batch_rows
    assert np.all(counts.sum(axis=1) == np.arange(len(counts)) * batch_rows)
    assert np.all(np.diff(counts, axis=0) >= 0)
    assert np.all(np.abs(counts - quotas) < 1 + 1e-9)


def test_a_share_of_zero_gets_no_row() -> None:
    *_, last = row_counts([Stage(steps=50, shares=(0.5, 0.0, 0.5))], 3)
    assert last == (75, 0, 75)


def test_text_tokens_count_the_rows_that_are_fed() -> None:
    text = operation(id="text")
    brackets, feeds = dyck(), (Feed(source="text"), Feed(source="dyck"))
    stages = (Stage(steps=5, shares=(0.3, 0.7)), Stage(steps=4, shares=(0.9, 0.1)))
    mixed = phase(brackets, feeds=feeds, stages=stages, batch_rows=3)
    alone = phase(brackets, id="alone", feeds=feeds[:1], stages=(Stage(steps=9, shares=(1.0,)),))
    without = phase(brackets, id="without")
    plan = plan_of(text, brackets, mixed, alone, without)
    fed = [count[0] * 16 for count in row_counts(stages, 3)]
    assert [text_tokens(plan, mixed, step) for step in range(10)] == fed
    assert (text_tokens(plan, alone, 9), text_tokens(plan, without, 9)) == (9 * 8 * 16, 0)
