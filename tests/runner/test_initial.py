"""Initial parameters: drawn by address, by the law of GPT-2."""

from __future__ import annotations

import math

import numpy as np
import torch

from procdsl import streams
from procdsl.plan import ModelShape
from runner.initial import initial, normals

SHAPE = ModelShape(layers=2, heads=2, width=48, context=40)
RESIDUAL = ("attention.out.weight", "mlp.down.weight")


def test_a_bigger_vocabulary_or_context_adds_rows_and_changes_none() -> None:
    small = initial(SHAPE, 100, seed=1).state_dict()
    large = initial(SHAPE.model_copy(update={"context": 64}), 130, seed=1).state_dict()
    for name, tensor in small.items():
        assert torch.equal(large[name][: len(tensor)], tensor), name


def test_more_layers_change_no_other_tensor_but_the_scale_of_residual_projections() -> None:
    shallow = initial(SHAPE, 100, seed=1).state_dict()
    deep = initial(SHAPE.model_copy(update={"layers": 8}), 100, seed=1).state_dict()
    for name, tensor in shallow.items():
        if name.endswith(RESIDUAL):
            torch.testing.assert_close(deep[name] * 2, tensor)
        else:
            assert torch.equal(deep[name], tensor), name


def test_untying_the_head_adds_a_tensor_of_its_own() -> None:
    tied = initial(SHAPE, 100, seed=1).state_dict()
    untied = initial(SHAPE.model_copy(update={"tied": False}), 100, seed=1).state_dict()
    assert all(torch.equal(untied[name], tensor) for name, tensor in tied.items())
    assert not torch.equal(untied["head.weight"], untied["embedding.weight"])


def test_the_law_is_gpt2s() -> None:
    model = initial(SHAPE.model_copy(update={"width": 256, "heads": 4}), 1000, seed=2)
    for name, tensor in model.state_dict().items():
        if tensor.ndim == 1:
            assert torch.equal(tensor, torch.full_like(tensor, float(name.endswith("norm.weight")))), name
            continue
        expected = 0.02 / (math.sqrt(4) if name.endswith(RESIDUAL) else 1)
        standard_error = expected / math.sqrt(2 * tensor.numel())
        assert abs(float(tensor.std()) - expected) < 5 * standard_error, name
        assert abs(float(tensor.mean())) < 5 * expected / math.sqrt(tensor.numel()), name


def test_normals_are_the_streams_by_box_and_muller() -> None:
    drawn = normals(streams.key(3, "init", "x"), first=2**32 - 1, rows=2, columns=6)
    for row, values in enumerate(drawn):
        stream = streams.Stream(streams.key(3, "init", "x"), 2**32 - 1 + row)
        u = [(stream.next32() + 0.5) / 2**32 for _ in range(8)]
        waves = (math.cos, math.sin)
        pairs = [
            math.sqrt(-2 * math.log(a)) * wave(2 * math.pi * b)
            for a, b in zip(u[::2], u[1::2], strict=True)
            for wave in waves
        ]
        np.testing.assert_allclose(values, pairs[:6], rtol=1e-12)


def test_seeds_differ() -> None:
    one, other = (initial(SHAPE, 100, seed=seed).embedding.weight for seed in (0, 1))
    assert not torch.any(one == other)
