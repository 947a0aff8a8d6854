"""What the GPU does otherwise: bfloat16, pinned batches, numbers read a step late, compiled models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from procdsl.errors import Stopped
from procdsl.plan import ModelShape, Plan, Stage
from runner import checkpoints
from runner.attempts import attempt
from runner.events import ignore
from runner.execution import Execution
from runner.replicas import groups
from runner.store import Store
from runner.tracking.journal import read
from tests.runner.training import carry_out, dyck, iid, loss_of, phase, plan_of

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator"),
]
SHAPE = ModelShape(layers=2, heads=2, width=64, context=16)


def study(precision: str) -> Plan:
    one, other = dyck(length=12), iid()
    stages = (Stage(steps=30, shares=(0.5, 0.5)),)
    train = phase(one, other, model=SHAPE, precision=precision, stages=stages, batch_rows=16)
    return plan_of(one, other, train, loss_of(one, steps=(0, 30), rows=64))


def losses(plan: Plan, root: Path, id: str = "train") -> list[float]:
    journal = read(Store(root).path("train", plan.key(id)) / "journal.jsonl")
    return [record["m"]["train/loss"] for record in journal if "train/loss" in record.get("m", {})]


def parameters(plan: Plan, root: Path) -> dict[str, torch.Tensor]:
    return checkpoints.parameters(Store(root).path("train", plan.key("train")))


def test_float32_gives_the_losses_of_the_cpu(tmp_path: Path) -> None:
    plan = study("fp32")
    carry_out(plan, tmp_path / "cpu")
    facts = carry_out(plan, tmp_path / "gpu", device="cuda")
    assert facts["scored"] == carry_out(plan, tmp_path / "cpu")["scored"]
    assert losses(plan, tmp_path / "gpu") == pytest.approx(losses(plan, tmp_path / "cpu"), rel=1e-3)


@pytest.mark.parametrize("compile", [False, True], ids=["eager", "compiled"])
def test_bfloat16_stays_near_float32(tmp_path: Path, compile: bool) -> None:
    plain, half = study("fp32"), study("bf16")
    carry_out(plain, tmp_path / "fp32", device="cuda")
    carry_out(half, tmp_path / "bf16", device="cuda", compile=compile)
    assert losses(half, tmp_path / "bf16") == pytest.approx(losses(plain, tmp_path / "fp32"), rel=0.03)
    assert all(tensor.dtype == torch.float32 for tensor in parameters(half, tmp_path / "bf16").values())


def test_replicas_are_those_trained_alone(tmp_path: Path) -> None:
    one, other = dyck(length=12), iid()
    phases = [phase(one, other, id=f"s{seed}", seed=seed, data_seed=seed) for seed in range(4)]
    plan = plan_of(one, other, *phases)
    for name, size in (("together", 4), ("alone", 1)):
        how = Execution(store=tmp_path / name, device="cuda", replicas=size)
        for group in groups(plan, ids := [one.id for one in phases], ids, how):
            assert {result.state for result in attempt(plan, group, how, ignore, lambda: False)} == {"done"}
    for id in ids:
        assert losses(plan, tmp_path / "together", id) == pytest.approx(
            losses(plan, tmp_path / "alone", id), rel=1e-3
        )


@pytest.fixture
def deterministic(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """PyTorch's deterministic mode: without it attention's backward pass adds in any order."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("deterministic")
def test_stopping_changes_nothing(tmp_path: Path) -> None:
    plan, looks = study("bf16"), iter([False] * 7 + [True])
    carry_out(plan, tmp_path / "whole", device="cuda")
    with pytest.raises(Stopped):
        carry_out(plan, tmp_path / "stopped", device="cuda", stopping=lambda: next(looks))
    carry_out(plan, tmp_path / "stopped", device="cuda")
    assert losses(plan, tmp_path / "stopped") == losses(plan, tmp_path / "whole")
    for name, tensor in parameters(plan, tmp_path / "whole").items():
        assert torch.equal(parameters(plan, tmp_path / "stopped")[name], tensor), name
