"""How fast a phase's model trains here, measured in seconds on random ids: for estimates of time alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import torch

from procdsl.plan import Plan, TrainOperation
from runner import optimiser
from runner.batches import Batch, Part
from runner.devices import World, rows_at_once
from runner.execution import Execution
from runner.initial import initial
from runner.learning import learner
from runner.record import Counters
from runner.replicas import together
from runner.replicas.stack import Stack
from runner.train import TrainState, Turn

SECONDS = 3.0


def tokens_per_second(plan: Plan, operation: TrainOperation, vocabulary: int, execution: Execution) -> float:
    """Positions fed a second, data and measurements left out; the first update is not counted.

    They are those of one model. Where several are trained side by side it is one of so many.
    """
    torch.set_num_threads(execution.threads)
    where, count = torch.device(execution.device), together(plan, operation.id, execution)
    execution = replace(execution, replicas=count)
    rows = min(operation.batch_rows, rows_at_once(plan, operation, execution, World(0, 1)))
    cells = operation.vocabulary.cells
    frames = (rows, operation.context, *((cells,) if cells else ()))
    ids_BT = torch.randint(2 if cells else vocabulary, frames, dtype=torch.int32)
    targets_N = ids_BT.flatten(0, 1).long()
    part = Part(ids_BT, None, None, targets_N, torch.zeros(len(targets_N), dtype=torch.uint8))
    if count > 1:
        update = _side_by_side(operation, vocabulary, part, where, count)
    else:
        update = _alone(plan, operation, vocabulary, part.to(where), execution)

    def finished() -> None:
        update()
        if where.type == "cuda":
            torch.cuda.synchronize()

    finished()
    began, updates = time.perf_counter(), 0
    while updates < 2 or time.perf_counter() - began < SECONDS:
        finished()
        updates += 1
    return updates * len(targets_N) / (time.perf_counter() - began)


def _alone(
    plan: Plan, operation: TrainOperation, vocabulary: int, part: Part, execution: Execution
) -> Callable[[], object]:
    """The update of one model."""
    model = initial(operation.model, vocabulary, 0).to(part.ids_BT.device)
    adamw = torch.optim.AdamW(model.parameters(), lr=1e-4)
    learn = learner(plan, operation, model, execution, World(0, 1))

    def update() -> None:
        learn(part, 1 / len(part.targets_N))
        adamw.step()
        adamw.zero_grad()

    return update


def _side_by_side(
    operation: TrainOperation, vocabulary: int, part: Part, where: torch.device, count: int
) -> Callable[[], object]:
    """The update of so many models at once."""
    models = [initial(operation.model, vocabulary, seed).to(where) for seed in range(count)]
    states = [TrainState(model, optimiser.build(operation.optimiser, model), Counters()) for model in models]
    batch = Batch(0, (len(part.ids_BT),), (len(part.targets_N),), (part,))
    stack, turns = Stack(), [Turn(operation, state, batch, 1e-4) for state in states]
    return lambda: stack.step(turns)
