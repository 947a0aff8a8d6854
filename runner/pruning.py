"""Pruning: what lies in a store that no plan of it needs, and taking it away."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from procdsl.errors import UsageError
from procdsl.plan import GenerateOperation, MeasureOperation, Plan
from runner.store import Locked, Store, load_plan

_SIZES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True)
class Unneeded:
    """An object of the store that may go: why, how many bytes it frees, when it was last written to."""

    path: Path
    bytes: int
    touched: float
    why: str


def unneeded(store: Store, plans: Iterable[Plan] = ()) -> list[Unneeded]:
    """The objects that neither these plans nor the studies of the store name, the oldest first."""
    needed = {name for plan in (*plans, *studies(store)) for name in _names(plan)}
    found = [
        Unneeded(path, size(path), path.stat().st_mtime, "no study of this store needs it")
        for _, _, path in store.objects()
        if path.name not in needed
    ]
    return sorted(found, key=lambda one: one.touched)


def beyond(store: Store, found: list[Unneeded], quota: int) -> list[Unneeded]:
    """The oldest of them, as many as bring the store under the quota: all where that is not enough."""
    excess, chosen = size(store.root) - quota, list[Unneeded]()
    for one in found:
        if excess <= 0:
            break
        chosen.append(one)
        excess -= one.bytes
    return chosen


def remove(store: Store, found: Iterable[Unneeded]) -> tuple[int, list[Path]]:
    """Delete them; the bytes freed, and what was left because a run holds it."""
    freed, busy = 0, list[Path]()
    for one in found:
        kind, _, key = one.path.name.rpartition("-")
        # Out of the way in one rename: a killed prune leaves no object that is half there.
        doomed = one.path.with_name(f".pruned-{one.path.name}")
        try:
            with store.lock(kind, key):
                one.path.rename(doomed)
        except Locked:
            busy.append(one.path)
            continue
        shutil.rmtree(doomed)
        freed += one.bytes
    for left in (store.root / "objects").glob(".pruned-*"):
        shutil.rmtree(left)
    return freed, busy


def studies(store: Store) -> list[Plan]:
    """The bound plans of a store, as each study was run last."""
    return [load_plan(path) for path in sorted(store.root.glob("studies/*/plan.json"))]


def size(path: Path) -> int:
    """Bytes in a folder; links are not followed."""
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())


def quota_bytes(text: str) -> int:
    """The number of bytes that a text means.

    >>> quota_bytes("1.5GB")
    1500000000
    """
    if (found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)) is None:
        raise UsageError(f"{text!r} is no size", help="use a number and a unit, as in 5GB or 500MB")
    return int(float(found[1]) * _SIZES[found[2].upper()])


def _names(plan: Plan) -> set[str]:
    return {
        f"{operation.kind}-{plan.key(operation.id)}"
        for operation in plan.operations
        if not isinstance(operation, GenerateOperation | MeasureOperation)
    }
