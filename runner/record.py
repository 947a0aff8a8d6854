"""What a phase's steps came to: read off the device one step late, and written to the journal at a cadence.

On a GPU the numbers of a step are copied to pinned memory behind it and read while the next one runs, so that
every step is looked at and none is waited for. A point of a long phase is the mean since the point before.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from procdsl.errors import RunError
from runner.batches import Batch, names
from runner.devices import Later
from runner.phase import Phase
from runner.tracking.journal import Journal

# Steps in a row that may be skipped because a loss or a gradient was not finite.
MOST_SKIPPED = 10
# Points of a metric in a phase, at most about.
POINTS = 400
PROGRESS_SECONDS = 0.5


@dataclass
class Counters:
    """What is counted while a phase is trained; the window holds the losses since the last point.

    `met` is how often in a row the rule that ends the phase was met, `mastering` the same for each group of
    values that wait for each other, `mastered` the steps after which the next value of a group was read.
    """

    step: int = 0
    scored: int = 0
    skipped: int = 0
    skipped_in_row: int = 0
    window_sum: float = 0.0
    window_steps: int = 0
    resumed: int = 0
    met: int = 0
    mastering: list[int] = field(default_factory=list)
    mastered: list[list[int]] = field(default_factory=list)
    inexact: list[str] = field(default_factory=list)


class Recorder:
    """Takes each step's numbers: loss, gradient norm, skipped, stop, the summed loss of each feed, and the
    mean entropy of attention where that is trained."""

    def __init__(
        self, phase: Phase, counts: NDArray[np.int64], counters: Counters, journal: Journal | None
    ) -> None:
        self.phase, self.counts, self.counters, self.journal = phase, counts, counters, journal
        self.names = names(phase.plan, phase.operation)
        self.stop = False
        self.seconds = self.waited = 0.0
        self._first = counters.step
        self._every = max(1, phase.operation.steps // POINTS)
        self._pending: tuple[Batch, float, Later] | None = None
        self._point = (counters.step, 0.0, 0.0)
        self._unwritten: tuple[int, Batch, float, float, list[float]] | None = None
        self._told = 0.0

    def put(self, batch: Batch, rate: float, numbers: Later, *, waited: float, began: float) -> None:
        """Take a step's numbers, and settle those of the step before (on a CPU: its own)."""
        self.settle()
        if batch.step == self._first:
            # The first batch waits for kernels to be compiled and files to be opened: a start, not a pace.
            began, waited = began + waited, 0.0
        self.waited += waited
        self.seconds += time.perf_counter() - began
        self._pending = (batch, rate, numbers)
        if numbers.copied is None:
            self.settle()

    def settle(self) -> None:
        """Read what is pending. Raises when too many steps in a row were skipped."""
        if self._pending is None:
            return
        batch, rate, numbers = self._pending
        self._pending = None
        loss, norm, skipped, stop, *sums = numbers.read()
        self.stop = self.stop or stop > 0
        self.counters.scored += batch.scored
        if skipped:
            self._skip(batch, loss, norm)
        else:
            self.counters.skipped_in_row = 0
            self.counters.window_sum += loss
            self.counters.window_steps += 1
        step = batch.step + 1
        self._unwritten = (step, batch, rate, norm, sums)
        if step % self._every == 0:
            self._write()
        self._tell(step, loss)

    def finish(self) -> None:
        """Read what is pending, and write the point of the last step wherever the phase ended."""
        self.settle()
        self._write()

    @property
    def tokens_per_s(self) -> float:
        """Positions fed in a second of training, measurements and checkpoints aside."""
        fed = self.phase.tokens(self.counters.step - self._first)
        return fed / self.seconds if self.seconds else 0.0

    @property
    def data_wait(self) -> float:
        """The share of training's time that was spent waiting for a batch."""
        return self.waited / self.seconds if self.seconds else 0.0

    def _skip(self, batch: Batch, loss: float, norm: float) -> None:
        self.counters.skipped += 1
        self.counters.skipped_in_row += 1
        if self.journal is not None:
            rows = dict(
                zip(self.names, zip(self.counts[batch.step].tolist(), batch.rows, strict=True), strict=True)
            )
            self.journal.event("skipped", s=batch.step, loss=str(loss), grad_norm=str(norm), rows=rows)
        if self.counters.skipped_in_row >= MOST_SKIPPED:
            raise RunError(
                f"{self.phase.operation.id}: {MOST_SKIPPED} steps in a row, to step {batch.step:,}, were "
                f"skipped: loss {loss}, gradient norm {norm}; the journal has the last that were finite",
                reason="diverged",
                help="lower the learning rate, clip gradients, or train in fp32",
            )

    def _write(self) -> None:
        if self.journal is None or self._unwritten is None:
            return
        step, batch, rate, norm, sums = self._unwritten
        self._unwritten = None
        counters, (since, seconds, waited) = self.counters, self._point
        metrics = {"train/grad_norm": norm, "train/lr": rate, "train/skipped": counters.skipped}
        if counters.window_steps:
            metrics["train/loss"] = counters.window_sum / counters.window_steps
        fed = self.counts[step] / self.counts[step].sum()
        metrics |= {f"mix/{name}": share for name, share in zip(self.names, fed.tolist(), strict=True)}
        if self.phase.operation.attention_entropy:
            metrics["train/attention_entropy"] = sums.pop()
        if len(sums) > 1:
            each = zip(self.names, sums, batch.targets, strict=True)
            metrics |= {f"train/loss/{name}": total / count for name, total, count in each if count}
        if self.seconds > seconds:
            tokens = self.phase.tokens(step - since)
            metrics["perf/tokens_per_s"] = tokens / (self.seconds - seconds)
            metrics["perf/data_wait"] = (self.waited - waited) / (self.seconds - seconds)
        self.journal.log(step, self.phase.tokens(step), metrics)
        counters.window_sum, counters.window_steps = 0.0, 0
        self._point = (step, self.seconds, self.waited)

    def _tell(self, step: int, loss: float) -> None:
        now = time.monotonic()
        if now - self._told < PROGRESS_SECONDS and step < self.phase.operation.steps:
            return
        self._told = now
        self.phase.tell(
            "progress",
            step=step,
            steps=self.phase.operation.steps,
            tokens=self.phase.tokens(step),
            loss=loss,
            tokens_per_second=self.tokens_per_s,
            memory=torch.cuda.max_memory_allocated() if torch.cuda.is_initialized() else None,
        )
