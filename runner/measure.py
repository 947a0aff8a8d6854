"""Evaluations: what held-out rows cost a model, and how many of its guesses are right.

Sums are in float64 and nothing is dropped out, so a measurement is a function of the parameters. Rows are
made once in a process. A text's loss is over the text's own ids, so that phases with other tokens beside
them compare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from procdsl.plan import GenerateOperation, MeasureOperation, Plan, PrepareOperation, TrainOperation
from procdsl.programs import AnswerMeasurement, LossMeasurement
from runner import batches, devices
from runner.batches import Part
from runner.events import Event, Observer
from runner.execution import Execution
from runner.loss import Scores, scores
from runner.model import Transformer, hidden
from runner.store import Store, read_json, write_json
from runner.tracking.journal import Journal


class Measures:
    """The measurements of one train operation, each at its steps; what is stored is not taken again."""

    def __init__(
        self,
        plan: Plan,
        operation: TrainOperation,
        store: Store,
        place: Path,
        execution: Execution,
        journal: Journal | None,
        observe: Observer,
    ) -> None:
        self.plan, self.operation, self.store, self.execution = plan, operation, store, execution
        self.folder, self.journal, self.observe = place / "measurements", journal, observe
        self._rows: dict[str, HeldOut] = {}
        self._lacking: dict[int, list[MeasureOperation]] = {}
        for measure in plan.operations:
            if isinstance(measure, MeasureOperation) and measure.train == operation.id:
                there = self._stored(measure)
                for step in measure.steps:
                    if str(step) not in there:
                        self._lacking.setdefault(step, []).append(measure)

    def due(self, step: int) -> bool:
        return step in self._lacking

    def take(self, model: Transformer, step: int) -> None:
        """Take what is due after `step` steps: into its file, the journal, and to whoever watches."""
        measures = self._lacking.pop(step, []) if self.journal is not None else []
        tokens = step * self.operation.batch_rows * self.operation.context
        for measure in measures:
            if measure.id not in self._rows:
                self._rows[measure.id] = held_out(
                    self.plan, measure, self.operation, self.store, self.execution
                )
            metrics = self._rows[measure.id].measure(model, self.operation)
            self.folder.mkdir(exist_ok=True)
            write_json(self._path(measure), self._stored(measure) | {str(step): metrics})
            assert self.journal is not None
            self.journal.log(
                step, tokens, {f"eval/{measure.name}/{name}": value for name, value in metrics.items()}
            )
            self.observe(
                Event("measured", self.operation.id, {"name": measure.name, "step": step, "metrics": metrics})
            )

    def _path(self, measure: MeasureOperation) -> Path:
        return self.folder / f"{self.plan.key(measure.id)}.json"

    def _stored(self, measure: MeasureOperation) -> dict[str, dict[str, float]]:
        path = self._path(measure)
        return dict(read_json(path)) if path.exists() else {}


@dataclass(frozen=True)
class HeldOut:
    """Rows made once, and what to say about them. `token_bytes` is there when they are text."""

    measurement: LossMeasurement | AnswerMeasurement
    source: GenerateOperation | PrepareOperation
    parts: tuple[Part, ...]
    device: torch.device
    token_bytes: torch.Tensor | None

    def measure(self, model: Transformer, operation: TrainOperation) -> dict[str, float]:
        """The metrics of these rows under a model."""
        ids = operation.vocabulary.text_size if self.token_bytes is not None else operation.vocabulary.size
        model.eval()
        total = _Sums()
        with torch.inference_mode(), devices.autocast(self.device, operation.precision):
            for part in self.parts:
                total.add(
                    part,
                    scores(
                        hidden(model, part.ids_BT, part.queries_BS, part.chosen_N),
                        model.unembedding[:ids],
                        part.targets_N,
                    ),
                )
        return self._metrics(total)

    def _metrics(self, total: _Sums) -> dict[str, float]:
        loss, accuracy = total.loss / total.targets, total.hits / total.targets
        if self.token_bytes is not None:
            read = sum(int(self.token_bytes[part.targets_N.cpu()].sum()) for part in self.parts)
            bits = total.loss / math.log(2) / read
            return {"loss": loss, "perplexity": math.exp(min(loss, 700.0)), "bits_per_byte": bits}
        if isinstance(self.measurement, AnswerMeasurement):
            return {"token_accuracy": accuracy, "exact_match": total.exact / total.rows, "loss": loss}
        floor = self.source.floor if isinstance(self.source, GenerateOperation) else None
        over = {"loss_over_floor": loss - floor.low} if floor and floor.exact else {}
        return {"loss": loss, "accuracy": accuracy, **over}


@dataclass
class _Sums:
    """Over rows: summed loss, targets, hits, rows, and rows all of whose targets were hit."""

    loss: float = 0.0
    targets: int = 0
    hits: int = 0
    rows: int = 0
    exact: int = 0

    def add(self, part: Part, got: Scores) -> None:
        rows, width = part.ids_BT.shape if part.queries_BS is None else part.queries_BS.shape
        place_N = part.chosen_N
        row_N = (
            torch.arange(len(got.hit_N), device=got.hit_N.device) if place_N is None else place_N
        ) // width
        missed = torch.zeros(rows, dtype=torch.int64, device=row_N.device).index_add_(
            0, row_N, (~got.hit_N).long()
        )
        self.loss += float(got.loss_N.double().sum())
        self.targets += len(got.loss_N)
        self.hits += int(got.hit_N.sum())
        self.rows += rows
        self.exact += int((missed == 0).sum())


def held_out(
    plan: Plan, measure: MeasureOperation, operation: TrainOperation, store: Store, execution: Execution
) -> HeldOut:
    """The rows of a measurement, on the device."""
    wanted, source = measure.measurement, plan.by_id[measure.measurement.source]
    device = torch.device(execution.device)
    rows: batches.Rows
    if isinstance(source, PrepareOperation):
        corpus = batches.open_corpora(plan, (source.id,), store)[source.id]
        rows, context, token_bytes = batches.HeldOutText(corpus), operation.context, corpus.token_bytes
    else:
        assert isinstance(source, GenerateOperation), f"{source.id} has no rows"
        rows = batches.generated(
            source, operation.vocabulary, data_seed=measure.data_seed, split=wanted.split
        )
        context, token_bytes = source.context, None
    ids = np.empty((wanted.rows, context + 1), np.int32)
    scored = np.empty(ids.shape, np.uint8)
    rows.fill(0, ids, scored)
    made = batches.parts(
        ids, scored, np.zeros(len(ids), np.uint8), devices.part_rows(device, operation.model.width, context)
    )
    return HeldOut(
        wanted,
        source,
        tuple(part.to(device) for part in made),
        device,
        None if token_bytes is None else torch.from_numpy(token_bytes.astype(np.int64)),
    )
