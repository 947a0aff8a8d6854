"""What most commands begin with: the plan of a study, and the store with its results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from procdsl.errors import UsageError

if TYPE_CHECKING:
    from procdsl.plan import Plan
    from runner.store import Store


def opened(spec: Path, profile: str, sets: list[str] | None, store: Path | None) -> tuple[Plan, Store]:
    """The plan of a study, not bound, and its store."""
    from procdsl.compiler import compile
    from runner.execution import store_root
    from runner.store import Store

    return compile(spec, profile=profile, sets=sets or ()).plan, Store(store_root(spec, store))


def begun(spec: Path, profile: str, sets: list[str] | None, store: Path | None) -> tuple[Plan, Store]:
    """The same of a study that has been run. UsageError where it has not."""
    plan, results = opened(spec, profile, sets, store)
    if not (results.root / "studies" / plan.study / "plan.json").exists():
        raise UsageError(f"{spec} has not been run yet", help=f"procdsl run {spec}")
    return plan, results
