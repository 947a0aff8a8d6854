"""Neural cellular automata: what a row tells of its network has no closed form; zero once this is known."""

from __future__ import annotations

import math

from procdsl.programs.base import Interval
from procdsl.programs.neural import NeuralProgram


def floor(program: NeuralProgram, context: int) -> Interval:
    """At most what each cell of the states has, all other tokens being sure."""
    cells, area = program.height * program.width, program.patch[0] * program.patch[1]
    nats = cells * program.steps * math.log(program.states)
    if program.scores_first:
        nats += (cells if program.pool else cells - area) * math.log(program.states)
    return Interval(low=0.0, high=nats / (program.row - program.unscored))


def chance(program: NeuralProgram) -> None:
    """How often states occur in the end is the networks' affair."""
    return
