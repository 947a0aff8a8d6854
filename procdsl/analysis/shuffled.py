"""Permuted rows: with no order left, a predictor knows at most how often each symbol is still to come."""

from __future__ import annotations

from procdsl.programs.base import Interval
from procdsl.programs.shuffled import ShuffledProgram


def floor(program: ShuffledProgram, context: int) -> Interval | None:
    """Nobody has a closed form for the symbols that are left in a row of any program."""
    return None


def chance(program: ShuffledProgram) -> float | None:
    """What the likeliest symbol gives: permuting a row changes no frequency."""
    from procdsl import analysis

    return analysis.chance(program.of, length=1, context=1)
