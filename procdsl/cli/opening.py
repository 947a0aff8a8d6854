"""What most commands begin with: the plan of a study, and the store with its results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from procdsl.errors import UsageError

if TYPE_CHECKING:
    from procdsl.plan import GenerateOperation, Plan
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
    if not (results.study(plan.study) / "plan.json").exists():
        raise UsageError(f"{spec} has not been run yet", help=f"procdsl run {spec}")
    return plan, results


def counted(rows: GenerateOperation, plan: Plan, spec: Path) -> GenerateOperation:
    """Rows with the law that they wait for, and what follows from it, where its corpus lies in the store."""
    law = rows.program.awaited
    if law is None:
        return rows
    from procdsl.compiler.generators import analysed
    from runner.bind import recall
    from runner.execution import store_root
    from runner.sources import held, weighed
    from runner.store import Store

    store = Store(store_root(spec))
    corpus = held(recall(plan, store), law, store)
    return analysed(weighed(rows, corpus)) if corpus else rows
