"""Pruning takes what no study of the store needs, and never anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from procdsl.errors import UsageError
from runner.pruning import beyond, quota_bytes, remove, size, unneeded
from runner.store import Store
from tests.runner.studies import carry_out, study


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Made with one learning rate, then with another: the first results are an older version's."""
    carry_out(study(curricula=("plain", "first"), lr=1e-2), tmp_path)
    carry_out(study(curricula=("plain", "first"), lr=2e-2), tmp_path)
    return Store(tmp_path)


def test_what_the_last_plan_needs_stays(store: Store) -> None:
    plan = study(curricula=("plain", "first"), lr=2e-2)
    found = unneeded(store)
    assert len(found) == 4
    assert not {one.path.name for one in found} & {f"train-{key}" for key in plan.keys.values()}
    assert all(one.bytes > 0 and one.path.exists() for one in found)

    freed, busy = remove(store, found)
    assert (freed, busy) == (sum(one.bytes for one in found), [])
    assert unneeded(store) == []
    assert carry_out(plan, store.root)[1].events == []


def test_a_spec_that_is_not_run_yet_keeps_what_it_will_reuse(store: Store) -> None:
    edited = study(curricula=("plain",), lr=1e-2)
    names = {one.path.name for one in unneeded(store, [edited])}
    assert f"train-{edited.key('plain.s0')}" not in names
    assert len(names) == 3


def test_a_quota_takes_the_oldest_and_no_more_than_it_must(store: Store) -> None:
    found = unneeded(store)
    total = size(store.root)
    assert beyond(store, found, total) == []
    assert beyond(store, found, total - 1) == found[:1]
    assert beyond(store, found, 0) == found
    assert [one.touched for one in found] == sorted(one.touched for one in found)


def test_what_a_run_holds_is_left(store: Store) -> None:
    found = unneeded(store)
    kind, _, key = found[0].path.name.rpartition("-")
    with store.lock(kind, key):
        freed, busy = remove(store, found)
    assert busy == [found[0].path]
    assert freed == sum(one.bytes for one in found[1:])
    assert found[0].path.exists()


@pytest.mark.parametrize(("text", "bytes"), [("5GB", 5e9), ("1.5 M", 1.5e6), ("100", 100), ("2TiB", 2e12)])
def test_sizes_are_read_as_people_write_them(text: str, bytes: float) -> None:
    assert quota_bytes(text) == bytes


@pytest.mark.parametrize("text", ["", "GB", "-1", "5 GB free", "nan"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no size"):
        quota_bytes(text)


def test_a_plan_that_cannot_be_read_is_told(store: Store) -> None:
    (path,) = store.root.glob("studies/*/plan.json")
    path.write_text('{"format": 2}')
    with pytest.raises(UsageError, match=r"plan\.json is not a plan"):
        unneeded(store)
