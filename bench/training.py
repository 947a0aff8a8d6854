"""How fast a training step is against plain ways to write it, in one run: on this CPU, on one thread.

    python -m bench training

demo     2 layers of width 128, context 128, 1,024 ids, 32 rows, every position scored
needle   2 layers of width 16, 1,000 rows of up to 63 positions, one scored position a row
dyck     2 layers of width 16, 64 rows of 128 positions, 18 ids, every position scored

"Hugging Face" is GPT2LMHeadModel with all logits in float32, clipping and AdamW: the step of its Trainer
without the Trainer's own 6 %. "plain" is this model with `F.linear` and all logits, "procdsl" this model as
`runner.train` steps it through autograd, and "kernels" as it steps small ones. All update the same way.

Last, steps of replicas as one batched model against as many one after another, both through autograd, on
the accelerator where there is one. Of two rows of eight positions it is the launches that are timed.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from transformers import GPT2Config, GPT2LMHeadModel

from procdsl.plan import Feed, ModelShape, Optimiser, Schedule, Stage, TrainOperation, Vocabulary
from runner import batches, devices, optimiser
from runner.compiled import Kernels
from runner.initial import initial
from runner.layouts import config, to_hugging_face
from runner.loss import cross_entropy
from runner.model import Transformer, hidden
from runner.record import Counters
from runner.replicas.stack import Stack
from runner.train import TrainState, Turn

Step = Callable[[], None]
SETTINGS = Optimiser(lr=1e-3)
CPU = torch.device("cpu")
REPEATS = 5


def ours(
    shape: ModelShape, vocabulary: int, ids: np.ndarray, scored: np.ndarray, device: torch.device = CPU
) -> Step:
    """The step of `runner.train`: parts, scored positions only, the faster product."""
    model = initial(shape, vocabulary, 0).to(device).train()

    def learn(part: batches.Part, scale: float) -> object:
        part = part.to(device)
        states = hidden(model, part.ids_BT, part.queries_BS, part.chosen_N)
        loss, _ = cross_entropy(states, model.unembedding, part.targets_N, scale)
        return torch.autograd.backward(loss)

    rows = devices.part_rows(device, shape.width, ids.shape[1] - 1)
    return _stepping(model, learn, ids, scored, rows)


def side_by_side(
    shape: ModelShape,
    vocabulary: int,
    ids: np.ndarray,
    scored: np.ndarray,
    replicas: int,
    device: torch.device,
) -> Step:
    """The step of so many replicas."""
    models = [initial(shape, vocabulary, seed).to(device) for seed in range(replicas)]
    states = [TrainState(model, optimiser.build(SETTINGS, model), Counters()) for model in models]
    context, rows = ids.shape[1] - 1, devices.part_rows(device, shape.width * replicas, ids.shape[1] - 1)
    operation = TrainOperation(
        id="bench", seed=0, data_seed=0, model=shape, vocabulary=Vocabulary(text_size=vocabulary),
        context=context, batch_rows=len(ids), feeds=(Feed(source="rows"),), optimiser=SETTINGS,
        stages=(Stage(steps=1, shares=(1.0,)),), schedule=Schedule(),
    )  # fmt: skip
    stack = Stack()

    def step() -> None:
        turns = []
        for state in states:
            parts = batches.parts(ids, scored, np.zeros(len(ids), np.uint8), rows)
            batch = batches.Batch(0, (len(ids),), (sum(len(part.targets_N) for part in parts),), parts)
            turns.append(Turn(operation, state, batch, 1e-3))
        stack.step(turns)

    return step


def kernels(shape: ModelShape, vocabulary: int, ids: np.ndarray, scored: np.ndarray) -> Step:
    """The step of `runner.train` for small models."""
    model = initial(shape, vocabulary, 0).train()
    return _stepping(model, Kernels(model).learn, ids, scored, len(ids))


def _stepping(
    model: Transformer,
    learn: Callable[[batches.Part, float], object],
    ids: np.ndarray,
    scored: np.ndarray,
    rows: int,
) -> Step:
    adamw = optimiser.build(SETTINGS, model)

    def step() -> None:
        parts = batches.parts(ids, scored, np.zeros(len(ids), np.uint8), rows)
        scale = 1 / sum(len(part.targets_N) for part in parts)
        for part in parts:
            learn(part, scale)
        norm = optimiser.clip([tensor.grad for tensor in model.parameters() if tensor.grad is not None], 1.0)
        optimiser.step(adamw, rate=1e-3, skip=~torch.isfinite(norm))

    return step


def plain(shape: ModelShape, vocabulary: int, ids: np.ndarray, scored: np.ndarray) -> Step:
    """The same model with PyTorch's own product, all logits, all rows at once."""
    model = initial(shape, vocabulary, 0).train()
    adamw = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    fed, targets = _labelled(ids, scored)

    def step() -> None:
        product, devices.FAST_PRODUCT = devices.FAST_PRODUCT, None
        loss = F.cross_entropy(model.logits(fed[:, :-1]).flatten(0, 1), targets.flatten())
        torch.autograd.backward(loss)
        devices.FAST_PRODUCT = product
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adamw.step()
        adamw.zero_grad()

    return step


def hugging_face(shape: ModelShape, vocabulary: int, ids: np.ndarray, scored: np.ndarray) -> Step:
    """The step that Hugging Face's Trainer takes."""
    model = GPT2LMHeadModel(GPT2Config(**config(shape, vocabulary))).train()
    model.load_state_dict(to_hugging_face(initial(shape, vocabulary, 0).state_dict()))
    adamw = torch.optim.AdamW(model.parameters(), lr=1e-3)
    fed, targets = _labelled(ids, scored)

    def step() -> None:
        logits = model(input_ids=fed[:, :-1]).logits.float()
        torch.autograd.backward(F.cross_entropy(logits.flatten(0, 1), targets.flatten()))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adamw.step()
        adamw.zero_grad()

    return step


def demo() -> tuple[ModelShape, int, np.ndarray, np.ndarray]:
    ids = np.random.default_rng(0).integers(0, 1024, (32, 129), dtype=np.int32)
    return ModelShape(layers=2, heads=4, width=128, context=128), 1024, ids, np.ones(ids.shape, np.uint8)


def needle() -> tuple[ModelShape, int, np.ndarray, np.ndarray]:
    """Rows of 1 to 30 pairs and a question: only the answer is scored."""
    draw = np.random.default_rng(0)
    ids = draw.integers(0, 128, (1000, 64), dtype=np.int32)
    scored = np.zeros(ids.shape, np.uint8)
    scored[np.arange(1000), 2 * draw.integers(1, 31, 1000) + 2] = 1
    return ModelShape(layers=2, heads=4, width=16, context=63), 128, ids, scored


def dyck() -> tuple[ModelShape, int, np.ndarray, np.ndarray]:
    ids = np.random.default_rng(0).integers(0, 18, (64, 129), dtype=np.int32)
    return ModelShape(layers=2, heads=4, width=16, context=128), 18, ids, np.ones(ids.shape, np.uint8)


def main() -> None:
    torch.set_num_threads(1)
    ways = {"Hugging Face": hugging_face, "plain": plain, "procdsl": ours, "kernels": kernels}
    for name, case in {"demo": demo(), "needle": needle(), "dyck": dyck()}.items():
        steps = {way: make(*case) for way, make in ways.items()}
        seconds = _seconds(steps)
        fed = case[2][:, 1:].size
        for way, taken in seconds.items():
            against = seconds["Hugging Face"] / taken
            line = (
                f"{name:8} {way:14} {1000 * taken:8.1f} ms  {fed / taken:9,.0f} tokens/s  {against:5.2f}×\n"
            )
            sys.stdout.write(line)
    _replicas(torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def _replicas(device: torch.device) -> None:
    """Replicas of needle models, batched against one after another."""
    shape, vocabulary, ids, scored = needle()
    for count in (8, 32):
        for name, rows in {"needle": ids, "two rows": ids[:2, :9]}.items():
            case = shape, vocabulary, rows, scored if rows is ids else np.ones(rows.shape, np.uint8)
            lone = ours(*case, device)
            steps = {"one": lone, "all": side_by_side(*case, count, device)}
            seconds = _seconds(steps, device)
            one_by_one, together = count * seconds["one"], seconds["all"]
            line = f"{1000 * one_by_one:8.1f} ms one by one {1000 * together:8.1f} ms batched"
            ratio = one_by_one / together
            sys.stdout.write(f"{name:8} {count:2} replicas on {device.type} {line} {ratio:5.2f}×\n")


def _seconds(steps: dict[str, Step], device: torch.device = CPU) -> dict[str, float]:
    """Median seconds of each (on a CPU: of its own), taken in turns so that all meet the same machine."""
    taken: dict[str, list[float]] = {way: [] for way in steps}
    for step in steps.values():
        step()
    for _ in range(REPEATS):
        for way, step in steps.items():
            began = _clock(device)
            step()
            taken[way].append(_clock(device) - began)
    return {way: statistics.median(times) for way, times in taken.items()}


def _clock(device: torch.device) -> float:
    if device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def _labelled(ids: np.ndarray, scored: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """All ids, and the targets of the fed positions with -100 where none is scored."""
    targets = np.where(scored[:, 1:] != 0, ids[:, 1:], -100)
    return torch.from_numpy(ids.astype(np.int64)), torch.from_numpy(targets.astype(np.int64))


if __name__ == "__main__":
    main()
