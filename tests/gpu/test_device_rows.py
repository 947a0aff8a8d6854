"""Rows made on a GPU are the kernels', bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from procdsl.plan import GenerateOperation
from runner import batches
from runner.devices import World
from runner.execution import Execution
from runner.store import Store
from tests.grammars.examples import drawn
from tests.runner.device_rows.cases import CASES, made
from tests.runner.training import phase, plan_of

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator"),
]
GPU = torch.device("cuda")


@pytest.mark.parametrize("source", CASES.values(), ids=list(CASES))
def test_rows_are_those_of_the_kernels(source: GenerateOperation) -> None:
    for split, count in (("train", 300), ("validation", 8)):
        ids, scored = made(source, GPU, start=2**33, count=count, split=split)
        expected, flags = drawn(source, split, 2**33, count)
        assert (ids == expected).all()
        assert (scored == flags).all()


def test_batches_are_those_of_the_kernels() -> None:
    """Made by a thread beside whatever else the GPU does."""
    source = CASES["neural"]
    operation = phase(source, steps=6, context=source.context)
    plan = plan_of(source, operation)

    def fed(device_rows: bool | None) -> list[torch.Tensor]:
        how = Execution(Path("unused"), device=GPU.type, device_rows=device_rows)
        maker = batches.maker(plan, operation, Store(how.store), how, GPU, World(0, 1))
        with batches.Ahead(maker.make, range(6)) as ahead:
            return [part.ids_BT for batch in ahead for part in batch.parts]

    busy = torch.randn(2048, 2048, device=GPU)
    for _ in range(50):
        busy = busy @ busy
    assert all(torch.equal(one, other) for one, other in zip(fed(None), fed(False), strict=True))
