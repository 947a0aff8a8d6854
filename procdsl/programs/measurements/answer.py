"""Answers of a task, right or wrong."""

from __future__ import annotations

from typing import ClassVar, Literal

from procdsl.programs.measurements.base import HeldOutMeasurement


class AnswerMeasurement(HeldOutMeasurement):
    """Answers of a task: `token_accuracy`, `exact_match` and `loss` over the scored positions.

    `exact_match/prompt_*` and `token_accuracy/prompt_*`: by how many tokens stand before the first scored
    one; `token_accuracy/answer_*`: by the place among the scored ones, from 1.
    """

    headline: ClassVar[str] = "exact_match"
    kind: Literal["answer"] = "answer"
