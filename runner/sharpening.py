"""The attention-sharpening regulariser: attention written out, so that its rows' entropy has a gradient.

What is added to the loss is λ × the mean entropy, in nats, of the attention rows of the scored positions.
Each position, layer and head counts alike, so that micro-batches and padding change nothing. It is a
control: does pretraining help only because it leaves attention sharp?
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from runner.batches import Part
from runner.model import Transformer


class Sharpened:
    """The forward pass of a model that remembers how spread its attention was."""

    def __init__(self, model: Transformer) -> None:
        self._model = model
        self._layers: list[Tensor] = []

    def __call__(self, ids_BT: Tensor, queries_BS: Tensor | None) -> Tensor:
        self._layers = []
        hidden: Tensor = self._model(ids_BT, queries_BS, self._attend)
        return hidden

    def entropy(self, part: Part) -> Tensor:
        """Of the part that was just fed: the mean over heads and layers, summed over its scored positions."""
        queries, total = part.queries_BS, torch.zeros((), device=self._layers[0].device)
        for number, layer_BS in enumerate(self._layers, start=1):
            if queries is not None and number < len(self._layers):
                layer_BS = layer_BS.gather(1, queries)
            entropy_N = layer_BS.flatten()
            total = total + (entropy_N if part.chosen_N is None else entropy_N[part.chosen_N]).sum()
        return total / len(self._layers)

    def _attend(
        self, q_BHSD: Tensor, k_BHTD: Tensor, v_BHTD: Tensor, mask: Tensor | None, dropped: float
    ) -> Tensor:
        y_BHSD, entropy_BHS = attend(q_BHSD, k_BHTD, v_BHTD, mask, dropped)
        self._layers.append(entropy_BHS.mean(1))
        return y_BHSD


def attend(
    q_BHSD: Tensor, k_BHTD: Tensor, v_BHTD: Tensor, mask: Tensor | None, dropped: float
) -> tuple[Tensor, Tensor]:
    """Scaled dot-product attention, causal without a mask, and the entropy of each row in nats."""
    if mask is None:
        S, T = q_BHSD.shape[2], k_BHTD.shape[2]
        mask = torch.ones(S, T, dtype=torch.bool, device=q_BHSD.device).tril()
    scores_BHST = q_BHSD @ k_BHTD.transpose(2, 3) / math.sqrt(q_BHSD.shape[3])
    # At least float32, whatever is autocast: the logarithm of a small probability is most of a sharp row.
    precise = torch.promote_types(scores_BHST.dtype, torch.float32)
    logs_BHST = scores_BHST.to(precise).masked_fill(~mask, -math.inf).log_softmax(3)
    weights_BHST = logs_BHST.exp()
    entropy_BHS = -(weights_BHST * logs_BHST.masked_fill(~mask, 0)).sum(3)
    return F.dropout(weights_BHST.to(v_BHTD.dtype), dropped) @ v_BHTD, entropy_BHS
