"""Words of automata, as `procdsl.generate.automaton` says, by the tables of their kernel."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from procdsl.programs.automaton import AutomatonProgram
from procdsl.walks import arrows, slots_a_symbol
from runner.device_rows.philox import Streams
from runner.device_rows.rows import Rows, filled, of_words
from runner.device_rows.walks import MOST, walk
from runner.generators.automaton import prepare
from runner.generators.uppers import LOW_BITS


class _Tables(NamedTuple):
    """As `walk` wants them; by state, its first arrow; by arrow, its letters; by letter, its alias."""

    thresholds_TSA: Tensor
    targets_SA: Tensor
    offsets_S: Tensor
    begins_E: Tensor
    sizes_E: Tensor
    letters_N: Tensor
    stays_N: Tensor
    others_N: Tensor


def attempts(program: AutomatonProgram, context: int) -> int:
    """One, of automata with few states and arrows."""
    most = max(Counter(program.sources).values())
    return filled(program, context) if context * program.states * most <= MOST else 0


def rows(program: AutomatonProgram, streams: Streams, context: int) -> Rows:
    """What one attempt gives."""
    tables = _tables(program, context, streams.tied_B.device)
    slots = slots_a_symbol(program)
    words = streams.words(slots * context).split(context, 1)
    state_BT, arrow_BT = walk(streams, words[0], tables.thresholds_TSA, tables.targets_SA)
    arrow_BT = tables.offsets_S[state_BT] + arrow_BT
    at_BT = first_BT = tables.begins_E[arrow_BT]
    if slots > 1:
        at_BT = first_BT + streams.below(tables.sizes_E[arrow_BT], words[1])
    if slots > 2:
        stays_BT = streams.under(tables.stays_N[at_BT], words[2])
        at_BT = torch.where(stays_BT, at_BT, first_BT + tables.others_N[at_BT])
    return of_words(program, tables.letters_N[at_BT])


@lru_cache(maxsize=8)
def _tables(program: AutomatonProgram, length: int, device: torch.device) -> _Tables:
    found, flat = prepare(program).tables, arrows(program)
    offsets, targets = np.array(flat.offsets), np.array(flat.targets)
    degrees = np.diff(offsets)
    arrow_SA = offsets[:-1, None] + np.arange(degrees.max())
    there_SA = np.arange(degrees.max()) < degrees[:, None]
    arrow_SA = np.where(there_SA, arrow_SA, 0)
    left = np.arange(length, 0, -1).clip(max=len(found.thresholds) - 1)
    # The last arrow of a state, and those that it has not, are never passed.
    passed_SA = np.where(there_SA[:, 1:], found.thresholds[left][:, arrow_SA[:, :-1]] >> LOW_BITS, 2**32)
    arrays = (
        passed_SA,
        targets[arrow_SA],
        offsets[:-1],
        found.begins,
        found.sizes.astype(np.int64),
        found.letters.astype(np.int64),
        (found.stays >> np.uint64(32)).astype(np.int64),
        found.others,
    )
    return _Tables(*(torch.from_numpy(array).to(device) for array in arrays))
