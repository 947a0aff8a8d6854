"""Sizes of what gzip makes, against Python's; normal laws that networks are drawn by, against scipy's."""

from __future__ import annotations

import gzip
import zlib
from random import Random

import numpy as np
import pytest
from scipy import stats

from procdsl import tables
from procdsl.deflate import MOST, gzipped
from runner.generators.neural import _gzipped

zlibs_own = pytest.mark.skipif("ng" in zlib.ZLIB_RUNTIME_VERSION, reason="a fork that chooses otherwise")


def strings(seed: int) -> list[bytes]:
    """Patches as they are filtered, few or many of them; noise, runs, echoes, and hardly anything."""
    draw = Random(seed)
    some = [draw.randrange(10_000) for _ in range(draw.choice([2, 30, 400]))]
    patches = b"".join(draw.choice(some).to_bytes(4, "little") for _ in range(360))
    noise = draw.randbytes(draw.choice([1, 2, 3, 700]))
    slanted = bytes(min(255, int(draw.expovariate(0.3))) for _ in range(900))
    runs = b"".join(bytes([draw.randrange(50)]) * draw.randrange(1, 300) for _ in range(20))
    echoes = bytearray(draw.randbytes(20))
    while len(echoes) < 2_000:
        start = draw.randrange(len(echoes))
        echoes += echoes[start : start + draw.randrange(300)] + draw.randbytes(draw.randrange(2))
    return [patches, noise, slanted, runs, bytes(echoes), bytes(draw.randrange(2_000))]


@zlibs_own
def test_sizes_are_gzips_own_to_the_byte() -> None:
    for seed in range(12):
        for data in strings(seed):
            assert gzipped(data) == len(gzip.compress(data, 9)), data.hex()


@zlibs_own
def test_kernels_count_the_same_up_to_a_whole_block() -> None:
    whole = [Random(0).randbytes(MOST), bytes(MOST)]
    for data in [*whole, *(data for seed in range(40) for data in strings(seed))]:
        assert _gzipped(np.frombuffer(data, np.uint8)) == len(gzip.compress(data, 9))


def test_uniform_patches_compress_to_two_thirds() -> None:
    draw = np.random.default_rng(0)
    sizes = [_gzipped(draw.integers(0, 10_000, 360).astype("<i4").view(np.uint8)) for _ in range(200)]
    assert np.mean(sizes) / 1440 == pytest.approx(0.67, abs=0.005)


@pytest.mark.parametrize("edge", [2.0, 4.0])
def test_quantiles_are_those_of_a_normal_law_cut_off(edge: float) -> None:
    middles = (np.arange(4096) + 0.5) / 4096
    assert np.allclose(tables.normals(edge), stats.truncnorm.ppf(middles, -edge, edge), atol=1e-9)


def test_shares_are_exponentials_of_normal_logits() -> None:
    logs = np.log(np.array(tables.pooled_shares()) / 1000)
    middles = (np.arange(4096) + 0.5) / 4096
    assert np.allclose(logs, stats.truncnorm.ppf(middles, -4, 4), atol=0.05)
    assert abs(np.mean(tables.pooled_weights())) < 1e-9
