"""Words of k-Dyck, as `procdsl.generate.dyck` says: heights are a walk, then brackets find their types."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from procdsl.programs.dyck import DyckProgram
from procdsl.tables import closing_thresholds
from runner.device_rows.philox import Streams
from runner.device_rows.rows import Rows, filled, of_words
from runner.device_rows.walks import MOST, walk

# More than any word.
SURE = 2**32


def attempts(program: DyckProgram, context: int) -> int:
    """One, of words that may be of any depth up to their bound and have few heights."""
    few = context * (_highest(program, context) + 1) <= MOST
    return filled(program, context) if few and program.beyond is None else 0


def rows(program: DyckProgram, streams: Streams, context: int) -> Rows:
    """What one attempt gives."""
    words_BW = streams.words(context + context // 2)
    table_TS1, targets_S2 = _tables(program, context, words_BW.device)
    height_BT, arrow_BT = walk(streams, words_BW[:, :context], table_TS1, targets_S2)
    opens_BT = arrow_BT == int(program.measure == "uniform")
    kinds_BN = streams.below(program.k, words_BW[:, context:])
    place_BT = (opens_BT.cumsum(1) - 1).clamp(0, context // 2 - 1)
    kind_BT = _closed(kinds_BN.gather(1, place_BT), opens_BT, height_BT)
    return of_words(program, torch.where(opens_BT, kind_BT, kind_BT + program.k))


def _closed(kind_BT: Tensor, opens_BT: Tensor, height_BT: Tensor) -> Tensor:
    """Each closing bracket with the type of its opening one: on their level it is the one before it."""
    T = kind_BT.shape[1]
    level_BT = torch.where(opens_BT, height_BT, height_BT - 1)
    order_BT = (level_BT * T + torch.arange(T, device=kind_BT.device)).argsort(1)
    sorted_BT = kind_BT.gather(1, order_BT)
    sorted_BT = torch.where(opens_BT.gather(1, order_BT), sorted_BT, sorted_BT.roll(1, 1))
    return torch.empty_like(kind_BT).scatter_(1, order_BT, sorted_BT)


def _highest(program: DyckProgram, length: int) -> int:
    return min(program.depth or length, length // 2)


@lru_cache(maxsize=8)
def _tables(program: DyckProgram, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """By position and height the upper half of the threshold that decides; where either way leads.

    Under it a bracket closes; in the published walk one opens. It is 0 or 2**32 where there is no choice.
    """
    top, process = _highest(program, length), program.measure == "process"
    height, left = np.arange(top + 1), np.arange(length, 0, -1)[:, None]
    if process:
        table = np.full((length, top + 1), program.p_open >> 32)
    elif top < length // 2:
        strip = closing_thresholds(length, top)[:0:-1]
        table = np.array([[threshold >> 32 for threshold in row] for row in strip])
    else:
        table = (height * (left + height + 2) << 32) // (2 * left * (height + 1))
    table[(height == left) | (height == top)] = 0 if process else SURE
    table[:, 0] = SURE if process else 0
    moves = np.stack([height - 1, height + 1], 1).clip(0, top)
    targets = moves[:, ::-1].copy() if process else moves
    return torch.from_numpy(table[..., None]).to(device), torch.from_numpy(targets).to(device)
