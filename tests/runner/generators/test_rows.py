"""Rows held out as wholes are the reference's, with one word to a row and with several."""

from __future__ import annotations

import pytest

from procdsl import generate
from tests.grammars.examples import drawn, operation, read


@pytest.mark.parametrize("context", [8, 18])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_held_out_by_row(context: int, split: str) -> None:
    held_out = '{validation = 0.3, test = 0.3, by = "row"}'
    made = operation(read(f'kind = "dyck"\nk = 1\nlength = 8\nheld_out = {held_out}'), context)
    ids, scored = drawn(made, split, 0, 40)
    expected = generate.rows(made, seed=0, split=split, start=0, count=40)
    assert (ids.tolist(), scored.tolist()) == expected
