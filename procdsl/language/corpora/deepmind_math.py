"""Mathematics in questions and answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.language.corpora.base import TextCorpus
from procdsl.language.tokenizers import CharactersTokenizerSpec
from procdsl.plan.sources.problems import ProblemsSource

Part = Literal["train-easy", "train-medium", "train-hard", "interpolate", "extrapolate"]


class MathCorpus(TextCorpus):
    """Mathematics of Saxton et al. 2019, character by character: only answers are scored.

    `path` is a folder of the published layout, a file for each module in a folder for each part, or a data
    set of the Hub that has it; without one, arithmetic and algebra of that form are made here. A row is one
    problem, or with `pack` as many as fit. As published: `pack = true`, `row = 512`, and `end = false`: no
    end of the answer is learnt. Of parts to be measured on alone, hold out nearly all: `validation = 0.9`.

    ```toml
    kind    = "deepmind_math"
    parts   = ["train-easy"]
    modules = ["arithmetic__*"]
    ```
    """

    kind: Literal["deepmind_math"]
    path: str | None = Field(default=None, min_length=1)
    revision: str | None = None
    parts: tuple[Part, ...] = Field(default=("train-easy", "train-medium", "train-hard"), min_length=1)
    # Which modules, as patterns: arithmetic__*.
    modules: tuple[str, ...] = Field(default=("*",), min_length=1)
    row: int = Field(default=256, ge=8, le=65_534)
    pack: bool = False
    end: bool = True
    fallback: Literal["generated"] | None = None

    @property
    def tokenizer(self) -> CharactersTokenizerSpec:
        return CharactersTokenizerSpec(kind="characters", end=self.end)

    def source(self) -> ProblemsSource:
        return self._problems(self.path)

    def instead(self) -> ProblemsSource | None:
        return self._problems(None) if self.fallback else None

    def problem_row(self) -> int:
        return self.row

    def _problems(self, path: str | None) -> ProblemsSource:
        fields = self.model_dump(include={"parts", "modules", "row", "pack"})
        return ProblemsSource(path=path, revision=self.revision if path else None, **fields)
