"""What is true of a generator program: the loss that nobody can go below, and what a blind guess gets.

A program of kind *x* is analysed by `procdsl.analysis.x`, which holds ``entropy(program, length)``, in nats
a word, for a word program, or ``floor(program, context)``; and ``chance(program)``.
"""

from __future__ import annotations

import importlib
from functools import partial
from types import ModuleType

from procdsl.analysis.rows import row_floor
from procdsl.programs.base import Interval, Program, WordProgram

__all__ = ["chance", "entropy", "floor"]


def floor(program: Program, *, length: int, context: int) -> Interval | None:
    """The least possible mean loss over the scored tokens of a row, in nats; None where nobody knows.

    It is that of a predictor that knows the grammar and the layout of rows but not the hash that splits
    them; to it, a held-out part is a sample like any other.
    """
    if program.awaited:
        return None
    module = _module(program)
    if isinstance(program, WordProgram):
        return row_floor(program.lengths, partial(module.entropy, program), context)
    found: Interval | None = module.floor(program, context)
    return found


def entropy(program: WordProgram, length: int) -> Interval | None:
    """The entropy of a word of this length, in nats."""
    if program.awaited:
        return None
    found: Interval | None = _module(program).entropy(program, length)
    return found


def chance(program: Program, *, length: int, context: int) -> float | None:
    """The accuracy, over the scored tokens, of always guessing the likeliest symbol; None where unknown."""
    if program.awaited:
        return None
    found: float | None = _module(program).chance(program)
    return found


def _module(program: Program) -> ModuleType:
    return importlib.import_module(f"procdsl.analysis.{program.kind}")
