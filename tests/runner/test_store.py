"""The store: whole files or none, locks that end with their process, and clear words when it cannot write."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from procdsl.errors import RunError, UsageError
from runner.store import Locked, Store, load_plan, read_json, write_json
from tests.runner.studies import study

KEY = "0123456789abcdef" * 2


def test_an_operation_is_done_when_its_mark_is_there_and_its_files_are_whole(tmp_path: Path) -> None:
    store = Store(tmp_path)
    place = store.place("train", KEY)
    (place / "out.bin").write_bytes(bytes(100))
    (place / "journal.jsonl").write_text("")
    assert store.done("train", KEY) is None
    store.finish("train", KEY, {"steps": 3})
    assert store.done("train", KEY) == {"steps": 3}

    (place / "journal.jsonl").write_text("it may grow\n")
    assert store.done("train", KEY) == {"steps": 3}
    (place / "out.bin").write_bytes(bytes(99))
    assert store.done("train", KEY) is None
    (problem,) = store.damage("train", KEY)
    assert "out.bin: 99 bytes, expected 100 bytes" in problem
    (place / "out.bin").unlink()
    assert "out.bin: missing" in store.damage("train", KEY)[0]


def test_the_operation_lies_beside_its_output(tmp_path: Path) -> None:
    plan = study()
    operation = plan.by_id["plain.s0"]
    place = Store(tmp_path).describe(operation, plan.key("plain.s0"))
    kept = read_json(place / "operation.json")
    assert kept["key"] == plan.key("plain.s0")
    assert kept["operation"] == operation.model_dump(mode="json")


def test_a_plan_that_replaces_another_leaves_it_beside(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for seeds in [(0,), (0, 1), (0, 1)]:
        store.remember(study(seeds=seeds))
    assert load_plan(store.study("tiny") / "plan.json") == study(seeds=(0, 1))
    (older,) = store.study("tiny").glob("versions/*.json")
    assert load_plan(older) == study(seeds=(0,))


def test_links_are_readable_and_follow_a_changed_plan(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for key in ["a" * 32, "b" * 32]:
        place = store.place("train", key)
        store.link("tiny", "plain", 0, "01-main", place)
        assert (tmp_path / "studies/tiny/plain/s0/01-main").resolve() == place.resolve()


@pytest.mark.parametrize("name", ["../out", "/etc", ".hidden", "a/b", "", "a" * 200])
def test_names_stay_inside_the_store(name: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot name a folder"):
        Store(tmp_path).study(name)


# ---------------------------------------------------------------- writing


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, {"old": 1})
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(path, {"new": float("nan")})
    assert read_json(path) == {"old": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["value.json"]


def test_others_may_read_what_the_umask_lets_them(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_json(tmp_path / "facts.json", {})
    finally:
        os.umask(before)
    assert (tmp_path / "facts.json").stat().st_mode & 0o777 == 0o640


def test_a_full_disk_is_told_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    write_json(path, "old")
    process = _spawn(_write_beyond_the_limit, path)
    told = process.recv()
    assert "cannot write" in told
    assert str(path) in told
    assert read_json(path) == "old"


def test_a_store_that_is_a_file_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    for attempt in (
        Store(tmp_path / "store").writable,
        lambda: Store(tmp_path / "store").place("train", "a"),
    ):
        with pytest.raises(RunError, match="cannot write") as error:
            attempt()
        assert error.value.reason == "unwritable"
        assert "--store" in error.value.help


def test_too_little_room_is_told_in_megabytes(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="this run needs about 1,000,000,000 MB") as error:
        Store(tmp_path).require_space(10**15)
    assert error.value.reason == "no-space"


def test_damaged_json_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"half":')
    with pytest.raises(RunError, match=r"x\.json is damaged"):
        read_json(tmp_path / "x.json")


def test_what_is_not_a_plan_is_a_usage_error(tmp_path: Path) -> None:
    for content in ['{"format": 99}', "[]", "no json"]:
        (tmp_path / "plan.json").write_text(content)
        with pytest.raises(UsageError, match="is not a plan"):
            load_plan(tmp_path / "plan.json")
    with pytest.raises(UsageError, match="cannot read"):
        load_plan(tmp_path / "absent.json")


# ---------------------------------------------------------------- locks


def test_a_lock_says_who_holds_it_and_ends_with_its_process(tmp_path: Path) -> None:
    store = Store(tmp_path)
    holder = multiprocessing.get_context("spawn").Process(target=_hold, args=(str(tmp_path),))
    holder.start()
    owner = tmp_path / f"objects/train-{KEY}/owner.json"
    while not owner.exists():
        assert holder.is_alive()
        holder.join(0.02)
    with (
        pytest.raises(Locked, match=rf"held by process {holder.pid} on .* since 20\d\d-") as error,
        store.lock("train", KEY),
    ):
        pass
    assert (error.value.reason, error.value.exit_code) == ("locked", 2)
    assert json.loads(owner.read_text())["pid"] == holder.pid

    holder.kill()
    holder.join()
    assert owner.exists()
    with store.lock("train", KEY):
        assert json.loads(owner.read_text())["pid"] != holder.pid
    assert not owner.exists()


def test_waiting_for_a_lock_ends_when_it_is_let_go(tmp_path: Path) -> None:
    holder = multiprocessing.get_context("spawn").Process(target=_hold, args=(str(tmp_path), 1.0))
    holder.start()
    while not (tmp_path / f"objects/train-{KEY}/owner.json").exists():
        holder.join(0.02)
    with Store(tmp_path).lock("train", KEY, wait=30):
        pass
    holder.join()


def _hold(root: str, seconds: float = 60) -> None:
    import time

    with Store(Path(root)).lock("train", KEY):
        time.sleep(seconds)


def _spawn(target: Callable[[Connection, Path], None], path: Path) -> Connection:
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=target, args=(far, path))
    process.start()
    process.join()
    far.close()
    return near


def _write_beyond_the_limit(connection: Connection, path: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        write_json(path, "x" * 10_000)
    except RunError as error:
        connection.send(f"{error} {error.help}")
