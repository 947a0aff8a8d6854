"""Rows made on a device are the kernels' and the reference's, bit for bit; here the device is the CPU."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from procdsl import generate
from procdsl.errors import RunError
from procdsl.plan import GenerateOperation
from procdsl.streams import Stream, key
from runner import checkpoints, device_rows, generators
from runner.devices import makes_rows
from runner.execution import Execution
from runner.store import Store
from tests.grammars.examples import drawn, operation, read, unsplit
from tests.runner.device_rows.cases import CASES, made
from tests.runner.training import carry_out, dyck, iid, phase, plan_of

CPU = torch.device("cpu")
every_case = pytest.mark.parametrize("source", CASES.values(), ids=list(CASES))


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows that were left to the kernels, as they are asked for."""
    rows, fill = list[int](), generators.fill

    def counted(source: GenerateOperation, *, start: int, ids: Any, **how: Any) -> None:
        rows.extend(range(start, start + len(ids)))
        fill(source, start=start, ids=ids, **how)

    monkeypatch.setattr(generators, "fill", counted)
    return rows


def assert_equal(found: tuple[Any, Any], expected: tuple[Any, Any]) -> None:
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])


@every_case
def test_rows_are_those_of_the_kernels_and_nearly_all_are_made_here(
    source: GenerateOperation, kept: list[int]
) -> None:
    found = made(source, CPU, start=2**33, count=100)
    # One in a hundred is of another part.
    assert len(kept) < 8
    assert_equal(found, drawn(source, "train", 2**33, 100))


@every_case
def test_rows_are_those_of_the_reference(source: GenerateOperation) -> None:
    ids, scored = made(source, CPU, start=5, count=3)
    expected = generate.rows(source, seed=0, split="train", start=5, count=3)
    assert (ids.tolist(), scored.tolist()) == expected


@every_case
def test_rows_of_other_parts_are_the_kernels_too(source: GenerateOperation) -> None:
    for split in ("validation", "test"):
        assert_equal(made(source, CPU, count=8, split=split), drawn(source, split, 0, 8))


@pytest.mark.parametrize(
    "toml",
    [
        'kind = "shuffle_dyck"\nk = 4\nlength = 16',
        'kind = "dyck"\nk = 4\nlength = { uniform = [2, 8] }',
        'kind = "dyck"\nk = 4\nlength = 2048',
        'kind = "nca"\nstates = 3\ngrid = [4, 4]\nsteps = 3\nrules = 2\ncompression = [0.0, 1.0]',
    ],
    ids=["another program", "packed words", "too many heights", "a pool"],
)
def test_what_no_device_makes_is_left_to_the_kernels(toml: str, kept: list[int]) -> None:
    grammar = read(toml)
    source = operation(grammar, grammar.longest())
    found = made(source, CPU, count=4)
    assert kept == [0, 1, 2, 3]
    assert_equal(found, drawn(source, "train", 0, 4))


def test_rows_are_made_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made(CASES["neural"], CPU, count=20)
    monkeypatch.setattr(device_rows, "AT_ONCE", 3 * CASES["neural"].row)
    assert_equal(made(CASES["neural"], CPU, count=20), whole)


def test_a_row_with_a_tie_is_the_kernels(kept: list[int]) -> None:
    """The walk opens under a threshold whose upper half is the second word of row 7."""
    source = operation(read('kind = "dyck"\nk = 2\nmeasure = "process"\nlength = 12'), 12)
    word = Stream(key(0, source.name, "train"), 7).words(2)[1]
    for low in (0, 2**32 - 1):
        tied = source.model_copy(
            update={"program": source.program.model_copy(update={"p_open": word << 32 | low})}
        )
        kept.clear()
        found = made(tied, CPU, count=16)
        assert 7 in kept
        assert_equal(found, drawn(tied, "train", 0, 16))


def test_rows_whose_draws_are_rejected_are_the_kernels(kept: list[int]) -> None:
    """Of 2**18 + 1 symbols one draw in 17,000 is drawn again."""
    source = operation(unsplit(read(f'kind = "iid"\nsymbols = {2**18 + 1}\nlength = 256')), 256)
    found = made(source, CPU, count=400)
    assert 2 < len(kept) < 20
    assert_equal(found, drawn(source, "train", 0, 400))


def test_a_law_that_is_not_counted_yet_has_no_rows() -> None:
    source = operation(read('kind = "iid"\nsymbols = 9\nweights = "corpus(c)"\nlength = 8'), 8)
    with pytest.raises(RunError, match=re.escape("'c'")):
        made(source, CPU)


def test_training_on_rows_of_the_device_gives_the_same_parameters(tmp_path: Path, kept: list[int]) -> None:
    one, other = dyck(), iid()
    plan = plan_of(one, other, phase(one, other))
    found = {}
    for here in (False, True):
        kept.clear()
        carry_out(plan, tmp_path / str(here), device_rows=here)
        found[here] = checkpoints.parameters(Store(tmp_path / str(here)).path("train", plan.key("train")))
    assert len(kept) < 12
    assert all(torch.equal(found[True][name], tensor) for name, tensor in found[False].items())


def test_by_itself_only_a_gpu_makes_rows_and_only_of_neural_automata() -> None:
    neural, brackets = CASES["neural"], CASES["dyck"]
    gpu = torch.device("cuda")

    def place(source: GenerateOperation, device: torch.device, **how: Any) -> torch.device | None:
        return makes_rows(source, Execution(Path(), **how), device)

    assert place(neural, gpu) == gpu
    assert place(brackets, gpu) is place(neural, CPU) is place(neural, gpu, device_rows=False) is None
    assert place(brackets, CPU, device_rows=True) == CPU
