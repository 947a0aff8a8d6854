"""Where heads look: entropy, and the mass on the positions that known kinds of heads look at.

Shapes as in `runner.model`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from procdsl import streams
from procdsl.plan import GenerateOperation
from procdsl.programs.base import SPECIALS
from procdsl.programs.measurements.attention import AttentionMeasurement
from procdsl.recognisers import Brackets, nests, recogniser
from runner.measures import Setting
from runner.measures.rows import Own, held_out, own_ids
from runner.model import Attention as Heads
from runner.model import Block, Transformer

# Weights of a layer's attention at once: 2**24 of them are 64 MiB.
_CHUNK = 1 << 24


def prepared(setting: Setting) -> Attention:
    wanted, source = setting.measure.measurement, setting.source
    assert isinstance(wanted, AttentionMeasurement)
    rows = held_out(setting)
    ids = rows.ids[:, :-1]
    # What stands behind the last scored target is padding.
    end_B = ids.shape[1] - np.argmax(rows.scored[:, :0:-1], axis=1)
    place_T = np.arange(ids.shape[1])
    asked_BT = (place_T > 0) & (place_T < end_B[:, None])
    partner_BT = np.full(ids.shape, -1)
    if isinstance(source, GenerateOperation) and nests(source.program):
        partner_BT = _partners(source, own_ids(setting), ids)
    again_BT = _repeated(setting, ids)
    return Attention(
        *(torch.from_numpy(part).to(setting.device) for part in (ids, asked_BT, partner_BT, again_BT))
    )


@dataclass(frozen=True)
class Attention:
    """Rows; which of their positions are asked; where a closing bracket's partner stands, or -1; and rows
    whose second half repeats their first.
    """

    ids_BT: Tensor
    asked_BT: Tensor
    partner_BT: Tensor
    again_BT: Tensor

    def metrics(self, model: Transformer) -> dict[str, float]:
        sums: dict[tuple[str, int], Tensor] = defaultdict(lambda: torch.zeros((), dtype=torch.float64))
        for some in self._chunks(model):
            for layer, map_BHTT in enumerate(maps(model, self.ids_BT[some])):
                for name, score_H in self._scores(map_BHTT, some):
                    sums[name, layer] = sums[name, layer] + score_H.cpu()
            for layer, map_BHTT in enumerate(maps(model, self.again_BT[some])):
                score_H = _induction(map_BHTT).sum((0, 2), dtype=torch.float64)
                sums["induction", layer] = sums["induction", layer] + score_H.cpu()
        half = self.again_BT.shape[1] // 2
        asked, closing = int(self.asked_BT.sum()), int((self.partner_BT >= 0).sum())
        over = {
            "entropy": asked,
            "previous": asked,
            "bracket": closing,
            "induction": half * len(self.again_BT),
        }
        found = {
            f"{name}/l{layer}h{head}": value / over[name]
            for (name, layer), score_H in sums.items()
            for head, value in enumerate(score_H.tolist())
        }
        return _whole(found) | found

    def _scores(self, map_BHTT: Tensor, some: slice) -> Iterator[tuple[str, Tensor]]:
        """Each score's sum over positions, by head."""
        asked_BHT = self.asked_BT[some, None]
        entropy_BHT = torch.special.entr(map_BHTT).sum(3)
        previous_BHT = torch.nn.functional.pad(map_BHTT.diagonal(-1, 2, 3), (1, 0))
        yield "entropy", (entropy_BHT * asked_BHT).sum((0, 2), dtype=torch.float64)
        yield "previous", (previous_BHT * asked_BHT).sum((0, 2), dtype=torch.float64)
        partner_BT = self.partner_BT[some]
        if bool((self.partner_BT >= 0).any()):
            where = partner_BT.clamp(min=0)[:, None, :, None].expand(-1, map_BHTT.shape[1], -1, 1)
            mass_BHT = map_BHTT.gather(3, where).squeeze(3) * (partner_BT >= 0)[:, None]
            yield "bracket", mass_BHT.sum((0, 2), dtype=torch.float64)

    def _chunks(self, model: Transformer) -> Iterator[slice]:
        B, T = self.ids_BT.shape
        rows = max(1, _CHUNK // (model.shape.heads * T * T))
        return (slice(first, first + rows) for first in range(0, B, rows))


def maps(model: Transformer, ids_BT: Tensor) -> Iterator[Tensor]:
    """The attention of each layer, B × H × T × T: how much of a position's falls on each up to it."""
    x_BTC = model.embedding(ids_BT) + model.position.weight[: ids_BT.shape[1]]
    for block in model.blocks:
        assert isinstance(block, Block)
        yield _map(block.attention, block.attention_norm(x_BTC))
        x_BTC = block(x_BTC)


def _map(heads: Heads, x_BTC: Tensor) -> Tensor:
    B, T, C = x_BTC.shape
    q, k, _ = (
        part.view(B, T, heads.heads, C // heads.heads).transpose(1, 2)
        for part in heads.into(x_BTC).split(C, dim=-1)
    )
    scores_BHTT = (q @ k.transpose(2, 3)).float() / math.sqrt(C // heads.heads)
    later = torch.ones(T, T, dtype=torch.bool, device=x_BTC.device).triu(1)
    map_BHTT: Tensor = scores_BHTT.masked_fill(later, -math.inf).softmax(3)
    return map_BHTT


def _induction(map_BHTT: Tensor) -> Tensor:
    """What the second half's positions put behind where their symbol stood the first time, B × H × S."""
    half = map_BHTT.shape[3] // 2
    return map_BHTT.diagonal(1 - half, 2, 3)[:, :, 1 : half + 1]


def _whole(found: dict[str, float]) -> dict[str, float]:
    """Over all heads: the mean entropy, the greatest of the others."""
    by_name: dict[str, list[float]] = defaultdict(list)
    for name, value in found.items():
        by_name[name.partition("/")[0]].append(value)
    mean = {"entropy": sum(by_name["entropy"]) / len(by_name["entropy"])}
    return {name: max(values) for name, values in by_name.items()} | mean


def _partners(source: GenerateOperation, own: Own, ids: NDArray[np.int32]) -> NDArray[np.int64]:
    """Where each closing bracket's partner stands, -1 for other positions."""
    found = np.full(ids.shape, -1)
    begins = [len(source.tokens) - len(SPECIALS) + SPECIALS.index(token) for token in ("<bos>", "<end>")]
    for row, symbols in enumerate(own.back[ids].tolist()):
        first, known = 0, recogniser(source.program)
        for place, symbol in enumerate(symbols):
            if symbol in begins:
                first, known = place + 1, recogniser(source.program)
                continue
            assert isinstance(known, Brackets)
            if (partner := known.partner(symbol)) is not None:
                found[row, place] = first + partner
            known.read(symbol)
    return found


def _repeated(setting: Setting, ids: NDArray[np.int32]) -> NDArray[np.int64]:
    """Rows of ids that these have, drawn evenly, each half the other's copy; specials are left out."""
    vocabulary = setting.operation.vocabulary
    specials = [vocabulary.text_size + i for i, token in enumerate(vocabulary.tokens) if token in SPECIALS]
    symbols = np.setdiff1d(ids, specials)
    key = streams.key(setting.measure.data_seed, "induction", setting.source.name)
    half = max(ids.shape[1] // 2, 1)
    drawn = [
        [stream.below(len(symbols)) for _ in range(half)]
        for stream in (streams.Stream(key, row) for row in range(len(ids)))
    ]
    return np.tile(symbols[np.array(drawn)].astype(np.int64), 2)
