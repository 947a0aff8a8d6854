"""What rows come from, ready to give them: laws that programs waited for, counted on prepared corpora."""

from __future__ import annotations

from procdsl.errors import RunError
from procdsl.plan import GenerateOperation, Plan, PrepareOperation
from runner.corpora import open_corpus
from runner.store import Store


def source(plan: Plan, id: str, store: Store) -> PrepareOperation | GenerateOperation:
    """An operation that gives rows, its program without anything to wait for. Its key is the plan's."""
    found = plan.by_id[id]
    assert isinstance(found, PrepareOperation | GenerateOperation), f"{id} gives no rows"
    law = found.program.awaited if isinstance(found, GenerateOperation) else None
    if isinstance(found, PrepareOperation) or law is None:
        return found
    assert found.text, f"{id} waits for a corpus and names none"
    counts = open_corpus(store.path("prepare", plan.key(found.text))).counts(law.tokens)
    if not counts.any():
        raise RunError(f"corpus {law.corpus} has no tokens to count", reason="data", help="give it more text")
    return found.model_copy(update={"program": found.program.weighed(counts.tolist())})
