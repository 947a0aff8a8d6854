"""What a study holds of its corpora: made ahead on a connected machine, counted, verified."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from procdsl.plan import Plan, PrepareOperation
from runner.corpora import facts, shards
from runner.corpora.documents import SPLITS
from runner.events import Observer
from runner.execution import Execution
from runner.store import Store


def fetch(plan: Plan, execution: Execution, observe: Observer) -> list[Path]:
    """Prepare every corpus of a bound plan; what to copy, relative to the store, to run it elsewhere."""
    from runner.operations import perform

    for operation in plan.of_kind(PrepareOperation):
        perform(plan, operation.id, execution, observe, lambda: False)
    store = Store(execution.store)
    folders = [store.path("prepare", plan.key(operation.id)) for operation in plan.of_kind(PrepareOperation)]
    return [path.relative_to(store.root) for path in (*folders, store.study(plan.study) / "bindings.json")]


def holdings(plan: Plan, store: Store, *, verify: bool = False) -> list[dict[str, Any]]:
    """Facts of each corpus of a bound plan; `tokens` is absent where it is not prepared.

    With `verify` every shard is read and its hash compared: a RunError names the first that is not right.
    """
    return [
        _holding(operation, store.path("prepare", plan.key(operation.id)), verify)
        for operation in plan.of_kind(PrepareOperation)
    ]


def _holding(operation: PrepareOperation, place: Path, verify: bool) -> dict[str, Any]:
    manifest = shards.read_manifest(place)
    asked = {"needed": operation.train_tokens, "needed_validation": operation.validation_tokens}
    if manifest is None:
        return {"name": operation.name, "path": str(place), "prepared": False} | asked
    for split in SPLITS:
        shard = manifest.shard(split)
        shards.verify(place / shard.file, shard, whole=verify)
    return facts(manifest) | {"path": str(place), "prepared": True, "empty": manifest.empty} | asked
