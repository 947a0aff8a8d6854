"""A part of each replica's batch, as one: filled up to equal sizes with what is not scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from runner.batches import Part

# What PyTorch's cross-entropy leaves out: such a position has no loss, and its gradient is zero.
UNSCORED = -100


class Fed(NamedTuple):
    """R replicas, B rows, T positions; S chosen positions of a row, N = B × S (all of them without)."""

    ids_RBT: Tensor
    queries_RBS: Tensor | None
    targets_RN: Tensor
    feeds_RN: Tensor


def fed(parts: Sequence[Part | None], device: torch.device) -> Fed:
    """A part of each replica, or of some of them, on the device."""
    some = [part for part in parts if part is not None]
    B, T = (max(part.ids_BT.shape[i] for part in some) for i in (0, 1))
    queries = [part.queries_BS for part in some if part.queries_BS is not None]
    chosen = len(queries) == len(some)
    S = max(one.shape[1] for one in queries) if chosen else T

    def filled(width: int, dtype: torch.dtype, fill: int = 0) -> Tensor:
        return torch.full((len(parts), B, width), fill, dtype=dtype, pin_memory=device.type == "cuda")

    ids_RBT = filled(T, torch.int32)
    queries_RBS = filled(S, torch.int64) if chosen else None
    targets_RBS, feeds_RBS = filled(S, torch.int64, UNSCORED), filled(S, torch.uint8)
    for r, part in enumerate(parts):
        if part is not None:
            _put(ids_RBT[r], part.ids_BT)
            _put(targets_RBS[r], _grid(part, part.targets_N, UNSCORED, chosen))
            _put(feeds_RBS[r], _grid(part, part.feed_N, 0, chosen))
            if queries_RBS is not None and part.queries_BS is not None:
                _put(queries_RBS[r], part.queries_BS)
    moved = (
        None if tensor is None else tensor.to(device, non_blocking=True)
        for tensor in (ids_RBT, queries_RBS, targets_RBS.flatten(1), feeds_RBS.flatten(1))
    )
    return Fed(*moved)  # type: ignore[arg-type]


def _put(into: Tensor, grid: Tensor) -> None:
    into[: grid.shape[0], : grid.shape[1]] = grid


def _grid(part: Part, values_N: Tensor, fill: int, chosen: bool) -> Tensor:
    """Numbers of the scored positions at their places: B × S among the chosen ones, else B × T."""
    form_BS = part.ids_BT if part.queries_BS is None else part.queries_BS
    grid = values_N.new_full(form_BS.shape, fill)
    grid.view(-1)[slice(None) if part.chosen_N is None else part.chosen_N] = values_N
    if chosen or part.queries_BS is None:
        return grid
    return values_N.new_full(part.ids_BT.shape, fill).scatter_(1, part.queries_BS, grid)
