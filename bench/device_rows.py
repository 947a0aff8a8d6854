"""How fast rows are made on the device against the kernels on one core, and in how many operations.

    python -m bench device_rows

On a GPU an operation costs some µs to launch, whatever the rows: where operations times that is less than
what the kernel takes, the device pays. On a CPU, which is the device where there is no other, it never does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bench.generators import made, rate
from procdsl.grammars.dyck import Dyck
from procdsl.grammars.eca import Eca
from procdsl.grammars.iid import Iid
from procdsl.grammars.nca import Nca
from procdsl.grammars.parity import Parity
from procdsl.plan import GenerateOperation
from runner import device_rows

ROWS = 64


class Operations(TorchDispatchMode):
    """Counts what PyTorch is asked to do inside."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return function(*args, **kwargs or {})


def cases() -> dict[str, GenerateOperation]:
    """A source of each program that has rows on a device."""
    sources = {
        "iid": Iid(symbols=128, length=2048),
        "iid zipf": Iid(symbols=128, weights="zipf(1.0)", length=2048),
        "dyck depth 16": Dyck(k=64, depth=16, length=2048),
        "parity": Parity(length=2048),
        "eca": Eca(rule=110, width=64, steps=31),
        "nca": Nca(steps=26),
    }
    return {name: made(name, source, source.longest()) for name, source in sources.items()}


def filler(operation: GenerateOperation, device: torch.device | None) -> Callable[[int], int]:
    """Makes rows, others at each call: on a device or, without one, by the kernels."""
    ids = np.empty((ROWS, operation.row), np.int32)
    scored = np.empty(ids.shape, np.uint8)

    def work(call: int) -> int:
        start = call * ROWS
        device_rows.fill(operation, seed=0, split="train", start=start, ids=ids, scored=scored, device=device)
        return ids.size

    work(0)
    return work


def main() -> None:
    """Prints one line a source."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "the CPU, one thread"
    sys.stdout.write(f"the device is {name}; {ROWS} rows at a time\n")
    torch.set_num_threads(1)
    for source, operation in cases().items():
        kernel, here = (rate(filler(operation, place)) for place in (None, device))
        work = filler(operation, device)
        with Operations() as operations:
            symbols = work(0)
        sys.stdout.write(
            f"{source:16}{kernel / 1e6:9.2f} M/s by the kernel{here / 1e6:9.2f} M/s on the device"
            f"{here / kernel:9.3f} ×{operations.count:7} operations in {1e3 * symbols / here:8.2f} ms\n"
        )


if __name__ == "__main__":
    main()
