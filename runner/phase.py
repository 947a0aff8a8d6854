"""A phase that is trained: what stays the same meanwhile, of the plan and of where it is carried out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from procdsl.plan import Plan, TrainOperation
from runner import devices
from runner.devices import World
from runner.events import Event, Observer
from runner.execution import Execution
from runner.store import Store


@dataclass(frozen=True)
class Phase:
    """Train operation `operation` of a plan, whose output comes into `place`."""

    plan: Plan
    operation: TrainOperation
    store: Store
    place: Path
    execution: Execution
    observe: Observer
    device: torch.device
    world: World

    @property
    def conditions(self) -> dict[str, str | int | bool]:
        """What the last bits of a sum depend on, beside the operation: recorded, never hashed."""
        return devices.conditions(self.plan, self.operation, self.execution, self.world)

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        wanted = self.operation
        return wanted.schedule.rate(wanted.optimiser.lr, wanted.steps, step)

    def tokens(self, step: int) -> int:
        """The positions fed in so many steps."""
        return step * self.operation.batch_rows * self.operation.context

    def tell(self, event: str, /, **facts: object) -> None:
        """Say to whoever watches what has happened in it."""
        self.observe(Event(event, self.operation.id, facts))
