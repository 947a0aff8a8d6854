"""Draws on whole tensors are those of `procdsl.streams` and of the kernels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from procdsl.streams import Stream, key
from runner.device_rows.philox import Streams, philox
from runner.generators import philox as kernels

INDICES = st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=5)


def streams(number: int, indices: list[int], lane: int = 0) -> Streams:
    return Streams(number, torch.tensor(indices), torch.full((len(indices),), lane))


@pytest.mark.parametrize(
    ("counter", "number", "words"),
    [
        ((0, 0, 0, 0), 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((2**32 - 1,) * 4, 2**64 - 1, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            0x299F31D0A4093822,
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_known_answers(counter: tuple[int, int, int, int], number: int, words: str) -> None:
    """Those of Random123."""
    c0, c1, c2, c3 = (torch.tensor([part]) for part in counter)
    assert " ".join(f"{word.item():08x}" for word in philox((c0, c1, c2, c3), number)) == words


@given(
    number=st.integers(0, 2**64 - 1),
    indices=INDICES,
    lane=st.integers(0, 2**32 - 1),
    count=st.integers(1, 40),
)
@settings(max_examples=50)
def test_words_are_those_of_the_reference_and_of_the_kernels(
    number: int, indices: list[int], lane: int, count: int
) -> None:
    found = streams(number, indices, lane).words(count).tolist()
    assert found == [Stream(number, index, lane).words(count) for index in indices]
    for index, words in zip(indices, found, strict=True):
        draws = kernels.new_draws(count)
        kernels.begin(draws, np.uint64(number).astype(np.int64), index, lane)
        kernels.slots(draws, count)
        assert draws.buffer[:count].tolist() == words


@pytest.mark.parametrize("n", [1, 10, 3 * 2**20, 2**31 - 1])
def test_whole_numbers_are_the_references_or_their_rows_are_marked(n: int) -> None:
    many = streams(key(0), list(range(400)))
    found = many.below(n, many.words(8)).tolist()
    expected = [
        [Stream(key(0), i).below(n, first) for first in Stream(key(0), i).words(8)] for i in range(400)
    ]
    marked = many.tied_B.tolist()
    assert all(a == b for a, b, tied in zip(found, expected, marked, strict=True) if not tied)
    # A draw is redrawn at most n times in 2**32.
    assert sum(marked) <= 400 * 8 * n / 2**32 * 1.2


def test_thresholds_that_a_word_meets_mark_its_row() -> None:
    two = streams(key(0), [0, 1])
    first = two.words(1)
    assert two.under(first[:1], first).flatten().tolist() == [False, bool(first[1] < first[0])]
    assert two.tied_B.tolist() == [True, False]
