"""Answers of a task: right or wrong, token by token and whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from procdsl.grammars.base import Problem
from procdsl.language.evaluations.base import Evaluation
from procdsl.language.sources.base import Procedural
from procdsl.programs.measurements.answer import AnswerMeasurement


class Answer(Evaluation):
    """Token accuracy and exact match over the answers of held-out prompts, by length and by place as well.

    Teacher-forced: an answer is an exact match if each of its scored tokens is the likeliest one after what
    is right before it, which is so if and only if greedy generation writes that answer.
    `exact_match/prompt_12` is that of prompts of 12 tokens (all that stands before the first scored one),
    `token_accuracy/answer_3` that of third scored tokens; beyond 64, lengths are put together by doubling
    (`prompt_65_128`).

    ```toml
    kind  = "answer"
    on    = "needle"
    every = "250 steps"
    ```
    """

    of_answers: ClassVar[bool] = True
    kind: Literal["answer"]

    def measurement(self, source: str, on: Procedural | None) -> AnswerMeasurement:
        return AnswerMeasurement(source=source, split=self.split, rows=self.rows)

    def metrics(self, on: Procedural | None) -> Mapping[str, bool]:
        whole = {"token_accuracy": False, "exact_match": False, "loss": True}
        by = ("exact_match/prompt_*", "token_accuracy/prompt_*", "token_accuracy/answer_*")
        return whole | dict.fromkeys(by, False)

    def problems(self, on: Procedural | None) -> Iterator[Problem]:
        if on is None:
            yield Problem("P331", "a text has no answers", ("on",), 'use kind = "loss", or name a task')
