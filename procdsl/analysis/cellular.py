"""Cellular automata: what is random in a row is its start and, where it is drawn, its rule."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from procdsl.grammars._frames import binary_entropy
from procdsl.programs.base import Interval
from procdsl.programs.cellular import CellularProgram

ALL = 255


def floor(program: CellularProgram, context: int) -> Interval:
    """Exact for a known rule; a drawn one is learnt from at least what line 0 shows, at most altogether."""
    frame, area = program.frame, program.patch[0] * program.patch[1]
    low, high = _rule(program)
    tokens = frame * program.steps
    if program.scores_first:
        tokens += frame - 1
        start = (program.height * program.width - area) * binary_entropy(program.density / 2**32)
        # Changes that nobody saw can only have made the start as a whole more certain.
        unseen = program.height * program.width * binary_entropy(program.density / 2**32)
        low, high = (low, high + unseen) if program.burn_in else (low + start, high + start)
    return Interval(low=low / tokens, high=high / tokens)


def chance(program: CellularProgram) -> None:
    """How often cells are 1 in the end, nobody knows without running the rule."""
    return


def _rule(program: CellularProgram) -> tuple[float, float]:
    """Bounds for the nats that frames after the first tell about the rule."""
    rules = sorted(set(program.rules))
    most = _nats(Counter(program.rules).values())
    if len(rules) == 1 or program.shape == "grid" or program.burn_in or program.ahead > 1:
        return (0.0, most)
    least = 0.0
    for seen, chance in enumerate(_seen(program)):
        if chance > 0:
            least += chance * _nats(Counter(rule & seen for rule in program.rules).values())
    return (least, least if program.steps == 1 else most)


def _nats(counts: Any) -> float:
    total = sum(counts)
    return -math.fsum(count / total * math.log(count / total) for count in counts)


def _seen(program: CellularProgram) -> list[float]:
    """With what probability line 0 shows each set of neighbourhoods, as bits, and no others."""
    found = [_only(program, allowed) for allowed in range(ALL + 1)]
    for bit in range(8):
        for subset in range(ALL + 1):
            if subset >> bit & 1:
                found[subset] -= found[subset ^ 1 << bit]
    return found


def _only(program: CellularProgram, allowed: int) -> float:
    """That no neighbourhood but these is seen: walks over pairs of cells, around or from border to border."""
    import numpy as np

    one = program.density / 2**32
    shares = (1 - one, one)
    step = np.zeros((4, 4))
    for code in range(8):
        if allowed >> code & 1:
            step[code >> 1, code & 3] = shares[code & 1]
    if program.wraps:
        return float(np.trace(np.linalg.matrix_power(step, program.width)))
    # Before the first cell is a zero; after the last comes a zero, which is sure.
    at = np.array([shares[0], shares[1], 0.0, 0.0])
    at = at @ np.linalg.matrix_power(step, program.width - 1)
    return float(sum(at[pair] for pair in range(4) if allowed >> (2 * pair) & 1))
