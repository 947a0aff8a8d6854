"""Machines: the answer follows from the run."""

from __future__ import annotations

from procdsl.programs.base import Interval
from procdsl.programs.machine import MachineProgram


def floor(program: MachineProgram, context: int) -> Interval | None:
    """0 on the answer; of runs nobody knows."""
    if any(piece.word == 0 and piece.scored for piece in program.pieces):
        return None
    return Interval(low=0.0, high=0.0)


def chance(program: MachineProgram) -> float | None:
    """One of the symbols that the moves take, guessed blindly."""
    counts = [taken.count for move in program.moves for taken in move.takes]
    return 1 / max(counts) if counts else None
