"""Failed attempts, written beside their operation: one that keeps failing is not tried for ever."""

from __future__ import annotations

from typing import Any, cast

from procdsl.plan import Plan
from runner.attempts import Result
from runner.provenance import now
from runner.store import Store, read_json, write_json

_TRIES = 3
# What says nothing about the operation itself.
_CIRCUMSTANCES = frozenset(
    {"no-space", "unwritable", "locked", "disk", "unreachable", "system", "data", "data-changed", "damaged"}
)


def failures(store: Store, plan: Plan, id: str) -> list[dict[str, Any]]:
    """The attempts at an operation that failed since it was last finished, oldest first."""
    path = store.path(plan.by_id[id].kind, plan.key(id)) / "failures.json"
    return cast(list[dict[str, Any]], read_json(path)) if path.exists() else []


def forgive(plan: Plan, store: Store) -> None:
    """Forget failures, so that what was given up is tried again."""
    for operation in plan.operations:
        (store.path(operation.kind, plan.key(operation.id)) / "failures.json").unlink(missing_ok=True)


def record(store: Store, plan: Plan, result: Result, step: int) -> None:
    before = failures(store, plan, result.id)
    entry = {"at": now(), "step": step, "reason": result.reason, "message": result.message}
    place = store.place(plan.by_id[result.id].kind, plan.key(result.id))
    write_json(place / "failures.json", [*before, entry | {"help": result.help, "details": result.details}])


def exhausted(store: Store, plan: Plan, id: str) -> Result | None:
    """The verdict on an operation that keeps failing where it failed before; None while it is worth a try."""
    counted = [entry for entry in failures(store, plan, id) if entry["reason"] not in _CIRCUMSTANCES]
    last = counted[-_TRIES:]
    if len(last) < _TRIES or len({entry["step"] for entry in last}) > 1:
        return None
    step, messages = last[0]["step"], dict.fromkeys(entry["message"] for entry in last)
    return Result(
        id,
        "failed",
        "repeated",
        f"{id} failed {_TRIES} times at step {step:,} and is not tried again: {'; '.join(messages)}",
        "the same data and seed lead to the same step: change the spec, or use --yes to try it once more",
    )


def told(message: str, reason: str, help: str) -> str:
    """A failure in one line: what happened, its short name, and the way out."""
    return f"{message} [{reason}]; {help}" if help else f"{message} [{reason}]"
