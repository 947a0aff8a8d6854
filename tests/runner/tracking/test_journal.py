"""The journal keeps what it was told: through kills, resumes, threads and full disks."""

from __future__ import annotations

import math
import multiprocessing
import os
import resource
import signal
import threading
from pathlib import Path

import pytest

from procdsl.errors import RunError
from runner.tracking.journal import Journal, read, records


def test_reads_back_what_was_written(tmp_path: Path) -> None:
    with Journal(tmp_path / "deep" / "journal.jsonl") as journal:
        journal.log(1, 64, {"train/loss": 2.5, "train/grad_norm": math.inf, "eval/x": math.nan})
        journal.event("phase", name="prë", at=3)
    point, event = read(journal.path)
    assert point["s"] == 1
    assert point["n"] == 64
    assert point["m"]["train/loss"] == 2.5
    assert point["m"]["train/grad_norm"] == math.inf
    assert math.isnan(point["m"]["eval/x"])
    assert event["e"] == "phase"
    assert event["name"] == "prë"


def test_a_missing_journal_is_empty(tmp_path: Path) -> None:
    assert list(read(tmp_path / "none.jsonl")) == []


def test_equal_points_of_a_replay_are_not_written_twice(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    for first in (1, 3):
        with Journal(path) as journal:
            for step in range(first, 6):
                journal.log(step, 10 * step, {"train/loss": 1 / step, "train/odd": math.nan})
                journal.log(step, 10 * step, {"perf/tokens_per_s": first * 1000.0})
    points = [(r["s"], name) for r in read(path) for name in r["m"]]
    assert len(points) == len(set(points)) == 15


def test_a_different_point_of_a_replay_is_announced_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    for loss in (0.5, 0.25):
        with Journal(path) as journal:
            journal.log(7, 70, {"train/loss": loss, "train/lr": 0.1})
    first, event, second = read(path)
    assert event["e"] == "inexact"
    assert event["metrics"] == {"train/loss": [0.5, 0.25]}
    assert first["m"] == {"train/loss": 0.5, "train/lr": 0.1}
    assert second["m"] == {"train/loss": 0.25}


@pytest.mark.parametrize("torn", [b'{"t":1,"s":2,"n":3,"m":{"a":', b"\x00\x00\x00"])
def test_a_torn_last_line_is_ignored_and_then_removed(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.log(1, 1, {"a": 1})
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes() + torn)
    assert [end for end, _ in records(path)] == [whole]
    with Journal(path) as journal:
        journal.log(2, 2, {"a": 2})
    assert [r["s"] for r in read(path)] == [1, 2]


def test_a_damaged_line_in_the_middle_hides_no_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"t":1,"s":1,"n":1,"m":{"a":1}}\ngar\xffbage\n[1]\n{"t":2,"s":2,"n":2,"m":{"a":2}}\n')
    assert [r.get("e", r.get("s")) for r in read(path)] == [1, "unreadable", "unreadable", 2]


def test_threads_may_share_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")

    def write(name: str) -> None:
        for step in range(200):
            journal.log(step, step, {name: step})

    threads = [threading.Thread(target=write, args=(f"m/{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    assert len(list(read(journal.path))) == 800


def _write_until_killed(path: Path) -> None:
    journal = Journal(path)
    for step in range(10**9):
        journal.log(step, step, {"train/loss": 1.0 / (step + 1)})


def test_kill_minus_nine_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writer = multiprocessing.get_context("spawn").Process(target=_write_until_killed, args=(path,))
    writer.start()
    while not path.exists() or path.stat().st_size < 50_000:
        assert writer.is_alive()
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    steps = [r["s"] for r in read(path)]
    assert steps == list(range(len(steps)))
    assert path.read_bytes().endswith(b"\n")


def _fill(path: Path) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    journal = Journal(path)
    journal.log(0, 0, {"train/loss": 1.0})
    with pytest.raises(RunError, match="cannot write the journal"):
        journal.event("large", text="x" * 4096)


def test_a_full_disk_is_told_and_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writer = multiprocessing.get_context("spawn").Process(target=_fill, args=(path,))
    writer.start()
    writer.join()
    assert writer.exitcode == 0
    assert path.read_bytes().endswith(b"\n")
