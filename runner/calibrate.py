"""How fast a phase's model trains here, measured in seconds on random ids: for estimates of time alone."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from procdsl.plan import TrainOperation
from runner.devices import autocast, part_rows
from runner.initial import initial
from runner.loss import cross_entropy
from runner.model import Transformer

SECONDS = 3.0


def tokens_per_second(operation: TrainOperation, vocabulary: int, *, device: str, threads: int) -> float:
    """Positions fed a second, data and measurements left out; the first update is not counted."""
    torch.set_num_threads(threads)
    where = torch.device(device)
    model = initial(operation.model, vocabulary, 0).to(where)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    rows = min(operation.batch_rows, part_rows(where, operation.model.width, operation.context))
    ids_BT = torch.randint(vocabulary, (rows, operation.context), device=where)
    _update(model, optimiser, ids_BT, operation)
    began, updates = time.perf_counter(), 0
    while updates < 2 or time.perf_counter() - began < SECONDS:
        _update(model, optimiser, ids_BT, operation)
        updates += 1
    return updates * ids_BT.numel() / (time.perf_counter() - began)


def _update(
    model: Transformer, optimiser: torch.optim.Optimizer, ids_BT: Tensor, operation: TrainOperation
) -> None:
    with autocast(ids_BT.device, operation.precision):
        hidden_BTC = model(ids_BT)
        hidden_NC, head_VC = hidden_BTC.flatten(0, 1), model.unembedding
        loss, _ = cross_entropy(hidden_NC, head_VC, ids_BT.flatten(), 1 / ids_BT.numel())
    torch.autograd.backward(loss)
    optimiser.step()
    optimiser.zero_grad()
    if ids_BT.device.type == "cuda":
        torch.cuda.synchronize()
