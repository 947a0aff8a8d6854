"""Initial parameters by address: row r of a tensor is a function of (seed, the tensor's name, r) alone.

So a bigger vocabulary, more layers or another arm change no other number. The law is GPT-2's: N(0, 0.02), the
projections back into the residual stream divided by sqrt(2 · layers), biases zero, norms one.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from procdsl import streams
from procdsl.plan import ModelShape
from runner.model import Transformer

STANDARD_DEVIATION = 0.02
_RESIDUAL = ("attention.out.weight", "mlp.down.weight")
# Normals drawn at a time: 4 MiB of words, so that the ten rounds stay in cache.
_AT_A_TIME = 1 << 18

_M0, _M1 = np.uint64(0xD251_1F53), np.uint64(0xCD9E_8D57)
_W0, _W1 = 0x9E37_79B9, 0xBB67_AE85
_LOW, _HALF = np.uint64(0xFFFF_FFFF), np.uint64(32)


def initial(shape: ModelShape, vocabulary: int, seed: int) -> Transformer:
    """A fresh model on the CPU."""
    with torch.device("meta"):
        model = Transformer(shape, vocabulary)
    model.to_empty(device="cpu")
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            tensor.copy_(initial_tensor(name, tuple(tensor.shape), seed=seed, layers=shape.layers))
    return model


def initial_tensor(name: str, shape: tuple[int, ...], *, seed: int, layers: int) -> torch.Tensor:
    """The fresh values of one tensor, float32."""
    if len(shape) == 1:
        return torch.ones(shape) if name.endswith("norm.weight") else torch.zeros(shape)
    scale = STANDARD_DEVIATION / (math.sqrt(2 * layers) if name.endswith(_RESIDUAL) else 1.0)
    rows, columns = shape
    return drawn(streams.key(seed, "init", name), (rows, columns), scale=scale)


def drawn(key: int, shape: tuple[int, int], *, scale: float, mean: float = 0.0) -> torch.Tensor:
    """Normals of this mean and standard deviation, float32: row r is a function of (key, r)."""
    rows, columns = shape
    found = np.empty(shape, np.float32)
    at_a_time = max(1, _AT_A_TIME // columns)
    for first in range(0, rows, at_a_time):
        last = min(rows, first + at_a_time)
        found[first:last] = mean + scale * normals(key, first, last - first, columns)
    return torch.from_numpy(found)


def normals(key: int, first: int, rows: int, columns: int) -> NDArray[np.float64]:
    """Standard normals: row i holds those of the stream (key, first + i), by Box and Muller's transform."""
    blocks = -(-columns // 4)
    words = _philox(key, first, rows, blocks)
    # (w + 1/2) / 2**32 lies strictly between 0 and 1, so that the logarithm is finite.
    u0, u1, u2, u3 = ((word.astype(np.float64) + 0.5) * 2.0**-32 for word in words)
    radius0, radius1 = np.sqrt(-2 * np.log(u0)), np.sqrt(-2 * np.log(u2))
    angle0, angle1 = 2 * np.pi * u1, 2 * np.pi * u3
    parts = (
        radius0 * np.cos(angle0),
        radius0 * np.sin(angle0),
        radius1 * np.cos(angle1),
        radius1 * np.sin(angle1),
    )
    return np.stack(parts, axis=-1).reshape(rows, blocks * 4)[:, :columns]


def _philox(key: int, first: int, rows: int, blocks: int) -> tuple[NDArray[np.uint64], ...]:
    """The words of `streams.philox` at counters (block, lane 0, row), one array for each of the four."""
    index = np.arange(first, first + rows, dtype=np.uint64)[:, None]
    c0 = np.broadcast_to(np.arange(blocks, dtype=np.uint64)[None, :], (rows, blocks))
    c1 = np.zeros((rows, blocks), np.uint64)
    c2 = np.broadcast_to(index & _LOW, (rows, blocks))
    c3 = np.broadcast_to(index >> _HALF, (rows, blocks))
    k0, k1 = key & 0xFFFF_FFFF, key >> 32
    for _ in range(10):
        p0, p1 = c0 * _M0, c2 * _M1
        c0, c1, c2, c3 = (
            (p1 >> _HALF) ^ c1 ^ np.uint64(k0),
            p1 & _LOW,
            (p0 >> _HALF) ^ c3 ^ np.uint64(k1),
            p0 & _LOW,
        )
        k0, k1 = (k0 + _W0) & 0xFFFF_FFFF, (k1 + _W1) & 0xFFFF_FFFF
    return c0, c1, c2, c3
