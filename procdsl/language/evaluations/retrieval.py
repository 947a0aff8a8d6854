"""Verbatim retrieval: whether a list that was read is still there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from procdsl.grammars.base import Problem
from procdsl.language.evaluations.base import Evaluation
from procdsl.language.sources.base import Procedural
from procdsl.programs.measurements.retrieval import RetrievalMeasurement


class Retrieval(Evaluation):
    """Loss on the second occurrence of a list of tokens against the first (after Armeni et al. 2022).

    A row is made of the corpus' held-out text: a list of `items` different tokens in an order of chance,
    `between` tokens of text, the list again. `first` and `second` are the mean losses on the two lists, in
    nats a token, `ratio` is second over first: one, where nothing is retrieved. `second/item_1` and so on go
    by place: the first item is hard to foresee, those behind it need only be copied. `whole` is the loss over
    the whole row, which published code reports (Hu et al. 2025).

    ```toml
    kind    = "retrieval"
    on      = "c4"
    items   = 10
    between = 40
    ```
    """

    kind: Literal["retrieval"]
    split: Literal["validation"] = "validation"
    items: int = Field(default=10, ge=1, le=10_000)
    between: int = Field(default=40, ge=0, le=100_000)

    def measurement(self, source: str, on: Procedural | None) -> RetrievalMeasurement:
        return RetrievalMeasurement(source=source, rows=self.rows, items=self.items, between=self.between)

    def metrics(self, on: Procedural | None) -> Mapping[str, bool]:
        return dict.fromkeys(("ratio", "first", "second", "whole", "second/item_*"), True)

    def feeds(self) -> int:
        return 2 * self.items + self.between

    def problems(self, on: Procedural | None) -> Iterator[Problem]:
        if on is not None:
            message = f"{self.on} is no text: its words are drawn as they are"
            yield Problem(
                "P331", message, ("on",), 'name a corpus; a task with output = "input" asks for a copy'
            )
