"""Neural cellular automata: what a row tells of its network has no closed form; zero once this is known."""

from __future__ import annotations

import math

from procdsl.programs import Interval, NeuralProgram


def floor(program: NeuralProgram, context: int) -> Interval:
    """At most what each cell of the states has, separators being sure."""
    cells, area = program.height * program.width, program.patch[0] * program.patch[1]
    frames, tokens = program.steps, program.frame * program.steps
    nats = cells * frames * math.log(program.states)
    if program.scores_first:
        nats += (cells - area) * math.log(program.states)
        tokens += program.frame - 1
    return Interval(low=0.0, high=nats / tokens)


def chance(program: NeuralProgram) -> None:
    """How often states occur in the end is the networks' affair."""
    return
