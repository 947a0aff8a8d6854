"""Grammaticality: what a model takes for legal, and what it writes itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from procdsl import recognisers
from procdsl.grammars.base import Problem
from procdsl.language.evaluations.base import Evaluation
from procdsl.language.sources.base import Procedural
from procdsl.programs.measurements.grammaticality import GrammaticalityMeasurement


class Grammaticality(Evaluation):
    """Probability on the symbols that may come next, and the share of a model's own words that are words.

    Legal is what some word of the language goes on with, of whatever length, its end included. `mass` is the
    mean probability of all that is legal, `argmax_legal` how often the likeliest token is. Of brackets, by
    how many are open (`mass/depth_3`), and where one closes by how far back its partner stands
    (`mass/distance_5_8`). `words` words are drawn from the model at temperature 1, by random numbers with
    addresses; `accepted` is the share of them that the grammar accepts.

    ```toml
    kind  = "grammaticality"
    on    = "dyck"
    words = 100
    after = "warmup"
    ```
    """

    kind: Literal["grammaticality"]
    words: int = Field(default=64, ge=0, le=1_000_000)

    def measurement(self, source: str, on: Procedural | None) -> GrammaticalityMeasurement:
        return GrammaticalityMeasurement(source=source, split=self.split, rows=self.rows, words=self.words)

    def metrics(self, on: Procedural | None) -> Mapping[str, bool]:
        names = ["mass", "argmax_legal", *(["accepted"] if self.words else [])]
        if on is not None and recognisers.nests(on.program()):
            names += ["mass/depth_*", "mass/distance_*"]
        return dict.fromkeys(names, False)

    def problems(self, on: Procedural | None) -> Iterator[Problem]:
        if on is None or not recognisers.reads(on.program()):
            what = (
                "a text has no grammar"
                if on is None
                else f"nothing reads words of {self.on} symbol by symbol"
            )
            help = 'name brackets, an automaton or context-free rules, or use kind = "loss"'
            yield Problem("P343", what, ("on",), help)
