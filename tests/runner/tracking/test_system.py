"""The machine's state reaches the journal, and keeps out of the comparison of replays."""

from __future__ import annotations

import time
from pathlib import Path

from runner.tracking.journal import Journal, read
from runner.tracking.system import watch


def test_samples_stand_at_the_step_they_were_taken(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.jsonl") as journal:
        with watch(journal, lambda: (5, 320), seconds=0.02):
            until = time.monotonic() + 10
            while not list(read(journal.path)) and time.monotonic() < until:
                time.sleep(0.01)
        first = next(read(journal.path))
    assert (first["s"], first["n"]) == (5, 320)
    assert first["m"]["system/process_memory_megabytes"] > 1
    assert 0 <= first["m"]["system/cpu_utilization_percentage"] <= 100


def test_without_a_journal_nothing_is_sampled() -> None:
    with watch(None, lambda: (0, 0)):
        pass
