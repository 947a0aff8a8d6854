"""The forward pass of R models at once: `runner.model` again, where each product is a batch of R.

It could be that module under `torch.vmap`; going through its machinery takes 3.5 times as long as one model's
launches, and launches are what side by side is to save.

R replicas, B rows, T positions, M = B × T, S chosen positions of a row, N = B × S (B × T without), C width.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from procdsl.plan import ModelShape
from runner.model import fused


def hidden(
    weights: Mapping[str, Tensor], shape: ModelShape, ids_RBT: Tensor, queries_RBS: Tensor | None
) -> Tensor:
    """The normed hidden states, R × N × C: of all positions, or of each row's queries.

    `weights` are those of the models, by the names of one, stacked.
    """
    x_RMC = _embedded(weights, ids_RBT)
    for layer in range(shape.layers):
        at = f"blocks.{layer}"
        queries = None if queries_RBS is None or layer < shape.layers - 1 else queries_RBS.flatten(0, 1)
        normed = _norm(x_RMC, weights, f"{at}.attention_norm")
        attended = _attention(normed, weights, f"{at}.attention", shape.heads, ids_RBT.shape, queries)
        x_RMC = (x_RMC if queries is None else _chosen(x_RMC, queries)) + attended
        wide = _linear(_norm(x_RMC, weights, f"{at}.mlp_norm"), weights, f"{at}.mlp.up")
        x_RMC = x_RMC + _linear(F.gelu(wide, approximate="tanh"), weights, f"{at}.mlp.down")
    return _norm(x_RMC, weights, "norm")


def _embedded(weights: Mapping[str, Tensor], ids_RBT: Tensor) -> Tensor:
    """Ids are looked up in one table of R × V rows."""
    table_RVC, position_RTC = weights["embedding.weight"], weights["position.weight"]
    R, V, C = table_RVC.shape
    first_R = torch.arange(0, R * V, V, device=ids_RBT.device)
    x_RBTC = F.embedding(ids_RBT + first_R[:, None, None], table_RVC.reshape(-1, C))
    return (x_RBTC + position_RTC[:, None, : ids_RBT.shape[2]]).flatten(1, 2)


def _attention(
    x_RMC: Tensor,
    weights: Mapping[str, Tensor],
    at: str,
    heads: int,
    form_RBT: torch.Size,
    queries: Tensor | None,
) -> Tensor:
    """Attention has no parameters: the rows of all replicas are rows of one call."""
    R, B, T = form_RBT
    C, mask = x_RMC.shape[2], None
    if queries is None:
        q, k, v = _linear(x_RMC, weights, f"{at}.into").split(C, -1)
    else:
        q = _linear(_chosen(x_RMC, queries), weights, f"{at}.into", slice(None, C))
        k, v = _linear(x_RMC, weights, f"{at}.into", slice(C, None)).split(C, -1)
        mask = (torch.arange(T, device=x_RMC.device) <= queries[:, :, None])[:, None]
    q, k, v = (x.view(R * B, -1, heads, C // heads).transpose(1, 2) for x in (q, k, v))
    y_RNC = fused(q, k, v, mask, 0.0).transpose(1, 2).reshape(R, -1, C)
    return _linear(y_RNC, weights, f"{at}.out")


def _linear(x: Tensor, weights: Mapping[str, Tensor], at: str, rows: slice = slice(None)) -> Tensor:
    weight, bias = weights[f"{at}.weight"][:, rows], weights[f"{at}.bias"][:, rows]
    return torch.baddbmm(bias[:, None], x, weight.mT)


def _norm(x: Tensor, weights: Mapping[str, Tensor], at: str) -> Tensor:
    weight, bias = weights[f"{at}.weight"], weights[f"{at}.bias"]
    return torch.addcmul(bias[:, None], F.layer_norm(x, x.shape[-1:]), weight[:, None])


def _chosen(x_RMC: Tensor, queries: Tensor) -> Tensor:
    """The queries of each of the R × B rows."""
    R, _, C = x_RMC.shape
    x = x_RMC.view(len(queries), -1, C).gather(1, queries[:, :, None].expand(-1, -1, C))
    return x.view(R, -1, C)
