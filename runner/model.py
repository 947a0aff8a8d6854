"""The transformer, whole: a GPT-2-shaped decoder (pre-LN, learned positions, tanh GELU).

Shapes stand in names: B rows, T positions, C width, H heads, D width of a head, S chosen positions of a
row, N chosen positions of a batch, V ids.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from procdsl.plan import Component, ModelShape, Part
from runner.devices import Forward, linear

# Queries, keys, values, mask (causal without one) and dropout to what is attended to, B × H × S × D.
Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None, float], Tensor]
ModuleT = TypeVar("ModuleT", bound=nn.Module)


class Tag(NamedTuple):
    """Which component a tensor belongs to, in which layer (the last norm stands in layer `layers`), and what
    parts of that component its rows are, in equal shares."""

    component: Component
    layer: int | None = None
    parts: tuple[Part, ...] = ()


def fused(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropped: float) -> Tensor:
    """PyTorch's own attention, which keeps no B × H × S × T."""
    return F.scaled_dot_product_attention(q, k, v, mask, dropped, is_causal=mask is None)


class Transformer(nn.Module):
    """Ids to hidden states; `head_VC` turns those into logits where somebody wants them.

    Parameters are left as PyTorch makes them: `runner.initial` sets them by address.
    """

    def __init__(self, shape: ModelShape, vocabulary: int) -> None:
        super().__init__()
        self.shape = shape
        self.dropout = shape.dropout
        self.embedding = _tagged(nn.Embedding(vocabulary, shape.width), "embedding")
        self.position = _tagged(nn.Embedding(shape.context, shape.width), "position")
        self.blocks = nn.ModuleList(Block(shape, layer) for layer in range(shape.layers))
        self.norm = _tagged(nn.LayerNorm(shape.width), "norm", shape.layers, "final")
        self.head = None if shape.tied else _tagged(nn.Linear(shape.width, vocabulary, bias=False), "head")

    @property
    def unembedding(self) -> Tensor:
        return self.embedding.weight if self.head is None else self.head.weight

    def forward(self, ids_BT: Tensor, queries_BS: Tensor | None = None, attend: Attend = fused) -> Tensor:
        """The normed hidden states, B × T × C; with `queries_BS` only those of these positions, B × S × C.

        Frames, B × T × V of cells that are 0 or 1, are fed as the sum of the rows of those that are 1.
        """
        rows_VC = self.embedding.weight
        frames = ids_BT.ndim == 3
        x_BTC = linear(ids_BT.to(rows_VC.dtype), rows_VC.t()) if frames else self.embedding(ids_BT)
        x_BTC = x_BTC + self.position.weight[: ids_BT.shape[1]]
        x_BTC = F.dropout(x_BTC, self.dropout, self.training)
        *blocks, last = self.blocks
        for block in blocks:
            x_BTC = block(x_BTC, None, attend)
        x_BTC = last(x_BTC, queries_BS, attend)
        normed: Tensor = self.norm(x_BTC)
        return normed

    def logits(self, ids_BT: Tensor) -> Tensor:
        """All logits, B × T × V: for small batches and for tests."""
        return F.linear(self(ids_BT), self.unembedding)


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, shape: ModelShape, layer: int) -> None:
        super().__init__()
        self.attention_norm = _tagged(nn.LayerNorm(shape.width), "norm", layer, "before_attention")
        self.attention = Attention(shape, layer)
        self.mlp_norm = _tagged(nn.LayerNorm(shape.width), "norm", layer, "before_mlp")
        self.mlp = Mlp(shape, layer)

    def forward(self, x_BTC: Tensor, queries_BS: Tensor | None = None, attend: Attend = fused) -> Tensor:
        attended = self.attention(self.attention_norm(x_BTC), queries_BS, attend)
        x_BTC = (x_BTC if queries_BS is None else _chosen(x_BTC, queries_BS)) + attended
        after_BTC: Tensor = x_BTC + self.mlp(self.mlp_norm(x_BTC))
        return after_BTC


class Attention(nn.Module):
    """Causal self-attention of H heads."""

    def __init__(self, shape: ModelShape, layer: int) -> None:
        super().__init__()
        self.heads = shape.heads
        self.dropout = shape.dropout
        into, out = nn.Linear(shape.width, 3 * shape.width), nn.Linear(shape.width, shape.width)
        self.into = _tagged(into, "attention", layer, "query", "key", "value")
        self.out = _tagged(out, "attention", layer, "output")

    def forward(self, x_BTC: Tensor, queries_BS: Tensor | None = None, attend: Attend = fused) -> Tensor:
        weight, bias, C = self.into.weight, self.into.bias, x_BTC.shape[-1]
        if queries_BS is None:
            q_BTC, k_BTC, v_BTC = linear(x_BTC, weight, bias).split(C, dim=-1)
            y_BTC = self._heads(q_BTC, k_BTC, v_BTC, None, attend)
        else:
            q_BSC = linear(_chosen(x_BTC, queries_BS), weight[:C], bias[:C])
            k_BTC, v_BTC = linear(x_BTC, weight[C:], bias[C:]).split(C, dim=-1)
            seen_BST = torch.arange(x_BTC.shape[1], device=x_BTC.device) <= queries_BS[:, :, None]
            y_BTC = self._heads(q_BSC, k_BTC, v_BTC, seen_BST[:, None], attend)
        return F.dropout(linear(y_BTC, self.out.weight, self.out.bias), self.dropout, self.training)

    def _heads(
        self, q_BSC: Tensor, k_BTC: Tensor, v_BTC: Tensor, mask: Tensor | None, attend: Attend
    ) -> Tensor:
        B, S, C = q_BSC.shape
        q, k, v = (x.view(B, -1, self.heads, C // self.heads).transpose(1, 2) for x in (q_BSC, k_BTC, v_BTC))
        y_BHSD = attend(q, k, v, mask, self.dropout if self.training else 0.0)
        return y_BHSD.transpose(1, 2).reshape(B, S, C)


class Mlp(nn.Module):
    """Up to four widths, GELU, and down again."""

    def __init__(self, shape: ModelShape, layer: int) -> None:
        super().__init__()
        self.dropout = shape.dropout
        self.up = _tagged(nn.Linear(shape.width, 4 * shape.width), "mlp", layer, "up")
        self.down = _tagged(nn.Linear(4 * shape.width, shape.width), "mlp", layer, "down")

    def forward(self, x_BTC: Tensor) -> Tensor:
        hidden = F.gelu(linear(x_BTC, self.up.weight, self.up.bias), approximate="tanh")
        return F.dropout(linear(hidden, self.down.weight, self.down.bias), self.dropout, self.training)


def hidden(forward: Forward, ids_BT: Tensor, queries_BS: Tensor | None, chosen_N: Tensor | None) -> Tensor:
    """The hidden states of chosen positions, N × C, counted in the flattened states (of the queries)."""
    hidden_NC = forward(ids_BT, queries_BS).flatten(0, 1)
    return hidden_NC if chosen_N is None else hidden_NC[chosen_N]


def tags(model: Transformer) -> dict[str, Tag]:
    """The tag of every parameter, in the model's order."""
    return dict(_walk(model))


def freeze(model: Transformer, trainable: Collection[Component]) -> None:
    """Leave only these components to be trained. A tied head has no tensor: it goes with the embedding."""
    for name, tag in tags(model).items():
        model.get_parameter(name).requires_grad_(tag.component in trainable)


def _walk(model: Transformer) -> Iterator[tuple[str, Tag]]:
    for prefix, module in model.named_modules():
        for name, _ in module.named_parameters(recurse=False):
            yield f"{prefix}.{name}", getattr(module, "tag")  # noqa: B009 - set by _tagged


def _chosen(x_BTC: Tensor, queries_BS: Tensor) -> Tensor:
    return x_BTC.gather(1, queries_BS[:, :, None].expand(-1, -1, x_BTC.shape[-1]))


def _tagged(module: ModuleT, component: Component, layer: int | None = None, *parts: Part) -> ModuleT:
    module.tag = Tag(component, layer, parts)  # type: ignore[assignment]
    return module
