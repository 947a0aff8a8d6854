"""Answers of a task: right or wrong, token by token and whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from procdsl.grammars.base import Problem
from procdsl.language.evaluations.base import Evaluation
from procdsl.language.sources.base import Procedural
from procdsl.programs import AnswerMeasurement


class Answer(Evaluation):
    """Token accuracy and exact match over the answers of held-out prompts.

    ```toml
    kind  = "answer"
    on    = "needle"
    every = "250 steps"
    ```
    """

    kind: Literal["answer"]

    def measurement(self, source: str) -> AnswerMeasurement:
        return AnswerMeasurement(source=source, split=self.split, rows=self.rows)

    def metrics(self, on: Procedural | None) -> Mapping[str, bool]:
        return {"token_accuracy": False, "exact_match": False, "loss": True}

    def problems(self, on: Procedural | None) -> Iterator[Problem]:
        if on is None:
            yield Problem("P331", "a text has no answers", ("on",), 'use kind = "loss", or name a task')
