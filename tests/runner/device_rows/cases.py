"""Sources whose rows a device makes, one or more of each program, and their rows there."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from procdsl.plan import GenerateOperation
from runner.device_rows import fill
from tests.grammars.examples import operation, read

SPELT = {
    "iid": ('kind = "iid"\nsymbols = 99\nlength = 41', 41),
    "zipf": ('kind = "iid"\nsymbols = 99\nweights = "zipf(1.0)"\nlength = 41', 41),
    "dyck": ('kind = "dyck"\nk = 3\nlength = 40', 40),
    "dyck of a depth": ('kind = "dyck"\nk = 64\ndepth = 4\nlength = 130', 130),
    "ranked dyck": ('kind = "dyck"\nk = 1\nlength = 16\n'
                    'held_out = { validation = 0.01, test = 0.01, by = "rank" }', 16),
    "published dyck": ('kind = "dyck"\nk = 5\ndepth = 6\nmeasure = "process"\np_open = 0.6\nlength = 50', 50),
    "published dyck of any depth": ('kind = "dyck"\nk = 5\nmeasure = "process"\nlength = 50', 50),
    "parity": ('kind = "parity"\nlength = 64', 64),
    "regex": ('kind = "regex"\npattern = "(a | b c)* d [a e f]+"\nlength = 33', 33),
    "one way": ('kind = "regex"\npattern = "[a b]{20}"\nlength = 20', 20),
    "letters": ('kind = "hmm"\nstates = 3\ntransition = { dirichlet = 0.3, seed = 1 }\n'
                'emission = { dirichlet = 0.5, seed = 2 }\ntokens = { w = 7 }\nlength = 30', 30),
    "line": ('kind = "eca"\nrule = "any"\nwidth = 20\nsteps = 6\nburn_in = 2\nahead = 3', 160),
    "open line": ('kind = "eca"\nrule = 110\nwidth = 21\nsteps = 6\nboundary = "zero"\nloss = "all"', 160),
    "lines as vectors": ('kind = "eca"\nrule = 30\nwidth = 16\nsteps = 7\nencode = "vectors"', 7),
    "grid": ('kind = "life"\nrule = ["B3/S23", "B36/S23"]\ngrid = [6, 8]\npatch = [2, 2]\nsteps = 6', 99),
    "open grid": ('kind = "life"\ngrid = [4, 9]\npatch = [2, 3]\nsteps = 4\nboundary = "zero"', 40),
    "neural": ('kind = "nca"\nstates = 10\ngrid = [6, 8]\npatch = [2, 2]\nsteps = 3', 160),
    "neural ahead": ('kind = "nca"\nstates = 3\ngrid = [4, 6]\npatch = [1, 2]\nsteps = 3\nahead = 3', 60),
    "neural of ties": ('kind = "nca"\nstates = 5\ngrid = [4, 6]\nhidden = 1\nchannels = 1\nactivity = 0\n'
                       'steps = 4\nloss = "all"', 130),
    "largest neural": ('kind = "nca"\nstates = 16\ngrid = [3, 4]\npatch = [1, 1]\nchannels = 64\n'
                       'hidden = 256\nburn_in = 1\nsteps = 2', 40),
}  # fmt: skip
CASES: dict[str, GenerateOperation] = {
    name: operation(read(toml), context) for name, (toml, context) in SPELT.items()
}


def made(
    source: GenerateOperation,
    device: torch.device,
    start: int = 0,
    count: int = 100,
    split: Any = "train",
) -> tuple[Any, Any]:
    """Rows on a device."""
    ids = np.full((count, source.row), -1, np.int32)
    scored = np.full((count, source.row), 9, np.uint8)
    fill(source, seed=0, split=split, start=start, ids=ids, scored=scored, device=device)
    return ids, scored
