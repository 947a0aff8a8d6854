"""A study as written: the whole of one spec, as typed values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from procdsl.grammars.base import AnyGrammar
from procdsl.kinds import any_of
from procdsl.language.base import Name, Spec
from procdsl.language.corpora import AnyCorpus
from procdsl.language.curricula import CurriculumSpec
from procdsl.language.evaluations.base import Evaluation
from procdsl.language.model import ModelSpec
from procdsl.language.optimiser import TrainingSpec
from procdsl.language.quantities import Seed, Seeds
from procdsl.language.sources.base import Source
from procdsl.language.transfers import TransferSpec

if TYPE_CHECKING:
    AnySource = Source
    AnyEvaluation = Evaluation
else:
    AnySource = any_of(Source)
    AnyEvaluation = any_of(Evaluation)


class CompareSpec(Spec):
    """What is compared: `metric` is "<evaluation>/<metric>"."""

    metric: str


class ExperimentSpec(Spec):
    """Grammars, sources, corpora, curricula, transfers, evaluations and seeds of one study.

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
