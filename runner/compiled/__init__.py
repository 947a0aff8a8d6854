"""Training small transformers on a CPU: loss and gradients by kernels of their own.

A model of width 16 is bound by what PyTorch does around its products. Here a group of rows stands in the
lanes of vectors, and one call carries a whole batch through the model and back. It computes what
`runner.model` and `runner.loss` do, in another order of sums.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runner.batches import Part
from runner.compiled.arrays import Layout, room
from runner.compiled.model import learn
from runner.model import Transformer


class Kernels:
    """The kernels with room to work in, for one model."""

    def __init__(self, model: Transformer) -> None:
        shape = model.shape
        self._tensors = list(model.parameters())
        self._layout = Layout(shape, {name: tensor.shape for name, tensor in model.named_parameters()})
        self._room = room(self._layout, shape)
        self._sizes = (
            shape.heads,
            -(-(shape.width // shape.heads) // 4) * 4,
            shape.width,
            len(model.unembedding),
        )
        self._packed = np.zeros(len(self._layout.read), np.float32)
        self._weights = self._layout.weights(self._packed)
        self._flat = torch.zeros(self._layout.size + 1)

    def learn(self, part: Part, scale: float) -> Tensor:
        """The loss of each scored position; adds the gradients of `scale` × their sum to the parameters'."""
        self._read()
        ends, blocks, turned = self._weights
        packed, dends, dblocks = self._layout.gradients()
        loss = np.empty(len(part.targets_N), np.float32)
        learn(
            part.ids_BT.numpy(), _places(part), part.targets_N.numpy(), np.float32(scale), self._sizes,
            ends, blocks, turned, *self._room, loss, dends, dblocks,
        )  # fmt: skip
        gradients = torch.from_numpy(packed[self._layout.written[:-1]])
        sizes = [tensor.numel() for tensor in self._tensors]
        for tensor, gradient in zip(self._tensors, gradients.split(sizes), strict=True):
            if tensor.requires_grad:
                gradient = gradient.view_as(tensor)
                tensor.grad = gradient if tensor.grad is None else tensor.grad + gradient
        return torch.from_numpy(loss)

    def _read(self) -> None:
        torch.cat([tensor.detach().reshape(-1) for tensor in self._tensors], out=self._flat[:-1])
        np.take(self._flat.numpy(), self._layout.read, out=self._packed)


def _places(part: Part) -> NDArray[np.int64]:
    """The scored positions in the flattened rows."""
    rows, length = part.ids_BT.shape
    flat = torch.arange(rows * length)
    if part.queries_BS is not None:
        flat = (part.queries_BS + length * torch.arange(rows)[:, None]).flatten()
    return (flat if part.chosen_N is None else flat[part.chosen_N]).numpy()
