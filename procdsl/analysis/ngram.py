"""N-grams: their counts come from drawn rows, so what is known here does not depend on these."""

from __future__ import annotations

from procdsl.programs.base import Interval
from procdsl.programs.ngram import NgramProgram


def entropy(program: NgramProgram, length: int) -> Interval | None:
    """Unknown before the rows it is fitted on are drawn."""
    return None


def chance(program: NgramProgram) -> float | None:
    """That of the source it imitates: its symbols are as frequent."""
    from procdsl import analysis

    return analysis.chance(program.fit.of, length=1, context=1)
