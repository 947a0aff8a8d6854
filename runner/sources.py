"""What rows come from, ready to give them: laws that programs waited for, counted on prepared corpora."""

from __future__ import annotations

from pathlib import Path

from procdsl.errors import RunError
from procdsl.plan import GenerateOperation, Plan, PrepareOperation
from procdsl.programs.base import Unigrams
from runner.corpora import open_corpus, shards
from runner.store import Store


def source(plan: Plan, id: str, store: Store) -> PrepareOperation | GenerateOperation:
    """An operation that gives rows, its program without anything to wait for. Its key is the plan's."""
    found = plan.by_id[id]
    assert isinstance(found, PrepareOperation | GenerateOperation), f"{id} gives no rows"
    if isinstance(found, PrepareOperation) or found.program.awaited is None:
        return found
    assert found.text, f"{id} waits for a corpus and names none"
    return weighed(found, store.path("prepare", plan.key(found.text)))


def held(plan: Plan, law: Unigrams, store: Store) -> Path | None:
    """Where the corpus lies that a bound plan counts for a law; None where it is not prepared."""
    found = (one.text for one in plan.of_kind(GenerateOperation) if one.program.awaited == law and one.text)
    places = (store.path("prepare", plan.key(text)) for text in found)
    return next((place for place in places if shards.read_manifest(place)), None)


def weighed(found: GenerateOperation, corpus: Path) -> GenerateOperation:
    """Rows with the law that they wait for, by the tokens of the corpus that is prepared there."""
    law = found.program.awaited
    assert law, f"{found.id} waits for nothing"
    counts = open_corpus(corpus).counts(law.tokens)
    if not counts.any():
        raise RunError(f"corpus {law.corpus} has no tokens to count", reason="data", help="give it more text")
    return found.model_copy(update={"program": found.program.weighed(counts.tolist())})
