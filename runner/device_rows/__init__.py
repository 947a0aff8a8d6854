"""Rows made on the device, by the streams of `procdsl.streams`: bit for bit those of `runner.generators`.

A program of kind *x* has them if there is a file *x* here: ``attempts(program, context)``, how many are made
at each row at once (none: not so), and ``rows(program, streams, context)``, what they give. A row that none
of them settles, and any of another program, is made by the kernels.
"""

from __future__ import annotations

import importlib
import importlib.util
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache, partial
from types import ModuleType
from typing import Any

import numpy as np
import torch

from procdsl.plan import GenerateOperation
from procdsl.programs.base import Split, SplitName
from runner import generators
from runner.device_rows.philox import Streams
from runner.device_rows.rows import Rows
from runner.generators.address import Address
from runner.generators.splits import content

# Tokens of the rows that are made at once, at least one: what stands between takes up to some kB for each.
AT_ONCE = 2**18


def fill(
    operation: GenerateOperation,
    *,
    seed: int,
    split: SplitName,
    start: int,
    ids: Any,
    scored: Any,
    device: torch.device | None,
) -> None:
    """As `runner.generators.fill`: on a device, where one is given and the program has rows there."""
    operation.settled()
    by_kernels = partial(generators.fill, operation, seed=seed, split=split)
    module = _module(operation) if device else None
    if module is None or device is None:
        by_kernels(start=start, ids=ids, scored=scored)
        return
    rows = max(1, AT_ONCE // operation.row)
    for first in range(0, len(ids), rows):
        some = slice(first, first + rows)
        address = Address(seed, operation.name, split, start + first, operation.tokens)
        with _beside(device):
            settled = _make(module, operation, address, device, ids[some], scored[some])
        for b in (first + np.flatnonzero(~settled)).tolist():
            by_kernels(start=start + b, ids=ids[b : b + 1], scored=scored[b : b + 1])


def _module(operation: GenerateOperation) -> ModuleType | None:
    """What makes an operation's rows on a device, if anything does."""
    name = f"runner.device_rows.{operation.program.kind}"
    if importlib.util.find_spec(name) is None:
        return None
    found = importlib.import_module(name)
    return found if found.attempts(operation.program, operation.context) else None


def _make(
    module: ModuleType,
    operation: GenerateOperation,
    address: Address,
    device: torch.device,
    ids: Any,
    scored: Any,
) -> Any:
    """Writes rows from the address on; which of them are what they must be."""
    program, count = operation.program, len(ids)
    tries = module.attempts(program, operation.context)
    row_B = torch.arange(address.start, address.start + count, device=device).repeat_interleave(tries)
    lane_B = torch.arange(tries, device=device).repeat(count) << 16
    streams = Streams(int(address.key), row_B, lane_B)
    made: Rows = module.rows(program, streams, operation.context)
    tied = streams.tied_B.cpu().numpy()
    kept = _belong(program.split, address, made) & ~tied
    # Of each row the first attempt that ends the matter, or that only the kernel can judge.
    first = np.arange(count) * tries + (kept | tied).reshape(count, tries).argmax(axis=1)
    size = made.ids_BT.shape[1]
    ids[:, :size] = made.ids_BT[torch.from_numpy(first).to(device)].int().cpu().numpy()
    ids[:, size:] = made.pad
    scored[:], scored[:, made.unscored : size] = 0, 1
    return kept[first]


def _belong(split: Split, address: Address, rows: Rows) -> Any:
    """Which attempts give a row that is of the part, and that its program takes."""
    hashed = rows.hashed_BN.int().cpu().numpy()
    low, high = split.bounds(address.split, hashed.shape[1])
    found = np.array([low <= int(content(address.spelt, word)) <= high for word in hashed])
    return found if rows.taken_B is None else found & rows.taken_B.cpu().numpy()


def _beside(device: torch.device) -> AbstractContextManager[Any]:
    """A stream of its own on a GPU: rows are made beside the training step, not behind it."""
    return nullcontext() if device.type == "cpu" else torch.cuda.stream(_stream(device))


@lru_cache(maxsize=8)
def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)
