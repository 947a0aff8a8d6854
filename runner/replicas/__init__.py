"""Replicas: train operations of one shape, carried out side by side as one batched model.

A model of width 16 leaves an accelerator idle: its step is some hundred launches of kernels with little to
do. Side by side, R such models take about as many launches as one. They may differ in seed, start, data,
learning rate, schedule and length, and in the rules that end or steer them; `likeness` says what is equal.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from procdsl.plan import Plan, TrainOperation
from runner.execution import Execution

# What fills an accelerator: of so many numbers a kernel takes longer than its launch. An estimate from some
# TB/s and some µs, not a measurement. And each replica takes time of the one process that launches.
_FULL = 1 << 26
_MOST = 32


def groups(
    plan: Plan, ready: Sequence[str], waiting: Sequence[str], execution: Execution
) -> list[tuple[str, ...]]:
    """What is ready, as it is carried out together, in plan order; last what others like it will still join.

    `waiting` are all operations that nobody began, ready or not.
    """
    likes = {id: likeness(plan, id, execution) for id in waiting}
    coming = Counter(like for id, like in likes.items() if id not in ready)
    alike: dict[object, dict[str, str]] = {}
    for id in ready:
        # Equal keys are done once: the second of them waits, and then finds it done.
        alike.setdefault(likes[id] or id, {}).setdefault(plan.key(id), id)
    found = sorted(alike.items(), key=lambda item: coming[item[0]])
    return [group for _, ids in found for group in _split(plan, [*ids.values()], execution)]


def together(plan: Plan, id: str, execution: Execution) -> int:
    """How many operations of the plan are carried out with this one, where all that are like it are ready."""
    trained = [operation.id for operation in plan.of_kind(TrainOperation)]
    return next(len(group) for group in groups(plan, trained, trained, execution) if id in group)


def likeness(plan: Plan, id: str, execution: Execution) -> object | None:
    """What operations that may be trained side by side have in common; None for what is carried out alone.

    Alone are dropout, whose draws are the device's, the entropy of attention, components that thaw, and
    frames of cells.
    """
    operation = plan.by_id[id]
    if not isinstance(operation, TrainOperation) or most(operation, execution) == 1:
        return None
    if operation.model.dropout or operation.attention_entropy or operation.thaws:
        return None
    if operation.vocabulary.cells:
        return None
    shape = operation.model, operation.vocabulary.size, operation.context, operation.batch_rows
    return *shape, operation.precision, operation.trainable


def most(operation: TrainOperation, execution: Execution) -> int:
    """How many models like this one are trained side by side here, at most."""
    if execution.compile or int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return 1
    if execution.replicas is not None:
        return execution.replicas
    if not execution.device.startswith("cuda"):
        return 1
    model, fed = operation.model, operation.batch_rows * operation.context
    # Logits are kept about once where states of a layer are kept often.
    numbers = max(model.layers * model.width * fed, operation.vocabulary.size * fed // 8)
    return max(1, min(_MOST, _FULL // max(numbers, model.parameters(operation.vocabulary.size))))


def _split(plan: Plan, ids: list[str], execution: Execution) -> list[tuple[str, ...]]:
    """Operations that are alike, in as few groups as may be, of about equal sizes."""
    operation = plan.by_id[ids[0]]
    size = most(operation, execution) if isinstance(operation, TrainOperation) else 1
    count = -(-len(ids) // size)
    bounds = [len(ids) * i // count for i in range(count + 1)]
    return [tuple(ids[first:last]) for first, last in pairwise(bounds)]
