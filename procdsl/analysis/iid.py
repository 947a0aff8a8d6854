"""Independent symbols: so many times the entropy of one."""

from __future__ import annotations

import math

from procdsl.analysis.rows import exactly
from procdsl.programs.base import Interval
from procdsl.programs.dependencies import DependencyProgram
from procdsl.programs.iid import IidProgram


def entropy(program: IidProgram, length: int) -> Interval:
    """Nats a word."""
    return exactly(-length * math.fsum(p * math.log(p) for p in probabilities(program) if p))


def chance(program: IidProgram) -> float:
    """That of the likeliest symbol."""
    return max(probabilities(program))


def probabilities(program: IidProgram | DependencyProgram) -> list[float]:
    """How likely each symbol, or type, is drawn."""
    if not program.thresholds:
        return [1 / program.count] * program.count
    edges = (0, *program.thresholds, 2**32)
    return [(edges[i + 1] - edges[i]) / 2**32 for i in range(program.count)]
