"""Training small transformers on a CPU: loss and gradients by kernels of their own.

A model of width 16 is bound by what PyTorch does around its products. Here a group of rows stands in the
lanes of vectors, and one call carries a whole batch through the model and back. It computes what
`runner.model` and `runner.loss` do, in another order of sums.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from runner.batches import Part
from runner.compiled.arrays import Layout, room
from runner.compiled.model import learn, losses
from runner.loss import Scores
from runner.model import Transformer


class Kernels:
    """The kernels with room to work in, for one model."""

    def __init__(self, model: Transformer) -> None:
        shape, self._model = model.shape, model
        self._tensors = list(model.parameters())
        self._layout = Layout(shape, {name: tensor.shape for name, tensor in model.named_parameters()})
        self._room = room(self._layout, shape, shape.context)
        self._sizes = (shape.heads, -(-(shape.width // shape.heads) // 4) * 4, shape.width)
        self._packed = np.zeros(len(self._layout.read), np.float32)
        self._weights = self._layout.weights(self._packed)
        self._flat = torch.zeros(self._layout.size + 1)
        self._read()

    def learn(self, part: Part, scale: float) -> Tensor:
        """The loss of each scored position; the gradients of `scale` × their sum are added to the parameters'."""
        self._read()
        ends, blocks, turned = self._weights
        packed, dends, dblocks = self._layout.gradients()
        loss, hit = np.empty(len(part.targets_N), np.float32), np.empty(len(part.targets_N), np.bool_)
        learn(
            part.ids_BT.numpy(), _places(part), part.targets_N.numpy(), ends, blocks, *self._room,
            (*self._sizes, len(self._model.unembedding)), loss, hit, np.float32(scale), turned, dends, dblocks,
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


def _places(part: Part) -> np.ndarray:
    """The scored positions in the flattened rows."""
    rows, length = part.ids_BT.shape
    if part.chosen_N is None and part.queries_BS is None:
        return np.arange(rows * length)
    if part.queries_BS is None:
        return part.chosen_N.numpy()
    flat = (part.queries_BS + length * torch.arange(rows)[:, None]).flatten()
    return flat[part.chosen_N].numpy()
