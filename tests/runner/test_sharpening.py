"""The attention-sharpening regulariser against plain softmax, finite differences and its own purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from procdsl.errors import Stopped
from procdsl.plan import ModelShape, Plan
from runner.batches import Batches, generated
from runner.initial import initial
from runner.model import Transformer, hidden
from runner.sharpening import Sharpened, attend
from tests.compiler.minimal import compiled
from tests.runner.test_resume import StopAfter
from tests.runner.training import assert_equal, carry_out, dyck, journal, parameters, phase, plan_of

MIXED = ModelShape(layers=3, heads=2, width=16, context=16)


def study(weight: float | None = 0.5, **changes: Any) -> Plan:
    source = dyck()
    return plan_of(source, phase(source, attention_entropy=weight, **changes))


def heads(*shape: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    q, k, v = (torch.randn(*shape, generator=generator, dtype=torch.float64) for _ in range(3))
    return q.requires_grad_(), k.requires_grad_(), v.requires_grad_()


def test_it_is_attention_and_the_entropy_of_its_rows() -> None:
    q, k, v = heads(2, 3, 5, 4)
    y, entropy = attend(q, k, v, None, 0.0)
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(y, expected)
    for b, h, t in np.ndindex(2, 3, 5):
        scores = (k[b, h, : t + 1] @ q[b, h, t] / 2).detach().numpy()
        weights = np.exp(scores) / np.exp(scores).sum()
        assert entropy[b, h, t].item() == pytest.approx(-(weights * np.log(weights)).sum(), abs=1e-12)


@pytest.mark.parametrize("masked", [False, True])
def test_its_gradient_is_that_of_finite_differences(masked: bool) -> None:
    q, k, v = heads(1, 2, 4, 3)
    mask = torch.tensor([[1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1], [0, 1, 1, 0]], dtype=torch.bool)
    assert torch.autograd.gradcheck(lambda *x: attend(*x, mask if masked else None, 0.0), (q, k, v))


def test_a_sharp_row_has_a_finite_gradient() -> None:
    q, k, v = (tensor.detach() * 1e4 for tensor in heads(1, 1, 6, 4))
    q.requires_grad_()
    _, entropy = attend(q, k, v, None, 0.0)
    entropy.sum().backward()
    assert entropy.isfinite().all()
    assert q.grad is not None
    assert q.grad.isfinite().all()


def whole_entropy(model: Transformer, ids_BT: torch.Tensor, scored_BT: torch.Tensor) -> float:
    """The same by each layer's queries and keys, position by position, head by head."""
    found, x = [], model.embedding(ids_BT) + model.position.weight[: ids_BT.shape[1]]
    for block in model.blocks:
        attention = block.attention  # type: ignore[union-attr]
        q, k, _ = attention.into(block.attention_norm(x)).split(16, dim=-1)  # type: ignore[union-attr, operator]
        for h, b, t in np.ndindex(2, *ids_BT.shape):
            if scored_BT[b, t]:
                own = slice(8 * h, 8 * h + 8)
                row = torch.softmax(k[b, : t + 1, own] @ q[b, t, own] / 8**0.5, 0)
                found.append(torch.special.entr(row).sum().item())
        x = block(x)
    return float(np.mean(found))


def test_scored_positions_count_alike_however_the_batch_is_divided() -> None:
    """A third of the positions scored, so that the last block sees queries alone; rows of several lengths."""

    class Third:
        def fill(self, start: int, ids: Any, scored: Any) -> None:
            rows.fill(start, ids, scored)
            scored[:] = 0
            for row in range(len(ids)):
                scored[row, 2 + row : 10 + row : 3] = row != 3

    source = dyck()
    operation = phase(source, model=MIXED)
    rows = generated(source, operation.vocabulary, data_seed=0, split="train")
    model = initial(MIXED, operation.vocabulary.size, 3)
    found = []
    for part_rows in (1, 3, 6):
        batch = Batches([Third()], np.array([[0], [6]]), 16, part_rows).make(0)
        sharpened, total = Sharpened(model), 0.0
        for part in batch.parts:
            hidden(sharpened, part.ids_BT, part.queries_BS, part.chosen_N)
            total += sharpened.entropy(part).item() / batch.scored
        assert any(part.queries_BS is not None for part in batch.parts)
        found.append(total)
    ids, scored = np.empty((6, 17), np.int32), np.empty((6, 17), np.uint8)
    Third().fill(0, ids, scored)
    with torch.no_grad():
        expected = whole_entropy(model, torch.from_numpy(ids[:, :-1]), torch.from_numpy(scored[:, 1:]))
    assert found == pytest.approx([expected] * 3, rel=1e-5)


def test_it_sharpens_and_is_told_apart_from_the_loss(tmp_path: Path) -> None:
    def last(plan: Plan, name: str, **execution: Any) -> dict[str, float]:
        carry_out(plan, tmp_path / name, **execution)
        return [
            record["m"] for record in journal(plan, tmp_path / name) if "train/loss" in record.get("m", {})
        ][-1]

    weak, strong = last(study(1e-6), "weak"), last(study(2.0), "strong")
    plain = last(study(None), "plain")
    assert "train/attention_entropy" not in plain
    assert strong["train/attention_entropy"] < weak["train/attention_entropy"] - 0.02
    assert weak["train/loss"] == pytest.approx(plain["train/loss"], abs=1e-4)
    assert strong["train/loss"] != pytest.approx(plain["train/loss"], abs=1e-6)
    parts = last(study(2.0), "parts", micro_rows=3)
    assert parts["train/attention_entropy"] == pytest.approx(strong["train/attention_entropy"], rel=1e-4)
    half = last(study(2.0, precision="bf16"), "half")
    assert half["train/attention_entropy"] == pytest.approx(strong["train/attention_entropy"], rel=0.05)


def test_stopping_changes_nothing(tmp_path: Path) -> None:
    plan = study()
    carry_out(plan, tmp_path / "whole")
    with pytest.raises(Stopped):
        carry_out(plan, tmp_path / "stopped", stopping=StopAfter(5))
    carry_out(plan, tmp_path / "stopped")
    assert_equal(parameters(plan, tmp_path / "whole"), parameters(plan, tmp_path / "stopped"))


def test_it_is_in_the_key_and_its_absence_is_not() -> None:
    assert study(0.5).key("train") != study(0.1).key("train") != study(None).key("train")
    plain, none = compiled(), compiled("training.attention_entropy=0")
    assert plain.plan.keys == none.plan.keys
    arm = compiled(
        "curricula.plain.phases=[{name='text', data='prose', steps=9, training={attention_entropy=0.1}}]"
    )
    assert arm.plan.by_id["plain/s0/text"].model_dump()["attention_entropy"] == 0.1
