"""AdamW, its decay groups, its steps and its state, and clipping by the global norm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from procdsl.plan import Optimiser


def build(optimiser: Optimiser, model: nn.Module) -> torch.optim.AdamW:
    """AdamW over what is trainable. Fused on CPU and GPU: one pass over each tensor, and deterministic."""
    trained = [tensor for tensor in model.parameters() if tensor.requires_grad]
    decayed = [tensor for tensor in trained if is_decayed(optimiser, tensor)]
    kept = [tensor for tensor in trained if not is_decayed(optimiser, tensor)]
    groups = [
        {"params": decayed, "weight_decay": optimiser.weight_decay},
        {"params": kept, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=optimiser.lr,
        betas=optimiser.betas,
        eps=optimiser.eps,
        fused=True,
    )


def is_decayed(optimiser: Optimiser, tensor: Tensor) -> bool:
    return optimiser.decay == "all" or tensor.ndim > 1


def rebuilt(old: torch.optim.AdamW, optimiser: Optimiser, model: nn.Module) -> torch.optim.AdamW:
    """AdamW over what is trainable now: what was trained before goes on, what was not begins."""
    model.zero_grad(set_to_none=True)
    new = build(optimiser, model)
    for group in new.param_groups:
        for tensor in group["params"]:
            if tensor in old.state:
                new.state[tensor] = old.state[tensor]
    return new


def step(optimiser: torch.optim.AdamW, *, rate: float, skip: Tensor) -> None:
    """One update at a learning rate, and no gradients afterwards; where `skip` is true nothing is changed.

    The fused kernels take that flag on the device, as PyTorch's own gradient scaler hands it to them.
    """
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.found_inf = skip.float()  # type: ignore[attr-defined]
    optimiser.grad_scale = None  # type: ignore[attr-defined]
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)


def tensors(optimiser: torch.optim.AdamW, model: nn.Module) -> dict[str, Tensor]:
    """The optimiser's state, by "<what>/<parameter>"."""
    state = optimiser.state
    named = ((name, state[tensor]) for name, tensor in model.named_parameters() if tensor in state)
    return {f"{what}/{name}": value for name, held in named for what, value in held.items()}


def restore(optimiser: torch.optim.AdamW, model: nn.Module, saved: Mapping[str, Tensor]) -> None:
    """Put saved state back, of what is still trained."""
    parameters = dict(model.named_parameters())
    for key, value in saved.items():
        what, _, name = key.partition("/")
        tensor = parameters[name]
        if tensor.requires_grad:
            optimiser.state[tensor][what] = value.to(tensor.device)


def clip(gradients: Sequence[Tensor], most: float | None) -> Tensor:
    """Scale the gradients so that their global norm is at most `most`; their norm before that."""
    norm = torch.nn.utils.get_total_norm(gradients)
    if most is not None:
        torch._foreach_mul_(list(gradients), torch.clamp(most / (norm + 1e-6), max=1.0))
    return norm
