"""How a part of a batch becomes gradients: by PyTorch's autograd, or by the kernels of `runner.compiled`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from procdsl.plan import Plan, TrainOperation
from runner import devices
from runner.batches import Part
from runner.devices import World
from runner.execution import Execution
from runner.loss import cross_entropy
from runner.model import Transformer, hidden
from runner.sharpening import Sharpened

# Adds the gradients of a factor × the summed loss of a part to the parameters'; the loss of each target, and
# factor × the entropy of attention where that is trained (else of length 0).
Learn = Callable[[Part, float], tuple[Tensor, Tensor]]


def learner(
    plan: Plan, operation: TrainOperation, model: Transformer, execution: Execution, world: World
) -> Learn:
    """What trains a phase here."""
    if devices.by_kernels(plan, operation, execution, world):
        # Numba takes a second to import, and larger models have no use for it.
        from runner.compiled import Kernels

        kernels = Kernels(model)
        return lambda part, scale: (kernels.learn(part, scale), torch.zeros(0))
    return _by_autograd(operation, model, execution)


def _by_autograd(operation: TrainOperation, model: Transformer, execution: Execution) -> Learn:
    forward, device = devices.compiled(model, execution), torch.device(execution.device)
    sharpened = Sharpened(model) if operation.attention_entropy else None

    def learn(part: Part, scale: float) -> tuple[Tensor, Tensor]:
        entropy = torch.zeros(0, device=device)
        with devices.autocast(device, operation.precision):
            hidden_NC = hidden(sharpened or forward, part.ids_BT, part.queries_BS, part.chosen_N)
            scaled, loss_N = cross_entropy(hidden_NC, model.unembedding, part.targets_N, scale)
            if sharpened is not None and operation.attention_entropy:
                entropy = sharpened.entropy(part) * scale
                scaled = scaled + operation.attention_entropy * entropy
        torch.autograd.backward(scaled)
        return loss_N, entropy.detach()

    return learn
