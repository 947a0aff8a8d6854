"""What the laws cannot say about life-like automata: known patterns, and rows against convolution."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.signal import convolve2d

from procdsl.grammars._cells import changed
from procdsl.grammars.life import Life
from tests.grammars.examples import drawn, operation


def test_a_glider_glides() -> None:
    program = Life(grid=(8, 8), steps=4).program()
    glider = np.zeros((8, 8), int)
    glider[[0, 1, 2, 2, 2], [1, 2, 0, 1, 2]] = 1
    cells = glider.tolist()
    for _ in range(32):
        cells = changed(program, cells, program.rules[0])
    assert cells == glider.tolist()
    for _ in range(4):
        cells = changed(program, cells, program.rules[0])
    assert cells == np.roll(glider, (1, 1), (0, 1)).tolist()


@pytest.mark.parametrize("boundary", ["periodic", "zero"])
@pytest.mark.parametrize(
    ("rule", "born", "survives"), [("B3/S23", {3}, {2, 3}), ("B36/S125", {3, 6}, {1, 2, 5})]
)
def test_rows_are_frames_of_the_rule(rule: str, born: set[int], survives: set[int], boundary: str) -> None:
    grammar = Life.model_validate(
        {"rule": rule, "grid": (6, 8), "patch": (2, 4), "steps": 5, "boundary": boundary, "separator": False}
    )
    ids, _ = drawn(operation(grammar), "train", 0, 30)
    # Patches of 2 × 4 cells, the first cell the highest bit.
    bits = ids.reshape(30, 6, 3, 2, 1) >> np.arange(7, -1, -1) & 1
    frames = bits.reshape(30, 6, 3, 2, 2, 4).swapaxes(3, 4).reshape(30, 6, 6, 8)
    around, edge = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]]), "wrap" if boundary == "periodic" else "fill"
    for row in frames:
        for now, after in pairwise(row):
            beside = convolve2d(now, around, "same", edge)
            lives = np.where(now == 1, np.isin(beside, list(survives)), np.isin(beside, list(born)))
            assert (after == lives).all()


def test_what_is_no_rule_or_no_patch_says_so() -> None:
    with pytest.raises(ValidationError, match="no life-like rule"):
        Life(rule="3/23", grid=(4, 4), steps=1)
    (problem,) = Life(grid=(4, 5), patch=(2, 2), steps=1).problems(1000)
    assert problem.code == "P364"
