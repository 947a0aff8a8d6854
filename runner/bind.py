"""Binding: what the world decides about a plan. Which text each corpus really is, with which tokenizer.

A study remembers its bindings (studies/<study>/bindings.json) and keeps to them until `rebind`: results
made on one text never pass for another's, and a second run asks nobody.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Any, cast

from procdsl.errors import RunError
from procdsl.plan import (
    AnyOperation,
    AnySource,
    AnyTokenizer,
    Binding,
    BpeTokenizer,
    HubTokenizer,
    MeasureOperation,
    Plan,
    PrepareOperation,
    TrainOperation,
    TransferOperation,
    digest,
)
from procdsl.programs.measurements.minimal_pairs import MinimalPairsMeasurement
from runner import pairs
from runner.corpora import shards, sources, tokenizers
from runner.corpora.order import BLOCK
from runner.corpora.sources import Unreachable, files
from runner.events import Event, Observer
from runner.execution import Execution
from runner.store import Store, read_json, read_table, write_json

# The tokenizer of a fallback, where the corpus' own cannot be had: 8 MB of prose teach it well.
FALLBACK_TOKENIZER = BpeTokenizer(size=8192)


def bind(plan: Plan, store: Store, execution: Execution, observe: Observer) -> Plan:
    """The plan with every corpus bound and every text vocabulary settled. Raises what stands in the way.

    Where only some curricula are wanted, what the others read stays as it was bound, or unbound.
    """
    known = _remembered(plan, store)
    entries, needed = dict(known), _needed(plan, execution)
    for operation in _texts(plan):
        entry = known.get(operation.name)
        if operation.id not in needed:
            if entry and not _holds(entry, operation, strict=False):
                del entries[operation.name]
            continue
        if execution.rebind or not entry or not _holds(entry, operation, strict=execution.strict_data):
            entry = _settle(operation, store, execution)
        entries[operation.name] = entry
        _tell(operation, entry, observe)
    for measure in _pairs(plan):
        name, wanted = _of_pairs(measure), measure.measurement
        assert isinstance(wanted, MinimalPairsMeasurement)
        entry = known.get(name)
        if entry and entry["declared"] != list(wanted.files):
            del entries[name]
        if measure.id in needed and (execution.rebind or name not in entries):
            entries[name] = pairs.settle(wanted, execution.folder)
    bound = _applied(plan, entries, execution.folder)
    if entries != known or execution.rebind:
        write_json(store.study(plan.study) / "bindings.json", entries)
    return bound


def _needed(plan: Plan, execution: Execution) -> Container[str]:
    """The operations of the curricula that are wanted; all there are where none is named."""
    if not execution.only:
        return plan.by_id
    trials = (trial for trial in plan.trials if execution.wants(trial))
    ids = (id for trial in trials for id in (*trial.measures, *(phase.train for phase in trial.phases)))
    return plan.needed(tuple(ids))


def recall(plan: Plan, store: Store) -> Plan:
    """The plan bound as its study was, asking nobody and writing nothing; what is new in it stays unbound."""
    known = _remembered(plan, store)
    entries = {
        operation.name: known[operation.name]
        for operation in _texts(plan)
        if operation.name in known and _holds(known[operation.name], operation, strict=False)
    }
    for measure in _pairs(plan):
        entry = known.get(_of_pairs(measure), {})
        if entry.get("declared") == list(_files(measure)):
            entries[_of_pairs(measure)] = entry
    return _applied(plan, entries, Path())


def _texts(plan: Plan) -> list[PrepareOperation]:
    """The corpora that the world decides about. What is made of their tokens is bound with them."""
    return [operation for operation in plan.of_kind(PrepareOperation) if operation.likeness is None]


def _pairs(plan: Plan) -> list[MeasureOperation]:
    """The measurements of pairs that stand in files."""
    return [measure for measure in plan.of_kind(MeasureOperation) if _files(measure)]


def _files(measure: MeasureOperation) -> tuple[str, ...]:
    wanted = measure.measurement
    return wanted.files if isinstance(wanted, MinimalPairsMeasurement) else ()


def _of_pairs(measure: MeasureOperation) -> str:
    """The name of an entry of pairs: no corpus' name has a blank."""
    return f"pairs of {measure.name}"


def _remembered(plan: Plan, store: Store) -> dict[str, Any]:
    return read_table(store.study(plan.study) / "bindings.json")


def _holds(entry: dict[str, Any], operation: PrepareOperation, *, strict: bool) -> bool:
    """Whether a binding of before is one of what the spec says now."""
    refused = strict and entry["binding"]["fallback"]
    return bool(entry["declared"] == _declared(operation) and not refused)


def _applied(plan: Plan, entries: dict[str, Any], folder: Path) -> Plan:
    """The plan with these bindings in its corpora, and their sizes in its vocabularies."""
    made: dict[str, AnyOperation] = {
        operation.id: _bound(operation, entries[operation.name], plan, folder)
        for operation in _texts(plan)
        if operation.name in entries
    }
    for alike in plan.of_kind(PrepareOperation):
        if isinstance(text := made.get(alike.likeness or ""), PrepareOperation):
            made[alike.id] = _bound_with(text, alike, plan)
    sizes = {
        id: operation.binding.tokenizer.size
        for id, operation in made.items()
        if isinstance(operation, PrepareOperation) and operation.binding
    }
    for measure in _pairs(plan):
        if entry := entries.get(_of_pairs(measure)):
            made[measure.id] = pairs.bound(measure, entry, folder)
    bound = plan.with_operations(_sized(made.get(op.id, op), sizes) for op in plan.operations)
    for operation in bound.of_kind(TrainOperation):
        _check_one_tokenizer(operation, bound)
    return bound


def _settle(operation: PrepareOperation, store: Store, execution: Execution) -> dict[str, Any]:
    """Choose the declared source or its fallback, and write down which text that is."""
    reason = ""
    paths: tuple[str, ...] = ()
    try:
        paths = files.expanded(operation.source.files(), execution.folder)
        pinned = sources.pin(_located(operation.source, paths, execution.folder), offline=execution.offline)
        tokenizer = _pinned_tokenizer(operation.tokenizer, offline=execution.offline)
    except Unreachable as error:
        if (held := _held(operation, store)) is not None:
            return held
        if operation.fallback is None or execution.strict_data:
            refused = " (fallbacks are off: --strict-data)" if operation.fallback else ""
            raise Unreachable(f"corpus {operation.name}: {error}{refused}", help=error.help) from error
        reason = str(error)
        pinned = sources.pin(operation.fallback, offline=execution.offline)
        published = isinstance(operation.tokenizer, HubTokenizer)
        tokenizer = FALLBACK_TOKENIZER if published else operation.tokenizer
    except RunError as error:
        raise RunError(f"corpus {operation.name}: {error}", reason=error.reason, help=error.help) from error
    binding = Binding(
        source=pinned.source.identity(repeats=operation.max_epochs > 1 and not reason),
        tokenizer=tokenizer,
        revision=pinned.revision,
        digest=pinned.digest,
        fallback=bool(reason),
    )
    return {
        "declared": _declared(operation),
        "binding": binding.model_dump(mode="json"),
        "reason": reason,
        "paths": paths,
    }


def _held(operation: PrepareOperation, store: Store) -> dict[str, Any] | None:
    """The binding that another study of this store has for the same text, whose shards lie here already."""
    for path in sorted(store.root.glob("studies/*/bindings.json")):
        entry = read_json(path).get(operation.name)
        if entry is None or not _holds(entry, operation, strict=True):
            continue
        alone = Plan(study="alone", operations=(operation,), trials=())
        key = _applied(alone, {operation.name: entry}, Path()).key(operation.id)
        manifest = shards.read_manifest(store.path("prepare", key))
        if manifest is not None and shards.enough(operation, manifest):
            return cast(dict[str, Any], entry)
    return None


def _declared(operation: PrepareOperation) -> dict[str, Any]:
    """What the spec says of a corpus: where it changes, so does the binding."""
    declared = operation.model_dump(mode="json", include={"source", "tokenizer", "fallback"})
    return declared | {"repeats": operation.max_epochs > 1}


def _pinned_tokenizer(tokenizer: AnyTokenizer, *, offline: bool) -> AnyTokenizer:
    if not isinstance(tokenizer, HubTokenizer):
        return tokenizer
    from runner.corpora.sources import hub

    pinned = hub.pin_tokenizer(tokenizer, offline=offline)
    tokenizers.fetched(pinned)
    return pinned


def _bound(operation: PrepareOperation, entry: dict[str, Any], plan: Plan, folder: Path) -> PrepareOperation:
    return operation.model_copy(
        update={
            "source": _located(operation.source, tuple(entry["paths"]), folder),
            "binding": Binding.model_validate(entry["binding"]),
            "spare_tokens": _spare(operation, plan),
        }
    )


def _bound_with(text: PrepareOperation, operation: PrepareOperation, plan: Plan) -> PrepareOperation:
    """What is made of a text's tokens, once that is bound: its digest says of what, and how."""
    assert text.binding is not None, f"{text.id} is not bound"
    how = operation.source.model_dump(exclude={"text"})
    made = {"source": operation.source, "digest": digest([text.binding.digest, how])}
    binding = text.binding.model_copy(update=made)
    return operation.model_copy(update={"binding": binding, "spare_tokens": _spare(operation, plan)})


def _spare(operation: PrepareOperation, plan: Plan) -> int:
    """The tokens of the last block of rows that is read, of it or of what is made of its tokens."""
    made = {other.id for other in plan.of_kind(PrepareOperation) if other.likeness == operation.id}
    readers = [
        train.context
        for train in plan.of_kind(TrainOperation)
        if not (made | {operation.id}).isdisjoint(feed.source for feed in train.feeds)
    ]
    return BLOCK * max(readers, default=0)


def _located(source: AnySource, paths: tuple[str, ...], folder: Path) -> AnySource:
    """A source with the places of its local files spelt out from the root."""
    named = source.folder()
    places = paths or ((named,) if named and (folder / named).is_dir() else ())
    return source.moved(*(str((folder / place).absolute()) for place in places)) if places else source


def _sized(operation: AnyOperation, sizes: dict[str, int]) -> AnyOperation:
    """A train or transfer operation with the size of its text vocabulary filled in."""
    if (
        not isinstance(operation, TrainOperation | TransferOperation)
        or operation.vocabulary.text not in sizes
    ):
        return operation
    vocabulary = operation.vocabulary.model_copy(update={"text_size": sizes[operation.vocabulary.text]})
    return operation.model_copy(update={"vocabulary": vocabulary})


def _check_one_tokenizer(operation: TrainOperation, plan: Plan) -> None:
    """Raise if a phase mixes texts whose ids differ: a fallback may have brought a tokenizer of its own."""
    read = [plan.by_id[id] for id in operation.inputs()]
    corpora = [source for source in read if isinstance(source, PrepareOperation) and source.binding]
    if len({_ids_of(corpus, plan) for corpus in corpora}) > 1:
        raise RunError(
            f"{operation.id} reads {' and '.join(corpus.name for corpus in corpora)}, "
            "which were bound to different tokenizers",
            reason="data",
            help="let all of them fall back or none, or give them one tokenizer that is at hand",
        )


def _ids_of(corpus: PrepareOperation, plan: Plan) -> str:
    """What settles the meaning of a corpus' ids; for a trained tokenizer, its text too."""
    corpus = plan.operation(corpus.likeness or corpus.id, PrepareOperation)
    binding = corpus.binding
    assert binding is not None, f"{corpus.id} is not bound"
    trained = (binding.digest, corpus.validation_share) if isinstance(binding.tokenizer, BpeTokenizer) else ()
    return repr((binding.tokenizer, trained))


def _tell(operation: PrepareOperation, entry: dict[str, Any], observe: Observer) -> None:
    binding = Binding.model_validate(entry["binding"])
    spelt = binding.source.spelt()
    if binding.fallback:
        declared = operation.source.spelt()
        text = f"corpus {operation.name}: {entry['reason']}; using {spelt} instead of {declared}"
        observe(Event("note", operation.id, {"text": text}))
    facts = {"source": spelt, "fallback": binding.fallback, "digest": binding.digest}
    observe(Event("bound", operation.id, facts))
