"""The journal: what one operation measured, one JSON object a line, written before anything else is told.

A line is a point `{"t": ms, "s": step, "n": tokens fed, "m": {metric: value}}` or an event
`{"t": ms, "e": name, ...}`. Numbers that JSON lacks are the strings "nan", "inf" and "-inf". Every line is
one `write` to a file opened for appending, so that a killed process leaves whole lines; what power loss
can take is the last second. Steps and tokens are local to the operation.
"""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from procdsl.errors import RunError

# Metrics of the machine, not of the model: a replayed step has other ones, and no resume is to blame.
MACHINE = ("perf/", "system/")
SYNC_SECONDS = 1.0


class Journal:
    """The writer of one operation's journal. Threads may share it; a lock of the store keeps processes apart.

    A step that is replayed after a resume is compared with what was written the first time: equal points
    are not written twice, and different ones are written after an event "inexact" that shows both.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        _drop_torn_line(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._lock = threading.Lock()
        self._before: dict[int, dict[str, float]] | None = None
        self._unsynced = False
        self._closed = threading.Event()
        # fsync took 0.1 to 60 ms on a busy disk; in a thread of its own no training step waits for it.
        self._syncer = threading.Thread(target=self._sync_each_second, name="journal-sync", daemon=True)
        self._syncer.start()

    def log(self, step: int, tokens: int, metrics: Mapping[str, float]) -> None:
        """Write the metrics that hold after `step` steps and `tokens` positions fed."""
        with self._lock:
            if self._before is None:
                self._before = _points(self.path)
            before = self._before.get(step)
        if before is not None:
            metrics = self._unseen(step, before, metrics)
        if metrics:
            values = {name: _storable(float(value)) for name, value in metrics.items()}
            self._append({"t": time.time_ns() // 1_000_000, "s": step, "n": tokens, "m": values})

    def event(self, name: str, /, **facts: Any) -> None:
        """Write that something happened; `facts` must be JSON values."""
        self._append({"t": time.time_ns() // 1_000_000, "e": name, **facts})

    def close(self) -> None:
        """Make everything durable and let go of the file; closing twice is harmless."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._syncer.join()
        os.fsync(self._file)
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _unseen(self, step: int, before: dict[str, float], metrics: Mapping[str, float]) -> dict[str, float]:
        """The metrics that a replayed step did not write before, differing ones included and announced."""
        changed = {
            name: [_storable(before[name]), _storable(float(value))]
            for name, value in metrics.items()
            if name in before and not name.startswith(MACHINE) and not _same(before[name], float(value))
        }
        if changed:
            self.event("inexact", s=step, metrics=changed)
        return {name: value for name, value in metrics.items() if name not in before or name in changed}

    def _append(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        with self._lock:
            try:
                written = os.write(self._file, line)
            except OSError as error:
                raise _cannot_write(self.path, str(error)) from error
            if written < len(line):
                os.ftruncate(self._file, os.fstat(self._file).st_size - written)
                raise _cannot_write(self.path, "the disk is full")
            self._unsynced = True

    def _sync_each_second(self) -> None:
        while not self._closed.wait(SYNC_SECONDS):
            if self._unsynced:
                self._unsynced = False
                os.fsync(self._file)


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a journal in the order of writing; none where there is no journal."""
    for _, record in records(path):
        yield record


def records(path: Path, start: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """The records from byte `start` on, each with the offset of its end. A torn last line is left alone.

    A whole line that is no record (a damaged disk) becomes an event "unreadable": nobody waits for it.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(start)
        end = start
        for line in file:
            if not line.endswith(b"\n"):
                return
            end += len(line)
            yield end, _parse(line, end)


def _parse(line: bytes, end: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict) or "t" not in record:
        return {"t": 0, "e": "unreadable", "end": end, "bytes": len(line)}
    if "m" in record:
        record["m"] = {name: float(value) for name, value in record["m"].items()}
    return record


def _points(path: Path) -> dict[int, dict[str, float]]:
    """What is already written, by step; a later value of a metric wins."""
    found: dict[int, dict[str, float]] = {}
    for record in read(path):
        if "m" in record:
            found.setdefault(record["s"], {}).update(record["m"])
    return found


def _drop_torn_line(path: Path) -> None:
    """Cut off what a killed writer left after the last whole line."""
    if not path.exists():
        return
    whole = max((end for end, _ in records(path)), default=0)
    if whole < path.stat().st_size:
        os.truncate(path, whole)


def _storable(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _cannot_write(path: Path, why: str) -> RunError:
    return RunError(
        f"cannot write the journal {path}: {why}", reason="disk", help="make room and run again: it goes on"
    )
