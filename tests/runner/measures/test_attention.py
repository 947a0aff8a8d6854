"""Attention of weights made by hand, where every score is known in closed form."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from procdsl.plan import ModelShape
from procdsl.programs.measurements.attention import AttentionMeasurement
from runner.initial import initial
from runner.measures import Setting, prepared, taken
from runner.measures.attention import maps
from runner.model import Transformer
from tests.runner.measures.spec import finals, measured
from tests.runner.measures.test_grammaticality import setting_of
from tests.runner.training import TINY, dyck

T, HALF = 16, 8
WIDE = ModelShape(layers=1, heads=2, width=32, context=T)


def setting(root: Path, shape: ModelShape) -> Setting:
    source = dyck(k=2, length=T)
    made = setting_of(source, root)
    measure = made.measure.model_copy(update={"measurement": AttentionMeasurement(source=source.id, rows=30)})
    train = made.operation.model_copy(update={"model": shape})
    return Setting(made.plan, measure, train, made.store, made.execution)


def test_heads_that_look_nowhere_in_particular(tmp_path: Path) -> None:
    """Keys of nothing: position t spreads evenly over t + 1."""
    asked = setting(tmp_path, WIDE)
    model = initial(WIDE, len(asked.operation.vocabulary.tokens), 0)
    for block in model.blocks:
        torch.nn.init.zeros_(block.attention.into.weight)  # type: ignore[union-attr]
        torch.nn.init.zeros_(block.attention.into.bias)  # type: ignore[union-attr]
    made: Any = prepared(asked)
    found = taken(made, model, asked)
    places = range(1, T)
    for head in ("", "/l0h0", "/l0h1"):
        assert found[f"entropy{head}"] == pytest.approx(sum(math.log(t + 1) for t in places) / (T - 1))
        assert found[f"previous{head}"] == pytest.approx(sum(1 / (t + 1) for t in places) / (T - 1))
        assert found[f"induction{head}"] == pytest.approx(sum(1 / (t + 1) for t in range(HALF, T)) / HALF)
        closes = [t for row in made.partner_BT.tolist() for t, partner in enumerate(row) if partner >= 0]
        assert found[f"bracket{head}"] == pytest.approx(sum(1 / (t + 1) for t in closes) / len(closes))


def looking_back(steps: int, other: int) -> Transformer:
    """Head 0 looks at the position `steps` before, head 1 `other` before; where there is none, anywhere."""
    model = Transformer(WIDE, 9)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.zero_()
        model.position.weight[:, :T] = torch.eye(T)
        block = model.blocks[0]
        block.attention_norm.weight.fill_(100.0)  # type: ignore[union-attr,operator]
        weight = block.attention.into.weight  # type: ignore[union-attr]
        for head, back in enumerate((steps, other)):
            query, key = 16 * head, 32 + 16 * head
            weight[query : query + T, :T] = torch.eye(T)
            weight[key + back : key + T, : T - back] = torch.eye(T - back)
    return model


def test_heads_that_look_back_a_fixed_way(tmp_path: Path) -> None:
    asked = setting(tmp_path, WIDE)
    found = taken(prepared(asked), looking_back(1, HALF - 1), asked)
    assert found["previous/l0h0"] == pytest.approx(1, abs=1e-6)
    assert found["entropy/l0h0"] == pytest.approx(0, abs=1e-6)
    assert found["induction/l0h0"] == pytest.approx(0, abs=1e-6)
    assert found["induction/l0h1"] == pytest.approx(1, abs=1e-6)
    assert (found["induction"], found["previous"]) == (found["induction/l0h1"], found["previous/l0h0"])


def test_brackets_next_to_each_other_are_matched_by_looking_back_one(tmp_path: Path) -> None:
    asked = setting(tmp_path, WIDE)
    made: Any = prepared(asked)
    closes = [
        (t, t - partner) for row in made.partner_BT.tolist() for t, partner in enumerate(row) if partner >= 0
    ]
    assert {1, 3} <= {distance for _, distance in closes}
    found = taken(made, looking_back(1, 3), asked)
    for head, back in enumerate((1, 3)):
        # Where nothing stands so far back, a head looks anywhere.
        mass = [float(distance == back) if t >= back else 1 / (t + 1) for t, distance in closes]
        assert found[f"bracket/l0h{head}"] == pytest.approx(sum(mass) / len(mass), abs=1e-4)


def test_partners_are_of_the_same_type_and_balanced_between(tmp_path: Path) -> None:
    asked = setting(tmp_path, WIDE)
    made: Any = prepared(asked)
    tokens = asked.operation.vocabulary.tokens
    for ids, partners in zip(made.ids_BT.tolist(), made.partner_BT.tolist(), strict=True):
        spelt = [tokens[id] for id in ids]
        for place, partner in enumerate(partners):
            assert (partner >= 0) == spelt[place].startswith("b")
            if partner >= 0:
                assert spelt[partner] == "a" + spelt[place][1:]
                inside = spelt[partner + 1 : place]
                assert sum(1 if s[0] == "a" else -1 for s in inside) == 0


def test_the_maps_are_those_that_the_model_attends_by() -> None:
    model = initial(TINY, 9, 2).eval()
    for tensor in model.parameters():
        tensor.data.mul_(5)
    ids = torch.randint(0, 9, (3, T), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        x = model.embedding(ids) + model.position.weight[:T]
        for block, map_BHTT in zip(model.blocks, maps(model, ids), strict=True):
            n = block.attention_norm(x)  # type: ignore[operator]
            _, _, v = block.attention.into(n).split(16, dim=-1)  # type: ignore[union-attr]
            y = map_BHTT @ v.view(3, T, 2, 8).transpose(1, 2)
            out = block.attention.out(y.transpose(1, 2).reshape(3, T, 16))  # type: ignore[union-attr]
            torch.testing.assert_close(out, block.attention(n), rtol=1e-4, atol=1e-5)  # type: ignore[operator]
            x = block(x)
        torch.testing.assert_close(F.linear(model.norm(x), model.unembedding), model.logits(ids))


def test_a_task_has_no_brackets_and_all_else(tmp_path: Path) -> None:
    text = """
[grammars.data]
kind = "task"
input = "uniform(sym, length=uniform(3, 9))"
output = "input | reverse"
symbols = { sym = 20 }
[evaluations.heads]
kind = "attention"
on = "data"
rows = 8
[compare]
metric = "heads/induction/l0h1"
"""
    found = measured(tmp_path, text)
    assert not found["lower_is_better"]
    assert {name.split("/")[1] for name in finals(found)} == {"entropy", "previous", "induction"}
