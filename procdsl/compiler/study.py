"""A study spelt out: every phase of every curriculum settled in whole steps, before it becomes operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from procdsl.compiler.findings import Path
from procdsl.language.curricula import PhaseSpec
from procdsl.language.evaluations.base import Evaluation
from procdsl.language.optimiser import TrainingSpec
from procdsl.language.sources.base import Procedural
from procdsl.language.study import ExperimentSpec
from procdsl.plan import ModelShape, Schedule, Stage

# A phase by its curriculum and its name.
Address = tuple[str, str]


class Layout(NamedTuple):
    """The ids of a phase: those of the corpus `text` first, then these spellings; or cells of frames.

    Where positions are frames of `cells`, the tokens spell a cell.
    """

    text: str | None
    tokens: tuple[str, ...]
    cells: int = 0

    @property
    def rows(self) -> int:
        """The rows of the embedding, those of a text's ids aside."""
        return self.cells or len(self.tokens)


class Origin(NamedTuple):
    """Where a phase starts: at another, through a transfer or as it is."""

    phase: Address
    transfer: str | None


class Phase(NamedTuple):
    """One phase, settled. `offsets` says where reading starts: tokens of a corpus, rows of a generator."""

    address: Address
    path: Path
    spec: PhaseSpec
    training: TrainingSpec
    schedule: Schedule
    model: ModelShape
    context: int
    batch_rows: int
    stages: tuple[Stage, ...]
    layout: Layout
    offsets: Mapping[str, int]
    origin: Origin | None

    @property
    def feeds(self) -> tuple[str, ...]:
        return tuple(self.spec.data)

    @property
    def steps(self) -> int:
        return sum(stage.steps for stage in self.stages)

    @property
    def tokens(self) -> int:
        return self.steps * self.batch_rows * self.context


@dataclass(frozen=True)
class Study:
    """Curricula of settled phases. `procedural` holds every grammar and source by name, `tested` their test
    parts, which differ where these have all words of one sort."""

    spec: ExperimentSpec
    procedural: Mapping[str, Procedural]
    tested: Mapping[str, Procedural]
    curricula: Mapping[str, tuple[Phase, ...]]

    def measured(self, evaluation: Evaluation) -> Procedural | None:
        """The grammar or source whose rows an evaluation is made on; None for a text."""
        parts = self.tested if evaluation.split == "test" else self.procedural
        return parts.get(evaluation.on)

    def phases(self) -> Iterator[Phase]:
        for phases in self.curricula.values():
            yield from phases

    @cached_property
    def by_address(self) -> dict[Address, Phase]:
        return {phase.address: phase for phase in self.phases()}
