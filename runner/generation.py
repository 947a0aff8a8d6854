"""Writing with a model: token by token, keys and values of what stands before kept."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from procdsl import streams
from runner.model import Attention, Block, Transformer

# From logits, B × V, and the number of the token: the ids to write.
Choose = Callable[[Tensor, int], Tensor]


def written(model: Transformer, start_B: Tensor, length: int, choose: Choose) -> Tensor:
    """What a model writes behind one token of each row, B × `length`."""
    caches: list[Tensor | None] = [None for _ in model.blocks]
    last_B, found = start_B, list[Tensor]()
    for place in range(length):
        x_BC = model.embedding(last_B) + model.position.weight[place]
        for number, block in enumerate(model.blocks):
            assert isinstance(block, Block)
            attended, caches[number] = _attend(block.attention, block.attention_norm(x_BC), caches[number])
            x_BC = x_BC + attended
            x_BC = x_BC + block.mlp(block.mlp_norm(x_BC))
        last_B = choose(F.linear(model.norm(x_BC), model.unembedding), place)
        found.append(last_B)
    return torch.stack(found, 1)


def sampled(key: int, rows: range) -> Choose:
    """Ids drawn by their probabilities; token t of row i is a function of (key, i, t) and the logits."""
    draws = [streams.Stream(key, row) for row in rows]

    def choose(logits_BV: Tensor, _: int) -> Tensor:
        share_B1 = torch.tensor([[stream.unit()] for stream in draws], dtype=torch.float64)
        reached_BV = torch.softmax(logits_BV.double().cpu(), 1).cumsum(1)
        found = torch.searchsorted(reached_BV, share_B1 * reached_BV[:, -1:], right=True).squeeze(1)
        return found.clamp(max=logits_BV.shape[1] - 1).to(logits_BV.device)

    return choose


def _attend(attention: Attention, x_BC: Tensor, cache: Tensor | None) -> tuple[Tensor, Tensor]:
    """What attention adds at one position more; keys and values up to it, 2 × B × H × T × D."""
    B, C = x_BC.shape
    q, k, v = (
        part.view(B, 1, attention.heads, C // attention.heads).transpose(1, 2)
        for part in attention.into(x_BC).split(C, dim=-1)
    )
    here = torch.stack([k, v])
    cache = here if cache is None else torch.cat([cache, here], dim=3)
    y_BHD = F.scaled_dot_product_attention(q, cache[0], cache[1])
    return attention.out(y_BHD.transpose(1, 2).reshape(B, C)), cache
