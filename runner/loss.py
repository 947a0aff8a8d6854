"""Cross-entropy at scored positions, head and softmax in chunks: no logits of a whole batch, no second pass.

The gradient of the head is made in the forward pass, chunk by chunk, while the chunk's logits are in cache
(on a GPU: in memory at all). At 65,536 positions × 50,257 ids float32 logits would take 13 GB.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from runner.devices import linear, outer, product

# Logits in a chunk: 2 MiB of float32 stay in a CPU's second-level cache; 1 GiB keeps a GPU busy.
_CHUNK = {"cpu": 1 << 19, "cuda": 1 << 28}


class Scores(NamedTuple):
    """What each of N positions got: its loss in nats, and whether the likeliest id was the target.

    Of a frame: the mean loss of its cells, and the share of them whose likelier state was the target.
    """

    loss_N: Tensor
    hit_N: Tensor


def cross_entropy(
    hidden_NC: Tensor, head_VC: Tensor, targets_N: Tensor, scale: float
) -> tuple[Tensor, Tensor]:
    """`scale` × the summed loss, to be differentiated, and each position's own loss, float32, not to be.

    Targets are ids; or frames, N × V of 0 and 1, of which each cell is a coin, and a loss the cells' mean.
    """
    if targets_N.ndim == 2:
        loss_N, _ = _coins(hidden_NC, head_VC, targets_N)
        return loss_N.sum() * scale, loss_N.detach()
    if hidden_NC.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype(hidden_NC.device.type) if _autocast(hidden_NC) else hidden_NC.dtype
        hidden_NC, head_VC = hidden_NC.to(dtype), head_VC.to(dtype)
    total, loss_N = _CrossEntropy.apply(hidden_NC, head_VC, targets_N, scale)  # type: ignore[no-untyped-call]
    return total, loss_N


def scores(hidden_NC: Tensor, head_VC: Tensor, targets_N: Tensor) -> Scores:
    """Losses and hits without a gradient."""
    if targets_N.ndim == 2:
        return _coins(hidden_NC, head_VC, targets_N)
    parts = []
    for hidden, targets in _chunks(hidden_NC, head_VC, targets_N):
        logits = product(hidden, head_VC.to(hidden.dtype)).float()
        loss = -torch.log_softmax(logits, 1).gather(1, targets[:, None]).squeeze(1)
        parts.append(Scores(loss, logits.argmax(1) == targets))
    return Scores(torch.cat([part.loss_N for part in parts]), torch.cat([part.hit_N for part in parts]))


def _coins(hidden_NC: Tensor, head_VC: Tensor, targets_NV: Tensor) -> Scores:
    logits_NV = linear(hidden_NC, head_VC).float()
    wanted_NV = targets_NV.float()
    loss_NV = F.binary_cross_entropy_with_logits(logits_NV, wanted_NV, reduction="none")
    return Scores(loss_NV.mean(1), ((logits_NV > 0) == (wanted_NV > 0)).double().mean(1))


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden_NC: Tensor, head_VC: Tensor, targets_N: Tensor, scale: float
    ) -> tuple[Tensor, Tensor]:
        needs_hidden, needs_head = ctx.needs_input_grad[:2]
        grad_hidden, losses = torch.empty_like(hidden_NC), []
        grad_head = torch.zeros_like(head_VC, dtype=torch.float32) if needs_head else None
        first = 0
        with torch.autocast(hidden_NC.device.type, enabled=False):
            for hidden, targets in _chunks(hidden_NC, head_VC, targets_N):
                loss, grad_logits = _softmax(product(hidden, head_VC), targets, scale)
                losses.append(loss)
                grad_hidden[first : first + len(hidden)] = product(grad_logits, head_VC.t())
                if grad_head is not None:
                    grad_head += outer(grad_logits, hidden)
                first += len(hidden)
        ctx.save_for_backward(grad_hidden if needs_hidden else None, grad_head)
        loss_N = torch.cat(losses) if losses else hidden_NC.new_zeros(0, dtype=torch.float32)
        ctx.mark_non_differentiable(loss_N)
        ctx.dtype = head_VC.dtype
        return loss_N.sum() * scale, loss_N

    @staticmethod
    def backward(ctx: Any, outward: Tensor, _: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        grad_hidden, grad_head = ctx.saved_tensors
        hidden = None if grad_hidden is None else grad_hidden * outward.to(grad_hidden.dtype)
        head = None if grad_head is None else (grad_head * outward).to(ctx.dtype)
        return hidden, head, None, None


def _softmax(logits: Tensor, targets: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Each row's loss, and `scale` × its gradient by the logits, in the logits' precision."""
    where = targets[:, None]
    logs = torch.log_softmax(logits, 1, dtype=torch.float32)
    target = logs.gather(1, where)
    grad = logs.exp_().scatter_(1, where, target.exp() - 1).mul_(scale)
    return -target.squeeze(1), grad.to(logits.dtype)


def _chunks(hidden_NC: Tensor, head_VC: Tensor, targets_N: Tensor) -> zip[tuple[Tensor, Tensor]]:
    rows = max(64, _CHUNK[hidden_NC.device.type] // len(head_VC))
    return zip(hidden_NC.split(rows), targets_N.split(rows), strict=True)


def _autocast(hidden_NC: Tensor) -> bool:
    return torch.is_autocast_enabled(hidden_NC.device.type)
