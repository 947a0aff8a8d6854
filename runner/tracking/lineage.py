"""Lineage: which data a trial read, and which parameters it started from and made, as MLflow shows it.

Datasets carry the key of the operation that gives them as digest, so that a search for a digest finds
every run that saw the same data. Checkpoints are logged models that stay where they are: a phase that
several trials share is one model, made by one run and read by the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mlflow import MlflowClient, create_external_model
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput

from procdsl.plan import GenerateOperation, MeasureOperation, Plan, PrepareOperation
from runner.store import Store
from runner.tracking.receipts import Course
from runner.tracking.trajectory import Leg

# MLflow refuses longer digests.
_DIGEST = 36


def datasets(course: Course) -> list[DatasetInput]:
    """Every source the trial trains on or is measured on, each once, with all it is used for."""
    contexts: dict[str, list[str]] = {}
    for leg in course.legs:
        for feed in leg.operation.feeds:
            contexts.setdefault(feed.source, []).append(f"train:{leg.phase}")
    for id in course.trial.measures:
        measure = course.plan.operation(id, MeasureOperation)
        contexts.setdefault(measure.measurement.source, []).append(f"eval:{measure.name}")
    return [_dataset(course, id, list(dict.fromkeys(uses))) for id, uses in contexts.items()]


def link(client: MlflowClient, course: Course, leg: Leg, experiment_id: str) -> None:
    """Log what a finished leg made: as this run's output, or its input where another run made it first."""
    run_id = course.receipt.run_id
    name = f"{leg.phase}-s{course.trial.seed}-{leg.key[:8]}"
    found = client.search_logged_models([experiment_id], filter_string=f"name = '{name}'", max_results=1)
    model = found[0] if found else _model(course, leg, name, experiment_id)
    run = client.get_run(run_id)
    made = [output.model_id for output in run.outputs.model_outputs] if run.outputs else []
    read = [input.model_id for input in run.inputs.model_inputs] if run.inputs else []
    ours = model.source_run_id == run_id
    if ours and model.model_id not in made:
        reached = leg.tokens_before + leg.operation.tokens
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=reached)])
    if (not ours or leg is not course.legs[-1]) and model.model_id not in read:
        client.log_inputs(run_id, models=[LoggedModelInput(model.model_id)])


def _model(course: Course, leg: Leg, name: str, experiment_id: str) -> Any:
    facts = course.store.done("train", leg.key) or {}
    tags = {"procdsl.key": leg.key, "procdsl.path": str(leg.place), "procdsl.phase": leg.phase}
    if "digest" in facts:
        tags["procdsl.digest"] = str(facts["digest"])
    return create_external_model(
        name=name,
        source_run_id=course.receipt.run_id,
        params={"tokens": str(leg.operation.tokens), "steps": str(leg.operation.steps)},
        tags=tags,
        model_type="checkpoint",
        experiment_id=experiment_id,
    )


def _dataset(course: Course, id: str, uses: list[str]) -> DatasetInput:
    plan = course.plan
    operation = plan.by_id[id]
    assert isinstance(operation, PrepareOperation | GenerateOperation)
    kind, source = _source(operation)
    dataset = Dataset(
        name=operation.name,
        digest=plan.key(id)[:_DIGEST],
        source_type=kind,
        source=json.dumps(source),
        profile=json.dumps(dict(_profile(plan, course.store, operation))),
    )
    tags = [InputTag("mlflow.data.context", " ".join(uses)), InputTag("procdsl.key", plan.key(id))]
    if isinstance(operation, PrepareOperation) and operation.binding:
        tags.append(InputTag("procdsl.digest", operation.binding.digest))
        tags.append(InputTag("procdsl.fallback", str(operation.binding.fallback).lower()))
    return DatasetInput(dataset, tags)


def _source(operation: PrepareOperation | GenerateOperation) -> tuple[str, dict[str, Any]]:
    """MLflow's name for a kind of source, and what it shows of it: what was really read."""
    if isinstance(operation, GenerateOperation):
        program = operation.program.model_dump_json()
        return "code", {"procdsl.kind": operation.program.kind, "procdsl.program": program[:4000]}
    bound = operation.binding
    return (bound.source if bound else operation.source).dataset(bound.revision if bound else None)


def _profile(
    plan: Plan, store: Store, operation: PrepareOperation | GenerateOperation
) -> Iterator[tuple[str, Any]]:
    if isinstance(operation, GenerateOperation):
        yield "context", operation.context
        yield "tokens", len(operation.tokens)
        return
    facts = store.done("prepare", plan.key(operation.id)) or {}
    for name in ("train_tokens", "train_documents", "train_bytes", "validation_tokens"):
        if name in facts:
            yield name, facts[name]
