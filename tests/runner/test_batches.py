"""Batches: exact shares, addressed rows, one meaning of equal spellings, parts that lose nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from procdsl.plan import Feed, Stage, Vocabulary
from runner import batches
from runner.devices import World
from runner.execution import Execution
from runner.generators import fill
from runner.store import Store
from tests.runner.training import dyck, iid, phase, plan_of


def test_rows_come_in_order_whatever_the_shares_do() -> None:
    """Each feed's rows are its own rows 0, 1, 2 … from its offset, each fed once."""
    one, other = dyck(), iid()
    stages = (Stage(steps=3, shares=(0.25, 0.75)), Stage(steps=4, shares=(0.6, 0.4)))
    feeds = (Feed(source="dyck", offset=10), Feed(source="iid"))
    operation = phase(one, other, stages=stages, feeds=feeds)
    maker = _maker(operation, plan_of(one, other, operation))
    fed = [_rows(maker.make(step), feed) for step in range(7) for feed in range(2)]
    for feed, (source, offset) in enumerate(((one, 10), (other, 0))):
        rows = torch.cat(fed[feed::2])
        local = np.empty((len(rows), 17), np.int32)
        fill(source, seed=0, split="train", start=offset, ids=local, scored=np.empty(local.shape, np.uint8))
        place = [operation.vocabulary.tokens.index(token) for token in source.tokens]
        assert torch.equal(rows, torch.tensor(place)[local[:, :-1].astype(np.int64)].int())


def test_equal_spellings_are_one_token_behind_the_texts_ids() -> None:
    source = iid()
    rows = batches.generated(
        source, Vocabulary(text_size=300, tokens=("x", *source.tokens)), data_seed=0, split="train"
    )
    ids, scored = np.empty((4, 33), np.int32), np.empty((4, 33), np.uint8)
    rows.fill(0, ids, scored)
    plain = np.empty((4, 17), np.int32)
    fill(source, seed=0, split="train", start=0, ids=plain, scored=np.empty((4, 17), np.uint8))
    assert np.array_equal(ids[:, :17], plain + 301)
    padding = 301 + source.tokens.index("<pad>")
    assert np.all(ids[:, 17:] == padding)
    assert not scored[:, 17:].any()


def test_ranks_share_the_rows_of_one_process() -> None:
    source = dyck()
    operation = phase(source, batch_rows=7)
    plan = plan_of(source, operation)
    whole = _maker(operation, plan).make(3)
    shared = [_maker(operation, plan, World(rank, 3)).make(3) for rank in range(3)]
    assert {batch.scored for batch in shared} == {whole.scored}
    assert torch.equal(torch.cat([_rows(batch) for batch in shared]), _rows(whole))


@settings(max_examples=100)
@given(
    flags=st.lists(st.lists(st.booleans(), min_size=9, max_size=9), min_size=1, max_size=12),
    part_rows=st.integers(1, 6),
)
def test_parts_hold_every_scored_target_once(flags: list[list[bool]], part_rows: int) -> None:
    scored = np.array(flags, np.uint8)
    ids = np.arange(scored.size, dtype=np.int32).reshape(scored.shape)
    made = batches.parts(ids, scored, np.arange(len(ids), dtype=np.uint8), part_rows)
    targets = torch.cat([part.targets_N for part in made]) if made else torch.zeros(0)
    assert sorted(targets.tolist()) == ids[:, 1:][scored[:, 1:] != 0].tolist()
    for part in made:
        assert 1 <= len(part.ids_BT) <= part_rows
        places = part.ids_BT if part.queries_BS is None else part.ids_BT.gather(1, part.queries_BS)
        chosen = places.flatten() if part.chosen_N is None else places.flatten()[part.chosen_N]
        assert torch.equal(chosen + 1, part.targets_N.int())
        assert torch.equal(part.feed_N.long(), part.targets_N // scored.shape[1])


def test_what_is_made_ahead_comes_in_order_and_ends_with_the_block() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return number * number

    with batches.Ahead(make, range(3, 1000), ahead=2) as ahead:
        assert [next(ahead) for _ in range(4)] == [9, 16, 25, 36]
    assert len(made) <= 4 + 3
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]


def test_an_error_in_the_thread_is_raised_where_its_batch_is_taken() -> None:
    def make(number: int) -> float:
        return 1 / (2 - number)

    with batches.Ahead(make, range(5)) as ahead, pytest.raises(ZeroDivisionError):
        list(ahead)


def _maker(operation, plan, world: World = World(0, 1)) -> batches.Batches:  # type: ignore[no-untyped-def]  # noqa: B008
    store = Store(Path("unused"))
    execution = Execution(store=store.root)
    return batches.maker(plan, operation, store, execution, torch.device("cpu"), world)


def _rows(batch: batches.Batch, feed: int = 0) -> torch.Tensor:
    """The fed ids of a feed; every row is wholly scored here."""
    parts = [part.ids_BT[part.feed_N.view(part.ids_BT.shape)[:, 0] == feed] for part in batch.parts]
    return torch.cat(parts)
