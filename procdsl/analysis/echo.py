"""Echoes: all but the first part follows from it."""

from __future__ import annotations

import math

from procdsl.analysis.rows import exactly
from procdsl.programs.base import Interval
from procdsl.programs.echo import EchoProgram


def entropy(program: EchoProgram, length: int) -> Interval:
    """Nats a word: so many drawn symbols."""
    parts = len(program.parts)
    return exactly((length - program.mark * (parts - 1)) // parts * math.log(program.count))


def chance(program: EchoProgram) -> float | None:
    """A part of all symbols; unknown where a mark stands between parts of unknown length."""
    apart = len({part.shift for part in program.parts})
    if program.mark or (apart > 1 and apart < len(program.parts)):
        return None
    return 1 / (program.count * apart)
