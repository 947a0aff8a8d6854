"""Rows of cellular automata, as `procdsl.generate.cellular` says."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from procdsl.programs.cellular import CellularProgram
from runner.device_rows.frames import around, bordered, patched
from runner.device_rows.philox import Streams
from runner.device_rows.rows import Rows


def attempts(program: CellularProgram, context: int) -> int:
    """One: as good as every start is of the training part."""
    return 1


def rows(program: CellularProgram, streams: Streams, context: int) -> Rows:
    """What one attempt gives."""
    size, grid = program.height * program.width, (program.height, program.width)
    words_BW = streams.words(size + 1)
    rules = torch.tensor(program.rules, device=words_BW.device)
    rule_B1 = rules[streams.below(len(rules), words_BW[:, size:])]
    cells_BN = (words_BW[:, :size] < program.density).long()
    for _ in range(program.burn_in):
        cells_BN = _changed(program, cells_BN, rule_B1)
    frames = [cells_BN]
    for _ in range(program.steps):
        for _ in range(program.ahead):
            cells_BN = _changed(program, cells_BN, rule_B1)
        frames.append(cells_BN)
    ids_BFP = patched(torch.stack(frames, 1), 2, grid, program.patch)
    return Rows(
        bordered(ids_BFP, (program.symbols,) * program.separated),
        hashed_BN=ids_BFP[:, 0],
        unscored=1 if program.scores_first else program.frame,
        pad=program.symbols + program.separated,
    )


def _changed(program: CellularProgram, cells_BN: Tensor, rule_B1: Tensor) -> Tensor:
    """The next frame."""
    line = program.shape == "line"
    near_NK = around(program.height, program.width, line=line, wraps=program.wraps, device=cells_BN.device)
    # Left cell first; of a grid how many are 1, the one in the middle nine times.
    worth_K = cells_BN.new_tensor((4, 2, 1) if line else (1, 1, 1, 1, 9, 1, 1, 1, 1))
    seen_BNK = F.pad(cells_BN, (0, 1))[:, near_NK]
    return rule_B1 >> (seen_BNK * worth_K).sum(-1) & 1
