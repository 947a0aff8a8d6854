"""Minimal pairs: two sentences that differ in one thing, and which of them a model holds for likelier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from procdsl import recognisers
from procdsl.grammars.base import Problem
from procdsl.language.evaluations.base import Evaluation, one_or_more
from procdsl.language.sources.base import Procedural
from procdsl.programs.measurements.minimal_pairs import MinimalPairsMeasurement

Files = Annotated[tuple[str, ...], BeforeValidator(one_or_more, json_schema_input_type=str | tuple[str, ...])]


class MinimalPairs(Evaluation):
    """How often the right one of two sentences is the likelier, as in BLiMP (Warstadt et al. 2020).

    `files` are .jsonl files, globs, or folders of them, relative to the spec: a pair a line, in
    `sentence_good` and `sentence_bad`; each file is a subset, with an `accuracy/<its name>` of its own. The
    log-probabilities of all tokens are summed, the first given the corpus' document separator (`begin =
    "nothing"` leaves it out, as published code does). Pairs that are equally likely count as wrong; `ties`
    is their share. Pairs longer than the model's context are left out and counted, `left_out`; the divisor
    is the number of pairs that are there, at most `rows` of a file.

    On a grammar there are no files: the pairs are held-out words, and each with one symbol replaced at
    random so that it is no word any more.

    ```toml
    kind  = "minimal_pairs"
    on    = "dyck"
    rows  = 500
    ```
    """

    steers: ClassVar[bool] = False
    kind: Literal["minimal_pairs"]
    rows: int = Field(default=1_000, ge=1, le=10_000_000)
    files: Files = ()
    begin: Literal["separator", "nothing"] = "separator"

    def measurement(self, source: str, on: Procedural | None) -> MinimalPairsMeasurement:
        return MinimalPairsMeasurement(
            source=source, split=self.split, rows=self.rows, files=self.files, begin=self.begin
        )

    def metrics(self, on: Procedural | None) -> Mapping[str, bool]:
        subsets = {"accuracy/*": False} if on is None else {}
        return {"accuracy": False, "ties": True, "left_out": True, **subsets}

    def text_rows(self) -> int:
        return 0

    def problems(self, on: Procedural | None) -> Iterator[Problem]:
        if on is None and not self.files:
            message = "a text has no pairs of its own"
            yield Problem("P331", message, ("on",), 'files = "blimp", or name a grammar')
        elif on is not None and self.files:
            message = f"sentences are read by a corpus' tokenizer, and {self.on} is none"
            yield Problem("P331", message, ("on",), "name a corpus, or leave out the files")
        elif on is not None and not recognisers.reads(on.program()):
            message = f"nothing tells which words belong to {self.on}"
            yield Problem("P331", message, ("on",), "name brackets, an automaton or context-free rules")
