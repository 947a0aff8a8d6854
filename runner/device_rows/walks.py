"""Walks of an automaton without a loop over positions: maps of states, composed in log2(T) rounds.

With its word of the stream known, a position maps each state to the next one. Such maps are composed as
numbers are added, so a scan (Hillis & Steele 1986) says where each walk stands everywhere: S times the work
of walking, in two launches a doubling instead of several a position.
"""

from __future__ import annotations

import torch
from torch import Tensor

from runner.device_rows.philox import Streams

# Entries of a row's maps that are worth it: T positions, S states, A arrows out of a state.
MOST = 2**16


def walk(streams: Streams, words_BT: Tensor, table_TSA: Tensor, targets_SA: Tensor) -> tuple[Tensor, Tensor]:
    """The states before each position, from state 0, and the arrows taken, both B × T.

    table[t, s, a], ascending in a, is the number from which on a word leads past arrow a; the last arrow of
    targets[s] has none.
    """
    T, S, _ = table_TSA.shape
    A = targets_SA.shape[1]
    arrow_BTS = (words_BT[..., None, None] >= table_TSA).sum(-1)
    maps_BTS = targets_SA.flatten()[arrow_BTS + A * torch.arange(S, device=words_BT.device)]
    reach = 1
    while reach < T:
        later = maps_BTS[:, reach:].gather(2, maps_BTS[:, :-reach])
        maps_BTS = torch.cat([maps_BTS[:, :reach], later], 1)
        reach *= 2
    state_BT = torch.cat([torch.zeros_like(words_BT[:, :1]), maps_BTS[:, :-1, 0]], 1)
    thresholds_BTA = table_TSA[torch.arange(T, device=words_BT.device), state_BT]
    streams.note(words_BT[..., None] == thresholds_BTA)
    return state_BT, arrow_BTS.gather(2, state_BT[..., None]).squeeze(2)
