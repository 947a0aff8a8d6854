"""Rows of words are the reference's: held out as wholes or not, one word to a row and several."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdsl import generate
from procdsl.streams import Stream, key
from runner.generators.uppers import LOW_BITS, upper_rows
from tests.grammars.examples import drawn, operation, read, unsplit

HMM = """kind = "hmm"
transition = { dirichlet = 0.3, seed = 1 }
emission = { dirichlet = 0.1, seed = 2 }
tokens = { w = 6 }"""
SIDE_BY_SIDE = {
    "two states": 'kind = "parity"',
    "three arrows": f"{HMM}\nstates = 3",
    "many arrows": f"{HMM}\nstates = 60",
    "a chain a word": 'kind = "random_markov"\norder = 2\nsymbols = 3',
    "many symbols": 'kind = "random_markov"\norder = 1\nsymbols = 40',
}


@pytest.mark.parametrize("context", [8, 18])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_held_out_by_row(context: int, split: str) -> None:
    held_out = '{validation = 0.3, test = 0.3, by = "row"}'
    made = operation(read(f'kind = "dyck"\nk = 1\nlength = 8\nheld_out = {held_out}'), context)
    ids, scored = drawn(made, split, 0, 40)
    expected = generate.rows(made, seed=0, split=split, start=0, count=40)
    assert (ids.tolist(), scored.tolist()) == expected


@pytest.mark.parametrize("by", ["word", "row"])
@pytest.mark.parametrize(("length", "context"), [("40", 40), ("{uniform = [10, 20]}", 200)])
@pytest.mark.parametrize("kind", SIDE_BY_SIDE)
def test_words_made_side_by_side_are_those_made_alone(kind: str, length: str, context: int, by: str) -> None:
    """More rows than are made at once, half of them drawn again; or more words than that in a row."""
    held_out = f'{{validation = 0.5, test = 0.1, by = "{by}"}}'
    made = operation(read(f"{SIDE_BY_SIDE[kind]}\nlength = {length}\nheld_out = {held_out}"), context)
    for split, start, count in (("train", 3, 21), ("validation", 0, 3)):
        ids, scored = drawn(made, split, start, count)
        expected = generate.rows(made, seed=0, split=split, start=start, count=count)
        assert (ids.tolist(), scored.tolist()) == expected


def test_a_word_equal_to_the_upper_part_of_a_threshold_asks_for_more() -> None:
    """The first word of each row ties with the threshold of the first of two arrows."""
    made = operation(unsplit(read('kind = "parity"\nlength = 4')), 4)
    chosen = set[int]()
    for index in range(32):
        first = Stream(key(0, "x", "train"), index).next32()
        one = {"sources": (0, 0), "targets": (0, 0), "accepts": (0,), "writes": (0, 1)}
        weights = (first + 0.5, 2**32 - first - 0.5)
        program = made.program.model_copy(update={**one, "weights": weights})
        tied = made.model_copy(update={"program": program})
        ids, _ = drawn(tied, "train", index, 1)
        assert ids.tolist() == generate.rows(tied, seed=0, split="train", start=index, count=1)[0]
        chosen.add(int(ids[0, 1]))
    assert len(chosen) == 2


@given(drawn=st.integers(0, 2**62 - 1), near=st.lists(st.integers(-(2**31), 2**31), min_size=1))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_upper_parts_tell_but_where_one_is_equal(drawn: int, near: list[int]) -> None:
    thresholds = np.array([[*(min(max(drawn + by, 0), 2**62) for by in near), 2**62]] * 3)
    uppers, which = upper_rows(thresholds)
    assert len(uppers) == 1
    assert not which.any()
    first = drawn >> LOW_BITS
    for threshold, upper in zip(thresholds[2], uppers[0], strict=True):
        assert first == upper or (drawn >= threshold) == (first > upper)
