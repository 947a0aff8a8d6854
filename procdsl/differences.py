"""What differs between two plans, field by field: `tokens: 10_000_000 → 20_000_000`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from procdsl.kinds import Node
from procdsl.plan import Plan


class Change(Node):
    """One difference. `path` is where; a value that only one plan has is None in the other."""

    path: str
    before: Any
    after: Any


class Differences(Node):
    """Of a plan: the operations only one has, the fields that differ, and what must be done again.

    `again` are operations whose key changed: nothing that was made for the one serves the other.
    """

    removed: tuple[str, ...]
    added: tuple[str, ...]
    changes: tuple[Change, ...]
    again: tuple[str, ...]


def differences(before: Plan, after: Plan) -> Differences:
    """What turns one plan into the other. Operations are matched by id.

    An operation that only one of them names, but the other has under another name, is the same one.
    """
    shared = [id for id in before.by_id if id in after.by_id]
    keys = set(before.keys.values()) & set(after.keys.values())
    top = _fields(before, after, exclude={"operations"})
    each = (
        change
        for id in shared
        for change in _compare(
            id, before.by_id[id].model_dump(mode="json"), after.by_id[id].model_dump(mode="json")
        )
    )
    return Differences(
        removed=tuple(id for id, key in before.keys.items() if id not in after.by_id and key not in keys),
        added=tuple(id for id, key in after.keys.items() if id not in before.by_id and key not in keys),
        changes=(*top, *each),
        again=tuple(id for id in shared if before.key(id) != after.key(id)),
    )


def _fields(before: Plan, after: Plan, *, exclude: set[str]) -> Iterator[Change]:
    old, new = (plan.model_dump(mode="json", exclude=exclude) for plan in (before, after))
    for content in (old, new):
        content["trials"] = {f"{t['curriculum']}/s{t['seed']}": _by_name(t) for t in content["trials"]}
    yield from _compare("", old, new)


def _by_name(trial: dict[str, Any]) -> dict[str, Any]:
    return {"phases": {phase["name"]: phase for phase in trial["phases"]}, "measures": trial["measures"]}


def _compare(path: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            yield from _compare(f"{path}.{name}".lstrip("."), before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _compare(f"{path}.{index}", old, new)
    else:
        yield Change(path=path, before=before, after=after)
