"""A study as written: the whole of one spec, as typed values."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from procdsl.grammars.base import AnyGrammar
from procdsl.kinds import AnyKind
from procdsl.language.base import Name, Spec
from procdsl.language.corpora.base import Corpus
from procdsl.language.curricula import CurriculumSpec
from procdsl.language.evaluations.base import Evaluation
from procdsl.language.model import ModelSpec
from procdsl.language.optimiser import TrainingSpec
from procdsl.language.quantities import Seed, Seeds
from procdsl.language.searches import SearchSpec
from procdsl.language.sources.base import Source
from procdsl.language.transfers import TransferSpec

AnySource = Annotated[Source, AnyKind()]
AnyCorpus = Annotated[Corpus, AnyKind()]
AnyEvaluation = Annotated[Evaluation, AnyKind()]


def _labelled(value: Any) -> Any:
    return {name: name for name in value} if isinstance(value, list | tuple) else value


Curricula = Annotated[
    dict[Name, Name],
    BeforeValidator(_labelled, json_schema_input_type=tuple[Name, ...] | dict[Name, Name]),
    Field(min_length=1),
]


class CompareSpec(Spec):
    """What is compared: `metric` is "<evaluation>/<metric>".

    `baseline` is the curriculum the others are set against, without it the one that says so itself.
    `curricula` are a list, or a table that calls each by what to show: ``{ dyck = "dyck_k64" }``.
    With `threshold` the comparison shows how many steps each seed takes to that value of the metric.
    """

    metric: str
    baseline: Name | None = None
    curricula: Curricula | None = None
    threshold: float | None = None


class ExperimentSpec(Spec):
    """Grammars, sources, corpora, curricula, transfers, evaluations and seeds of one study.

    `compare` is the comparison it is made for. Where there are several (of two texts, of tasks), each is one
    of `comparisons`, by default of all curricula that its evaluation is made in.

    `seeds` give each trial its initialisation and its data, by separate streams; `data_seed` fixes the
    data alone, so that only the initialisation differs between seeds.
    """

    procdsl: Literal[1]
    name: Name
    question: str = ""
    seeds: Seeds
    data_seed: Seed | None = None
    grammars: dict[Name, AnyGrammar] = Field(default={})
    sources: dict[Name, AnySource] = Field(default={})
    corpora: dict[Name, AnyCorpus] = Field(default={})
    model: ModelSpec
    training: TrainingSpec
    transfers: dict[Name, TransferSpec] = Field(default={})
    curricula: dict[Name, CurriculumSpec] = Field(min_length=1)
    evaluations: dict[Name, AnyEvaluation] = Field(default={})
    compare: CompareSpec | None = None
    comparisons: dict[Name, CompareSpec] = Field(default={})
    searches: dict[Name, SearchSpec] = Field(default={})

    def compared(self) -> dict[tuple[str, ...], CompareSpec]:
        """Every comparison by its path: `compare` first."""
        first: dict[tuple[str, ...], CompareSpec] = {("compare",): self.compare} if self.compare else {}
        return first | {("comparisons", name): spec for name, spec in self.comparisons.items()}
