"""Shuffled rows: what their symbols were drawn from is known, but no closed form of the loss they leave."""

from __future__ import annotations

from procdsl.programs import Interval, ShuffledProgram


def floor(program: ShuffledProgram, context: int) -> Interval | None:
    return None


def chance(program: ShuffledProgram) -> float | None:
    return None
