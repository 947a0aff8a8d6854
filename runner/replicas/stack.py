"""R models trained as one: their tensors are rows of matrices, and every kernel works on all of them.

Clipping and AdamW are those of `runner.optimiser`, with numbers of its own for each replica. A replica's
model and optimiser stay the objects that they are alone, their tensors now lying in the matrices: who
measures, saves or goes on with one of them sees no difference.

R replicas, N scored positions, V ids, F feeds; P numbers that are trained, in K tensors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest

import torch
import torch.nn.functional as F
from torch import Tensor

from procdsl.plan import Optimiser
from runner import devices
from runner.devices import Later
from runner.optimiser import is_decayed
from runner.replicas.model import hidden
from runner.replicas.parts import UNSCORED, Fed, fed
from runner.train import TrainState, Turn

_AVERAGES = ("exp_avg", "exp_avg_sq")


class Stack:
    """Takes the steps of replicas; laid out anew whenever they are others than before."""

    def __init__(self) -> None:
        self._models: _Models | None = None
        self._adamw: _AdamW | None = None
        self._states: list[TrainState] = []

    def step(self, turns: Sequence[Turn]) -> list[Later]:
        """One update of each; their numbers, as `Recorder` takes them."""
        if self._models is None or self._adamw is None or not self._holds(turns):
            self._states = [turn.state for turn in turns]
            self._models = _Models(turns)
            self._adamw = _AdamW(turns, self._models.values_RP)
        numbers = devices.later(_step(self._models, self._adamw, turns))
        widths = (4 + len(turn.operation.feeds) for turn in turns)
        rows = zip(numbers.numbers, widths, strict=True)
        return [Later(row[:width], numbers.copied) for row, width in rows]

    def _holds(self, turns: Sequence[Turn]) -> bool:
        return [id(state) for state in self._states] == [id(turn.state) for turn in turns]


def _step(models: _Models, adamw: _AdamW, turns: Sequence[Turn]) -> Tensor:
    """One update; R × (4 + F): loss, gradient norm, whether skipped, no stop, and each feed's summed losses.

    A replica whose loss or gradient is not finite stays as it is, and no other notices.
    """
    device = models.values_RP.device
    told = [[turn.rate for turn in turns], [1 / turn.batch.scored for turn in turns]]
    sent = torch.tensor(told, dtype=torch.float64, pin_memory=device.type == "cuda")
    rate_R, scale_R = sent.to(device, non_blocking=True)
    scale_R = scale_R.float()
    sums_RF = torch.zeros(len(turns), max(len(turn.operation.feeds) for turn in turns), device=device)
    gradient_RP = torch.zeros_like(models.values_RP)
    for parts in zip_longest(*(turn.batch.parts for turn in turns)):
        gradient_RP += models.learn(fed(parts, device), scale_R, sums_RF)
    loss_R = sums_RF.sum(1) * scale_R
    norm_R = torch.linalg.vector_norm(gradient_RP, dim=1)
    broken_R = ~torch.isfinite(norm_R + loss_R)
    adamw.step(gradient_RP, norm_R, broken_R, rate_R)
    return torch.cat([torch.stack([loss_R, norm_R, broken_R, torch.zeros_like(loss_R)], 1), sums_RF], 1)


class _Models:
    """What is trained of the models, in one matrix, and the rest beside it."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        operation = turns[0].operation
        self._shape, self._precision = operation.model, operation.precision
        self._unembedding = "embedding.weight" if operation.model.tied else "head.weight"
        trained = [_trained(turn) for turn in turns]
        self.values_RP = _rows(trained)
        named = [dict(turn.state.model.named_parameters()) for turn in turns]
        self._weights = {
            name: torch.stack([one[name].detach() for one in named])
            for name, tensor in named[0].items()
            if not tensor.requires_grad
        }
        names = [name for name, tensor in named[0].items() if tensor.requires_grad]
        columns = self.values_RP.split([tensor.numel() for tensor in trained[0]], 1)
        self._leaves = [
            some.unflatten(1, tensor.shape).detach().requires_grad_()
            for some, tensor in zip(columns, trained[0], strict=True)
        ]
        self._weights |= zip(names, self._leaves, strict=True)
        for row, tensors in zip(self.values_RP, trained, strict=True):
            for tensor, values in zip(tensors, _cut(row, tensors), strict=True):
                tensor.data = values

    def learn(self, fed: Fed, scale_R: Tensor, sums_RF: Tensor) -> Tensor:
        """Gradients of `scale_R` × the summed losses, R × P; adds the losses of each feed to `sums_RF`."""
        with devices.autocast(scale_R.device, self._precision):
            hidden_RNC = hidden(self._weights, self._shape, fed.ids_RBT, fed.queries_RBS)
            logits_RNV = hidden_RNC @ self._weights[self._unembedding].mT
        logits, targets = logits_RNV.flatten(0, 1).float(), fed.targets_RN.flatten()
        loss_RN = F.cross_entropy(logits, targets, reduction="none", ignore_index=UNSCORED)
        loss_RN = loss_RN.view_as(fed.targets_RN)
        total = (loss_RN.sum(1) * scale_R).sum()
        gradients = torch.autograd.grad(total, self._leaves, materialize_grads=True)
        for feed in range(sums_RF.shape[1]):
            sums_RF[:, feed] += torch.where(fed.feeds_RN == feed, loss_RN.detach(), 0.0).sum(1)
        return torch.cat([gradient.flatten(1) for gradient in gradients], 1)


class _AdamW:
    """The optimisers, in matrices. A replica that is skipped has no gradient, and changes in nothing."""

    def __init__(self, turns: Sequence[Turn], values_RP: Tensor) -> None:
        settings = [turn.operation.optimiser for turn in turns]
        trained = [_trained(turn) for turn in turns]
        self._values_RP = values_RP
        self._clip_R = values_RP.new_tensor([one.clip or math.inf for one in settings])
        self._eps_R1 = values_RP.new_tensor([[one.eps] for one in settings])
        betas = values_RP.new_tensor([one.betas for one in settings], dtype=torch.float64)
        self._beta_R1, self._gamma_R1 = betas.split(1, 1)
        decays = [_decays(one, tensors) for one, tensors in zip(settings, trained, strict=True)]
        self._decay_RP = torch.stack(decays)
        held = [
            [_state(turn, tensor) for tensor in tensors] for turn, tensors in zip(turns, trained, strict=True)
        ]
        self._steps_RK = _rows([[one["step"] for one in states] for states in held])
        self._first_RP, self._second_RP = (
            _rows([[one[name] for one in states] for states in held]) for name in _AVERAGES
        )
        for r, (turn, tensors) in enumerate(zip(turns, trained, strict=True)):
            averages = zip(_cut(self._first_RP[r], tensors), _cut(self._second_RP[r], tensors), strict=True)
            for tensor, step, state in zip(tensors, self._steps_RK[r], averages, strict=True):
                turn.state.optimiser.state[tensor] = {
                    "step": step,
                    **dict(zip(_AVERAGES, state, strict=True)),
                }

    def step(self, gradient_RP: Tensor, norm_R: Tensor, broken_R: Tensor, rate_R: Tensor) -> None:
        """Clip and update, with corrections in double precision, as PyTorch's own kernels make them."""
        kept_R1 = ~broken_R[:, None]
        factor_R = torch.clamp(self._clip_R / (norm_R + 1e-6), max=1.0)
        gradient_RP = torch.where(kept_R1, gradient_RP * factor_R[:, None], 0.0)
        self._steps_RK += kept_R1
        step_R1 = self._steps_RK[:, :1].double().clamp(min=1)
        rate_R1 = torch.where(kept_R1, rate_R[:, None], 0.0)
        size_R1 = (rate_R1 / (1 - self._beta_R1**step_R1)).float()
        root_R1 = (1 - self._gamma_R1**step_R1).sqrt().float()
        self._values_RP.mul_(1 - rate_R1.float() * self._decay_RP)
        self._first_RP.lerp_(gradient_RP, torch.where(kept_R1, 1 - self._beta_R1, 0.0).float())
        self._second_RP.mul_(torch.where(kept_R1, self._gamma_R1, 1.0).float())
        self._second_RP.addcmul_(gradient_RP, gradient_RP * (1 - self._gamma_R1).float())
        below_RP = self._second_RP.sqrt().div_(root_R1).add_(self._eps_R1)
        self._values_RP.addcdiv_(self._first_RP * size_R1, below_RP, value=-1)


def _trained(turn: Turn) -> list[Tensor]:
    """What is trained of a replica, in the model's order."""
    return [tensor for tensor in turn.state.model.parameters() if tensor.requires_grad]


def _state(turn: Turn, tensor: Tensor) -> dict[str, Tensor]:
    """AdamW's state of a tensor, which begins with its first step."""
    begun = {"step": tensor.new_zeros(()), **{name: torch.zeros_like(tensor) for name in _AVERAGES}}
    return turn.state.optimiser.state.get(tensor) or begun


def _decays(optimiser: Optimiser, tensors: Sequence[Tensor]) -> Tensor:
    """The weight decay of every number of a replica."""
    decayed = (optimiser.weight_decay * is_decayed(optimiser, tensor) for tensor in tensors)
    return torch.cat(
        [tensor.new_full((tensor.numel(),), decay) for tensor, decay in zip(tensors, decayed, strict=True)]
    )


def _rows(tensors: Sequence[Sequence[Tensor]]) -> Tensor:
    """The tensors of each replica as a row of a new matrix."""
    return torch.stack([torch.cat([tensor.detach().flatten() for tensor in row]) for row in tensors])


def _cut(row: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
    """A row as tensors of these shapes."""
    parts = row.split([tensor.numel() for tensor in tensors])
    return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]
