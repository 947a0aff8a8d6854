"""Rows of neural cellular automata, as `procdsl.generate.neural` says.

Sums are of whole numbers, and float64 holds them exactly in any order: a network's are under 2**45, or 2**49
with its states' numbers behind them, at the largest sizes a program may have.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from procdsl.programs.neural import NeuralProgram
from runner.device_rows.frames import around, bordered, patched
from runner.device_rows.philox import Streams
from runner.device_rows.rows import Rows


class _Network(NamedTuple):
    """The networks of B rows: S states, C channels, H hidden; `around` by place and state."""

    around_BSC: Tensor
    hidden_BCH: Tensor
    out_BHS: Tensor


def attempts(program: NeuralProgram, context: int) -> int:
    """Some: not every network moves its cells. None where there is a pool, whose networks gzip chooses."""
    return 0 if program.pool else 4


def rows(program: NeuralProgram, streams: Streams, context: int) -> Rows:
    """What one attempt gives; it is taken where enough cells change at first."""
    network, cells_BN = _drawn(program, streams)
    start_BN = _later(program, network, cells_BN, program.burn_in)
    first_BN = _changed(program, network, start_BN)
    frames = [start_BN, _later(program, network, first_BN, program.ahead - 1)]
    for _ in range(program.steps - 1):
        frames.append(_later(program, network, frames[-1], program.ahead))
    grid = (program.height, program.width)
    ids_BFP = patched(torch.stack(frames, 1), program.states, grid, program.patch)
    return Rows(
        bordered(ids_BFP, [program.symbols]),
        hashed_BN=ids_BFP[:, 0],
        unscored=program.unscored,
        pad=program.symbols + 1,
        taken_B=(start_BN != first_BN).sum(1) >= program.activity,
    )


def _drawn(program: NeuralProgram, streams: Streams) -> tuple[_Network, Tensor]:
    """Networks and starts."""
    S, C, H = program.states, program.channels, program.hidden
    sizes = [S, C * S * 9, H * C, S * H, program.height * program.width]
    shares, seen, hidden, out, start = streams.words(sum(sizes)).split(sizes, 1)
    edges_BS = (((shares >> 16) ** 2 >> 16) + 1).cumsum(1)
    drawn_BN = streams.below(edges_BS[:, -1:], start)
    network = _Network(
        _weights(seen).view(-1, C, S, 9).permute(0, 3, 2, 1).flatten(1, 2).contiguous(),
        _weights(hidden).view(-1, H, C).transpose(1, 2),
        _weights(out).view(-1, S, H).transpose(1, 2),
    )
    return network, torch.searchsorted(edges_BS, drawn_BN, right=True)


def _weights(words: Tensor) -> Tensor:
    """Four bytes' sum, less its mean."""
    return ((words & 255) + (words >> 8 & 255) + (words >> 16 & 255) + (words >> 24) - 510).double()


def _later(program: NeuralProgram, network: _Network, cells_BN: Tensor, changes: int) -> Tensor:
    """The frame so many changes on."""
    for _ in range(changes):
        cells_BN = _changed(program, network, cells_BN)
    return cells_BN


def _changed(program: NeuralProgram, network: _Network, cells_BN: Tensor) -> Tensor:
    """The next frame."""
    S, (B, N) = program.states, cells_BN.shape
    near_N9 = around(program.height, program.width, line=False, wraps=True, device=cells_BN.device)
    place_BM = (cells_BN[:, near_N9] + S * torch.arange(9, device=cells_BN.device)).view(B, -1)
    seen_BMC = network.around_BSC.gather(1, place_BM[..., None].expand(-1, -1, program.channels))
    acts_BNH = F.relu(torch.bmm(seen_BMC.view(B, N, 9, -1).sum(2), network.hidden_BCH))
    scores_BNS = torch.bmm(acts_BNH, network.out_BHS)
    # No two are alike any more: of equal scores the first state's is greatest.
    return (scores_BNS * S - torch.arange(S, device=cells_BN.device)).argmax(-1)
