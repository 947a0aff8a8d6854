"""How fast a phase's model trains here, measured in seconds on random ids: for estimates of time alone."""

from __future__ import annotations

import time

import torch

from procdsl.plan import Plan, TrainOperation
from runner.batches import Part
from runner.devices import World, rows_at_once
from runner.execution import Execution
from runner.initial import initial
from runner.learning import learner

SECONDS = 3.0


def tokens_per_second(plan: Plan, operation: TrainOperation, vocabulary: int, execution: Execution) -> float:
    """Positions fed a second, data and measurements left out; the first update is not counted."""
    torch.set_num_threads(execution.threads)
    where, alone = torch.device(execution.device), World(0, 1)
    model = initial(operation.model, vocabulary, 0).to(where)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    learn = learner(plan, operation, model, execution, alone)
    rows = min(operation.batch_rows, rows_at_once(plan, operation, execution, alone))
    cells = operation.vocabulary.cells
    frames = (rows, operation.context, *((cells,) if cells else ()))
    ids_BT = torch.randint(2 if cells else vocabulary, frames, dtype=torch.int32)
    targets_N = ids_BT.flatten(0, 1).long()
    part = Part(ids_BT, None, None, targets_N, torch.zeros(len(targets_N), dtype=torch.uint8)).to(where)

    def update() -> None:
        learn(part, 1 / len(targets_N))
        optimiser.step()
        optimiser.zero_grad()
        if where.type == "cuda":
            torch.cuda.synchronize()

    update()
    began, updates = time.perf_counter(), 0
    while updates < 2 or time.perf_counter() - began < SECONDS:
        update()
        updates += 1
    return updates * len(targets_N) / (time.perf_counter() - began)
