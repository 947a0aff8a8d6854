"""Measurements: what a model is asked, and what it is told for it. One module a kind, found by its name.

``runner.measures.x`` holds ``prepared(setting)``, which makes once what a measurement of kind *x* needs, and
gives what takes it again and again. Sums are in float64 and nothing is dropped out, so a measurement is a
function of the parameters. Numbers of one sort, by length, by layer or by whatever else, are called
``<metric>/<place>``.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol

import torch

from procdsl.plan import GenerateOperation, MeasureOperation, Plan, PrepareOperation, TrainOperation
from runner import devices
from runner.execution import Execution
from runner.model import Transformer
from runner.sources import source
from runner.store import Store


@dataclass(frozen=True)
class Setting:
    """A measurement and the phase it is made in."""

    plan: Plan
    measure: MeasureOperation
    operation: TrainOperation
    store: Store
    execution: Execution

    @property
    def device(self) -> torch.device:
        return torch.device(self.execution.device)

    @property
    def source(self) -> GenerateOperation | PrepareOperation:
        """The rows' operation; of a text, the corpus whose tokenizer reads it."""
        return source(self.plan, self.measure.measurement.source, self.store)


class Measuring(Protocol):
    """What is made once for a measurement."""

    def metrics(self, model: Transformer) -> dict[str, float]:
        """The numbers of this model."""


def prepared(setting: Setting) -> Measuring:
    """The measurement, made ready."""
    module = importlib.import_module(f"runner.measures.{setting.measure.measurement.kind}")
    made: Measuring = module.prepared(setting)
    return made


def taken(measuring: Measuring, model: Transformer, setting: Setting) -> dict[str, float]:
    """A measurement of a model: without dropout, in the precision that it is trained in."""
    model.eval()
    with torch.inference_mode(), devices.autocast(setting.device, setting.operation.precision):
        return measuring.metrics(model)
