"""The n-gram look-alike against its reference, and against what it imitates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from procdsl import generate
from procdsl.language.sources.ngram import Ngram
from tests.grammars.examples import drawn, operation, read

DYCK = read('kind = "dyck"\nk = 4\nlength = { uniform = [20, 60] }')


def look_alike(order: int, rows: int = 64) -> Any:
    control = Ngram(of="x", order=order, rows=rows).over({"of": DYCK})
    return operation(DYCK).model_copy(update={"program": control.program(), "name": "control"})


@pytest.mark.parametrize("order", [1, 2, 4])
def test_the_reference_and_the_kernel_agree_bit_for_bit(order: int) -> None:
    made = look_alike(order)
    for split in ("train", "test"):
        ids, scored = drawn(made, split, 3, 4)
        assert (ids.tolist(), scored.tolist()) == generate.rows(made, seed=0, split=split, start=3, count=4)


def test_long_words_made_side_by_side_are_those_of_the_reference() -> None:
    """Rows of one word each, more than are made at once, some of them drawn again."""
    dyck = read('kind = "dyck"\nk = 20\nlength = 60\nheld_out = {validation = 0.3, by = "word"}')
    program = Ngram(of="x", order=3, rows=64).over({"of": dyck}).program()
    made = operation(dyck, 60).model_copy(update={"program": program, "name": "control"})
    ids, scored = drawn(made, "train", 3, 21)
    assert (ids.tolist(), scored.tolist()) == generate.rows(made, seed=0, split="train", start=3, count=21)


def test_pairs_are_as_frequent_as_in_what_it_imitates() -> None:
    theirs, ours = _pairs(operation(DYCK)), _pairs(look_alike(2, rows=4_096))
    assert np.abs(theirs - ours).max() < 0.005
    assert ((theirs == 0) <= (ours == 0)).all()


def test_one_symbol_sees_no_nesting_and_two_see_some() -> None:
    one, two = _pairs(look_alike(1)), _pairs(look_alike(2))
    wrong = [(opens, 4 + closes) for opens in range(4) for closes in range(4) if opens != closes]
    assert sum(two[pair] for pair in wrong) == 0 < 0.1 < sum(one[pair] for pair in wrong)


def _pairs(made: Any) -> Any:
    """How often each symbol follows each, as shares of all pairs."""
    ids, _ = drawn(made, "train", 0, 2_000)
    first, second = ids[:, :-1].ravel(), ids[:, 1:].ravel()
    inside = (first < 8) & (second < 8)
    counts = np.zeros((8, 8))
    np.add.at(counts, (first[inside], second[inside]), 1)
    return counts / counts.sum()
