"""Followers: under `torchrun`, every process but the first. They train along; the first does all the rest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from procdsl.errors import RunError, Stopped
from procdsl.plan import TrainOperation

_POLL_SECONDS = 0.2


def follows() -> bool:
    """Whether this process is not the first of a group that trains one model together."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and os.environ.get("RANK", "0") != "0"


def follow(
    operation: object,
    place: Path,
    train: Callable[[], object],
    finished: Callable[[], bool],
    stopping: Callable[[], bool],
) -> None:
    """Train with the first process, if it is training; then wait until it has finished, or failed at it."""
    before = _failed(place)
    if isinstance(operation, TrainOperation) and not finished():
        train()
    while not finished():
        if stopping():
            raise Stopped("stopped with the first process")
        if _failed(place) != before:
            raise RunError("the first process failed at it: it says why", reason="followed")
        time.sleep(_POLL_SECONDS)


def _failed(place: Path) -> int:
    """When a failure was last written down, 0 for never."""
    path = place / "failures.json"
    return path.stat().st_mtime_ns if path.exists() else 0
