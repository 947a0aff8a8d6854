"""Draws of the kernels are those of `procdsl.streams`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procdsl.splits import content, spelling
from procdsl.streams import Stream, key, philox
from runner.generators import philox as kernels
from runner.generators.splits import content as content_kernel

ADDRESSES = st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**63 - 1), st.integers(0, 2**32 - 1))


@pytest.mark.parametrize(
    ("counter", "key", "words"),
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
def test_known_answers(counter: tuple[int, int, int, int], key: int, words: str) -> None:
    """Those of Random123."""
    assert " ".join(f"{word:08x}" for word in philox(counter, key)) == words


def begun(address: tuple[int, int, int], slots: int = 0) -> kernels.Draws:
    draws = kernels.new_draws(slots)
    kernels.begin(draws, np.uint64(address[0]).astype(np.int64), address[1], address[2])
    return draws


@given(address=ADDRESSES, count=st.integers(0, 40))
@settings(max_examples=50)
def test_slots_and_what_comes_behind_them(address: tuple[int, int, int], count: int) -> None:
    draws, stream = begun(address, count), Stream(*address)
    kernels.slots(draws, count)
    assert draws.buffer[:count].tolist() == stream.words(count)
    assert [kernels.below(draws, n) for n in (10, 2**32 - 1, 3 * 2**30) * 40] == [
        stream.below(n) for n in (10, 2**32 - 1, 3 * 2**30) * 40
    ]


@given(address=ADDRESSES, before=st.integers(0, 5), count=st.integers(0, 80))
@settings(max_examples=50)
def test_words_ahead_stay_while_those_behind_are_read(
    address: tuple[int, int, int], before: int, count: int
) -> None:
    draws, stream = begun(address, 85), Stream(*address)
    words = stream.words(before + count + 70)
    assert [kernels.next32(draws) for _ in range(before)] == words[:before]
    here = kernels.ahead(draws, count)
    assert [kernels.next32(draws) for _ in range(70)] == words[before + count :]
    assert draws.buffer[here : here + count].tolist() == words[before : before + count]


@given(symbols=st.lists(st.integers(0, 5), max_size=40))
@settings(max_examples=50)
def test_content_is_the_same_hash(symbols: list[int]) -> None:
    spelt = [spelling(f"s{i}") for i in range(6)]
    found = content_kernel(np.array(spelt, np.uint64), np.array(symbols, np.int32))
    assert int(found) == content(spelt[symbol] for symbol in symbols)


def test_chances_are_exact_where_the_first_word_ties() -> None:
    """A third is 0x55555555 and a third more, over 2**32: the tie is broken by the words that follow."""
    opened = sum(Stream(key(0), i).chance(1, 3, 0x5555_5555) for i in range(3_000))
    assert 900 < opened < 1_100
    for i in range(100):
        draws = begun((key(0), i, 0))
        margin = (1 << 32) - 0x5555_5555 * 3
        assert kernels.chance_tie(draws, margin, 3) == Stream(key(0), i).chance(1, 3, 0x5555_5555)


def test_thresholds_are_exact_where_the_first_word_ties() -> None:
    assert Stream(0, 0).under(2**64 - 1, 2**32 - 1) == (Stream(0, 0).next32() < 2**32 - 1)
    assert not Stream(0, 0).under(0)
    assert Stream(0, 0).under(2**64)
