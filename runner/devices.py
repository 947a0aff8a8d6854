"""What the device decides: threads, precision, and which matrix product is fast there.

On x86 without MKL's fast path (AMD) oneDNN's float32 product is 2.2 to 2.4 times MKL's: 215 to 230 against
90 to 100 GFLOP/s a core at this project's shapes. PyTorch reaches it only through the operator its own
compiler emits, so `linear` calls that, forwards and backwards. Which product is taken is a function of shapes
and build alone, never of a timing: equal runs take equal paths.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal, NamedTuple

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from procdsl.plan import GenerateOperation, Plan, TrainOperation
from procdsl.programs.neural import NeuralProgram
from runner.execution import Execution

Precision = Literal["fp32", "bf16"]
# Below so many multiplications the operator's own overhead (some µs) outweighs what it saves.
_SMALL = 1 << 21
# Entries of a layer's states fed at once. CPU: its widest activations (4 widths of float32) then take 4 MiB,
# the cache. GPU: 65,536 positions of GPT-2 124M on 80 GB, in proportion to its memory elsewhere.
_PART_ENTRIES = {"cpu": 1 << 18, "cuda": 3 << 24}
_PART_TOKENS = {"cpu": (1 << 10, 1 << 14), "cuda": (1 << 10, 1 << 20)}
_PART_MEMORY = 80 * 10**9
# Kernels beat PyTorch in models up to these sizes. States: of one feature row, over layers and positions.
_SMALL_WIDTH, _SMALL_VOCABULARY, _SMALL_STATES = 64, 1 << 14, 1 << 16
# They take 15 s to compile on a machine that never did: PyTorch's time for so many tokens at width 16.
_WORTH_TOKENS = 1 << 23
FAST_PRODUCT = (
    getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None
)


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """Where the forward pass runs: bfloat16 autocast, or float32 as it is."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def product(x_MK: Tensor, w_NK: Tensor, bias_N: Tensor | None = None) -> Tensor:
    """x wᵀ + bias without a gradient, by the faster library."""
    small = x_MK.shape[0] * w_NK.numel() < _SMALL
    if FAST_PRODUCT is None or small or x_MK.device.type != "cpu" or x_MK.dtype != torch.float32:
        return F.linear(x_MK, w_NK, bias_N)
    found: Tensor = FAST_PRODUCT(x_MK, w_NK, bias_N, "none", [], "")
    return found


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_MK: Tensor, w_NK: Tensor, bias_N: Tensor | None) -> Tensor:
        ctx.save_for_backward(x_MK, w_NK)
        return product(x_MK, w_NK, bias_N)

    @staticmethod
    def backward(ctx: Any, g_MN: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x_MK, w_NK = ctx.saved_tensors
        needs_x, needs_w, needs_bias = ctx.needs_input_grad
        grad_x = product(g_MN, w_NK.t()) if needs_x else None
        grad_w = outer(g_MN, x_MK) if needs_w else None
        return grad_x, grad_w, g_MN.sum(0) if needs_bias else None


def outer(g_MN: Tensor, x_MK: Tensor) -> Tensor:
    """gᵀ x, N × K, made with its longer side first: 190 against 150 GFLOP/s."""
    if g_MN.shape[1] > x_MK.shape[1]:
        return product(x_MK.t(), g_MN.t()).t()
    return product(g_MN.t(), x_MK.t())


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`F.linear` with the faster product, where there is one and nothing is autocast."""
    if FAST_PRODUCT is None or x.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return F.linear(x, weight, bias)
    flat: Tensor = _Linear.apply(x.reshape(-1, x.shape[-1]), weight, bias)  # type: ignore[no-untyped-call]
    return flat.view(*x.shape[:-1], weight.shape[0])


class World(NamedTuple):
    """This process among those that train one model: several only under `torchrun`."""

    rank: int
    size: int


class Later(NamedTuple):
    """Numbers on their way from the device: `read` waits for them."""

    numbers: Tensor
    copied: torch.cuda.Event | None

    def read(self) -> list[float]:
        if self.copied is not None:
            self.copied.synchronize()
        found: list[float] = self.numbers.tolist()
        return found


def later(numbers: Tensor) -> Later:
    """Have numbers copied to pinned memory behind what makes them; on a CPU they are there."""
    if numbers.device.type != "cuda":
        return Later(numbers, None)
    copied = torch.cuda.Event()
    numbers = torch.empty(numbers.shape, pin_memory=True).copy_(numbers, non_blocking=True)
    copied.record()
    return Later(numbers, copied)


# The model, or what it was compiled to: ids and the last block's queries to hidden states.
Forward = Callable[[Tensor, Tensor | None], Tensor]


def start(execution: Execution) -> tuple[torch.device, World]:
    """Set up the device and the number of threads, and join the other processes where there are any."""
    torch.set_num_threads(execution.threads)
    device = torch.device(execution.device)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        if device.type == "cuda":
            device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        if not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if dist.is_available() and dist.is_initialized():
        return device, World(dist.get_rank(), dist.get_world_size())
    return device, World(0, 1)


def sum_over_world(world: World, tensors: Sequence[Tensor]) -> None:
    """Replace tensors by their sums over all processes, in one exchange."""
    if world.size == 1:
        return
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    dist.all_reduce(flat)
    for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))


def told_by_first(world: World, device: torch.device, number: int) -> int:
    """The first process' number, in all of them: what it decides, all do."""
    told = torch.tensor([float(number) if world.rank == 0 else 0.0], device=device)
    sum_over_world(world, [told])
    return int(told.item())


@contextmanager
def one_after_another(world: World) -> Iterator[None]:
    """The first process does what is inside, then the others: they read what it wrote."""
    if world.rank > 0:
        dist.barrier()
    yield
    if world.rank == 0 and world.size > 1:
        dist.barrier()


def compiled(model: nn.Module, execution: Execution) -> Forward:
    """The model's forward pass, compiled where that was asked for."""
    forward: Forward = torch.compile(model) if execution.compile else model
    return forward


def by_kernels(plan: Plan, operation: TrainOperation, execution: Execution, world: World) -> bool:
    """Whether a phase is trained by `runner.compiled`: where that is possible, and asked for or worth it.

    Worth it is a question of the whole study, so that its trials are trained alike.
    """
    alone = world.size == 1 and (execution.replicas or 1) == 1
    possible = execution.device == "cpu" and alone and not execution.compile and _small(operation)
    if execution.kernels is not None or not possible:
        return possible and bool(execution.kernels)
    phases = (other for other in plan.of_kind(TrainOperation))
    return sum(phase.tokens for phase in phases if _small(phase)) >= _WORTH_TOKENS


def _small(operation: TrainOperation) -> bool:
    model, ids = operation.model, operation.vocabulary.size
    return (
        operation.precision == "fp32"
        and not model.dropout
        and not operation.attention_entropy
        and not operation.vocabulary.cells
        and model.width <= _SMALL_WIDTH
        and ids <= _SMALL_VOCABULARY
        and model.layers * model.width * model.context <= _SMALL_STATES
    )


def makes_rows(source: GenerateOperation, execution: Execution, device: torch.device) -> torch.device | None:
    """The device, where a source's rows are made there (`runner.device_rows`): asked for, or worth it.

    Worth it is, on a GPU, what is much arithmetic and few launches: neural automata.
    """
    worth = device.type == "cuda" and isinstance(source.program, NeuralProgram)
    return device if (worth if execution.device_rows is None else execution.device_rows) else None


def conditions(
    plan: Plan, operation: TrainOperation, execution: Execution, world: World
) -> dict[str, str | int | bool]:
    """What the last bits of a sum depend on here."""
    device = torch.device(execution.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        "device": f"{device.type} {name}",
        "threads": execution.threads,
        "torch": torch.__version__,
        "compile": execution.compile,
        "lanes": _lanes() if by_kernels(plan, operation, execution, world) else 0,
        "part_rows": rows_at_once(plan, operation, execution, world),
        "processes": world.size,
        "replicas": execution.replicas or 1,
        "product": "mkl" if FAST_PRODUCT is None else "onednn",
    }


def _lanes() -> int:
    from runner.compiled.lanes import LANES

    return LANES


def rows_at_once(plan: Plan, operation: TrainOperation, execution: Execution, world: World) -> int:
    """How many rows of a batch are fed at once; the kernels divide it into groups themselves."""
    if by_kernels(plan, operation, execution, world):
        return execution.micro_rows or operation.batch_rows
    device = torch.device(execution.device)
    width = max(operation.model.width, operation.vocabulary.cells) * (execution.replicas or 1)
    return part_rows(device, width, operation.context, execution.micro_rows)


def part_rows(device: torch.device, width: int, context: int, wanted: int | None = None) -> int:
    """How many rows are fed at once; `wanted` where somebody says."""
    entries = _PART_ENTRIES[device.type]
    if device.type == "cuda":
        entries = entries * torch.cuda.get_device_properties(device).total_memory // _PART_MEMORY
    least, most = _PART_TOKENS[device.type]
    return wanted or max(1, min(max(entries // width, least), most) // context)
