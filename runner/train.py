"""Training: one phase, one loop, one mutable state.

The loop feeds a batch, steps, and once in a while writes down, measures or saves. It draws no random number
that is not addressed: batches by step, dropout by (seed, step, part). So a run that goes on from a checkpoint
needs its step and its tensors, and gives the same numbers as one that was never stopped.

It is a generator. Alone it takes its steps itself; as one of several replicas it yields a `Turn` for each,
and whoever drives them takes the step for all (`runner.replicas.stack`) and sends its numbers back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch

from procdsl import streams
from procdsl.errors import Stopped
from procdsl.plan import Plan, TrainOperation
from runner import batches, checkpoints, devices, mastery, optimiser
from runner.batches import Batch
from runner.checkpoints import Checkpoint
from runner.devices import Later
from runner.events import Observer
from runner.execution import Execution
from runner.initial import initial
from runner.learning import Learn, learner
from runner.measure import Measures
from runner.model import Transformer, freeze
from runner.phase import Phase
from runner.record import Counters, Recorder
from runner.steering import Steering
from runner.store import Store
from runner.tracking.journal import Journal
from runner.tracking.system import watch


@dataclass
class TrainState:
    """All that changes while a phase is trained; what a checkpoint holds."""

    model: Transformer
    optimiser: torch.optim.AdamW
    counters: Counters


class Turn(NamedTuple):
    """A step that a replica wants taken. Its numbers are those of `Recorder`, without an entropy."""

    operation: TrainOperation
    state: TrainState
    batch: Batch
    rate: float


def train(
    plan: Plan,
    id: str,
    *,
    store: Store,
    place: Path,
    execution: Execution,
    observe: Observer,
    stopping: Callable[[], bool],
) -> Generator[Turn, Later, dict[str, Any]]:
    """Train operation `id` in `place`, from its last checkpoint there if it has one; facts of what came out.

    Raises Stopped, with everything saved, when `stopping` says so, and RunError when it cannot go on.
    """
    operation = plan.by_id[id]
    assert isinstance(operation, TrainOperation)
    device, world = devices.start(execution)
    phase = Phase(plan, operation, store, place, execution, observe, device, world)
    state = _begin(phase)
    counters = state.counters
    mastery.begin(operation, counters)
    counts = mastery.laid(batches.planned(operation), operation.mastery, counters.mastered)
    maker = batches.maker(plan, operation, store, execution, device, world, counts)
    alone = (execution.replicas or 1) == 1
    learn = learner(plan, operation, state.model, execution, world) if alone else None
    until = partial(mastery.horizon, operation, counters)
    with (
        Journal(place / "journal.jsonl") if world.rank == 0 else nullcontext() as journal,
        watch(journal, lambda: (counters.step, phase.tokens(counters.step)), device=execution.device),
        batches.Ahead(maker.make, range(counters.step, operation.steps), until=until) as ahead,
    ):
        record = Recorder(phase, counts, counters, journal)
        measures = Measures(phase, journal)
        steering = Steering(phase, counts, measures, counters, journal)
        _announce(phase, counters, journal)
        measures.take(state.model, counters.step)
        saved = time.monotonic()
        while not _finished(phase, state):
            stop = stopping()
            if record.stop or (stop and world.size == 1):
                record.settle()
                _save(phase, state)
                raise Stopped(f"{id} stopped after step {counters.step:,} of {operation.steps:,}")
            # ----------------------------------------------------------------
            began = time.perf_counter()
            _thaw(phase, state)
            batch = next(ahead)
            waited = time.perf_counter() - began
            rate = phase.rate(batch.step)
            if learn is None:
                numbers = yield Turn(operation, state, batch, rate)
            else:
                numbers = _step(phase, state, learn, batch, rate, stop)
            counters.step += 1
            record.put(batch, rate, numbers, waited=waited, began=began)
            # ----------------------------------------------------------------
            if measures.due(counters.step):
                record.settle()
                measures.take(state.model, counters.step)
            steering.look(state.model, counters.step)
            if time.monotonic() - saved >= execution.checkpoint_seconds and not _finished(phase, state):
                record.settle()
                _save(phase, state)
                saved = time.monotonic()
        record.finish()
        measures.end(state.model, counters.step)
        digest = _save(phase, state)
    return _facts(phase, state, record, digest)


def _thaw(phase: Phase, state: TrainState) -> None:
    """Train what is trained from this step on. The optimiser's state of a tensor begins when it is thawed."""
    operation, step = phase.operation, state.counters.step
    if any(thaw.step == step for thaw in operation.thaws):
        freeze(state.model, operation.trainable_at(step))
        state.optimiser = optimiser.rebuilt(state.optimiser, operation.optimiser, state.model)


def _step(phase: Phase, state: TrainState, learn: Learn, batch: Batch, rate: float, stop: bool) -> Later:
    """One update; its numbers (see `Recorder`).

    Whether loss and gradient are finite is decided on the device: AdamW then leaves everything as it was.
    """
    operation, device = phase.operation, phase.device
    state.model.train()
    loss = torch.zeros((), device=device)
    feeds = torch.zeros(len(operation.feeds), device=device)
    # One number more where the entropy of attention is trained.
    spread = torch.zeros(1 if operation.attention_entropy else 0, device=device)
    for number, part in enumerate(batch.parts):
        if operation.model.dropout:
            path = ("dropout", str(batch.step), str(phase.world.rank), str(number))
            torch.manual_seed(streams.key(operation.seed, *path) >> 1)
        part = part.to(device)
        loss_N, entropy = learn(part, 1 / batch.scored)
        loss += loss_N.sum() * (1 / batch.scored)
        spread += entropy
        feeds += torch.stack([loss_N[part.feed_N == feed].sum() for feed in range(len(feeds))])
    trained = [tensor for group in state.optimiser.param_groups for tensor in group["params"]]
    gradients = [torch.zeros_like(tensor) if tensor.grad is None else tensor.grad for tensor in trained]
    shared = torch.cat([loss[None], torch.full((1,), float(stop), device=device), feeds, spread])
    devices.sum_over_world(phase.world, [*gradients, shared])
    norm = optimiser.clip(gradients, operation.optimiser.clip)
    broken = ~torch.isfinite(norm + shared[0])
    optimiser.step(state.optimiser, rate=rate, skip=broken)
    return devices.later(torch.cat([shared[:1], norm[None], broken[None].float(), shared[1:]]))


def _begin(phase: Phase) -> TrainState:
    """Where to go on from: the last checkpoint, or what the phase starts from."""
    operation, plan = phase.operation, phase.plan
    with devices.one_after_another(phase.world):
        found = checkpoints.load(phase.place / "checkpoints", operation=operation.id, observe=phase.observe)
    model = initial(operation.model, operation.vocabulary.size, operation.seed)
    if found is not None:
        model.load_state_dict(found.model)
    elif operation.start is not None:
        start = plan.by_id[operation.start]
        model.load_state_dict(checkpoints.parameters(phase.store.path(start.kind, plan.key(start.id))))
    counters = Counters() if found is None else Counters(**found.facts["counters"])
    freeze(model, operation.trainable_at(counters.step))
    model.to(phase.device)
    adamw = optimiser.build(operation.optimiser, model)
    if found is None:
        return TrainState(model, adamw, counters)
    optimiser.restore(adamw, model, found.optimiser)
    counters.resumed += 1
    # Before there were replicas, all were trained alone.
    before = {"replicas": 1} | found.facts["conditions"]
    for name, now in phase.conditions.items():
        if (was := before.get(name)) != now:
            counters.inexact.append(f"{name} was {was}, now {now}, from step {counters.step}")
    return TrainState(model, adamw, counters)


def _announce(phase: Phase, counters: Counters, journal: Journal | None) -> None:
    phase.tell("start", kind="train", step=counters.step, steps=phase.operation.steps)
    if not counters.resumed or journal is None:
        return
    journal.event("resumed", s=counters.step, conditions=phase.conditions)
    if counters.inexact:
        journal.event("inexact", s=counters.step, conditions=counters.inexact)
        phase.tell("note", text=f"{phase.operation.id} does not go on exactly: {'; '.join(counters.inexact)}")


def _save(phase: Phase, state: TrainState) -> str:
    """Write a checkpoint; the digest of the parameters. The last goes without the optimiser, and alone."""
    last = _finished(phase, state)
    saved = Checkpoint(
        state.counters.step,
        dict(state.model.state_dict()),
        {} if last else optimiser.tensors(state.optimiser, state.model),
        {"counters": asdict(state.counters), "conditions": phase.conditions},
    )
    with devices.one_after_another(phase.world):
        if phase.world.rank == 0:
            digest = checkpoints.save(
                phase.place / "checkpoints", saved, keep=1 if last else checkpoints.KEEP
            )
        else:
            digest = checkpoints.digest(phase.place / "checkpoints", saved.step)
    phase.tell("checkpoint", step=saved.step)
    return digest


def _finished(phase: Phase, state: TrainState) -> bool:
    """Whether the budget is spent, or the rule that may end the phase before was met often enough."""
    operation, counters = phase.operation, state.counters
    return counters.step >= operation.steps or operation.ends(counters.met)


def _facts(phase: Phase, state: TrainState, record: Recorder, digest: str) -> dict[str, Any]:
    counters = state.counters
    return {
        "steps": counters.step,
        "tokens": phase.tokens(counters.step),
        "scored": counters.scored,
        "skipped": counters.skipped,
        "parameters": sum(tensor.numel() for tensor in state.model.parameters()),
        "digest": digest,
        "resumed": counters.resumed,
        "inexact": counters.inexact,
        "tokens_per_s": record.tokens_per_s,
        "data_wait": record.data_wait,
        "conditions": phase.conditions,
    }
