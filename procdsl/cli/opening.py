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
    if rows.program.awaited is None:
        return rows
    from runner.bind import recall
    from runner.execution import store_root
    from runner.store import Store

    store = Store(store_root(spec))
    return _counted(rows, recall(plan, store), store)


def floored(plan: Plan, store: Store) -> Plan:
    """A bound plan with the floors of the rows whose law waits for a corpus. Keys do not hang on floors."""
    from procdsl.plan import GenerateOperation

    waiting = [rows for rows in plan.of_kind(GenerateOperation) if rows.program.awaited]
    known = {rows.id: _counted(rows, plan, store) for rows in waiting}
    told = {
        rows.id: rows.model_copy(update={"floor": known[rows.id].floor, "chance": known[rows.id].chance})
        for rows in waiting
    }
    return plan.with_operations(told.get(one.id, one) for one in plan.operations) if told else plan


def _counted(rows: GenerateOperation, plan: Plan, store: Store) -> GenerateOperation:
    from procdsl.compiler.generators import analysed
    from runner.sources import held, weighed

    law = rows.program.awaited
    corpus = held(plan, law, store) if law else None
    return analysed(weighed(rows, corpus)) if corpus else rows
