"""What the laws cannot say about neural automata: frames against convolutions, activity, faults."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from procdsl import analysis
from procdsl.generate.neural import _drawn, _weight
from procdsl.grammars.nca import Nca
from procdsl.streams import ROW_SLOT, Stream, key
from tests.grammars.examples import drawn, operation, unsplit

GRAMMAR = Nca(states=10, grid=(6, 8), patch=(2, 2), steps=6, burn_in=0, activity=0)


def frames(grammar: Nca, count: int) -> Any:
    """Rows, frames, lines, cells."""
    program = grammar.program()
    ids, _ = drawn(operation(unsplit(grammar)), "train", 0, count)
    patches = ids.reshape(count, -1, program.frame)[:, :, :-1]
    digits = patches[..., None] // 10 ** np.arange(3, -1, -1) % 10
    return digits.reshape(count, -1, 3, 4, 2, 2).swapaxes(3, 4).reshape(count, -1, 6, 8)


def test_frames_are_what_the_network_makes_of_them() -> None:
    """Row 3's network, applied as one-hot, convolution, two products and a maximum."""
    network, start = _drawn(GRAMMAR.program(), Stream(key(0, "x", "train"), 3, 0))
    around = np.array(network.around).reshape(4, 10, 3, 3)
    row = frames(GRAMMAR, 4)[3]
    assert (row[0] == start).all()
    for now, after in pairwise(row):
        hot = np.eye(10, dtype=int)[now]
        sums = sum(
            np.roll(hot, (1 - dy, 1 - dx), (0, 1)) @ around[:, :, dy, dx].T
            for dy in range(3)
            for dx in range(3)
        )
        scores = np.maximum(sums @ np.array(network.hidden).T, 0) @ np.array(network.out).T
        assert (after == scores.argmax(-1)).all()


def test_weights_are_nearly_normal() -> None:
    weights = np.array([_weight(word) for word in Stream(0, 0, ROW_SLOT).words(20_000)])
    assert abs(weights.mean()) < 5
    assert abs(weights.std() - 147.8) < 3
    assert abs((np.abs(weights) < weights.std()).mean() - 0.683) < 0.02


def test_networks_that_do_nothing_are_not_kept() -> None:
    lively = GRAMMAR.model_copy(update={"activity": 0.5, "burn_in": 5})
    found = frames(lively, 100)
    assert ((found[:, 0] != found[:, 1]).mean((1, 2)) >= 0.5).all()
    anything = frames(GRAMMAR.model_copy(update={"burn_in": 5}), 100)
    assert ((anything[:, 0] != anything[:, 1]).mean((1, 2)) < 0.5).any()


def test_what_became_once_becomes_again() -> None:
    """Where all cells are alike, one of the next frame says all."""
    grammar = Nca(states=3, grid=(2, 2), patch=(1, 1), steps=1)
    assert grammar.legal_next([*"0000", "<row>"]) == {"0", "1", "2"}
    assert grammar.legal_next([*"0000", "<row>", "2"]) == {"2"}
    assert "became something else" in (grammar.reason([*"0000", "<row>", *"2212", "<row>"]) or "")
    assert grammar.accepts([*"0000", "<row>", *"2222", "<row>"])


def test_floors_and_faults() -> None:
    found = analysis.floor(GRAMMAR.program(), length=GRAMMAR.longest(), context=GRAMMAR.longest())
    assert found is not None
    assert found.low == 0
    assert found.high < 4 * np.log(10)
    assert [p.code for p in Nca(grid=(5, 6), steps=2).problems(10_000)] == ["P364"]
    assert [p.code for p in Nca(patch=(4, 4), steps=2).problems(10_000)] == ["P367"]
