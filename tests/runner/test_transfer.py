"""Transfers: taken tensors are the source's bit for bit, others a fresh model's, all are accounted for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from procdsl.errors import RunError
from procdsl.plan import COMPONENTS, ModelShape, Plan, TransferOperation, TransferRule, Vocabulary
from runner.initial import initial
from runner.model import tags
from runner.store import Store
from runner.transfer import transfer
from tests.runner.training import dyck, phase, plan_of

SHAPE = ModelShape(layers=3, heads=2, width=16, context=16)
SOURCE = dyck()
Tensors = dict[str, torch.Tensor]


def rule(component: str, action: str, source: str | None = "first", **layers: Any) -> TransferRule:
    return TransferRule(
        component=component, action=action, source=None if action == "fresh" else source, **layers
    )


def carry_out(
    root: Path, *rules: TransferRule, **target: Any
) -> tuple[Tensors, dict[str, Tensors], dict[str, Any]]:
    """The tensors made, those of both sources, and the facts."""
    first = phase(SOURCE, id="first", model=SHAPE)
    content: dict[str, Any] = {
        "id": "t",
        "seed": 7,
        "model": SHAPE,
        "vocabulary": first.vocabulary,
        "rules": rules,
    }
    operation = TransferOperation(**content | target)
    plan = plan_of(SOURCE, first, phase(SOURCE, id="second", seed=2, model=SHAPE), operation)
    store = Store(root)
    sources = {id: trained(plan, id, store) for id in ("first", "second")}
    place = store.place("transfer", plan.key("t"))
    facts = transfer(plan, "t", store=store, place=place)
    return load_file(place / "model.safetensors"), sources, facts


def trained(plan: Plan, id: str, store: Store) -> Tensors:
    """Parameters such as training leaves: every entry another than a fresh one's."""
    vocabulary = plan.by_id[id].vocabulary.size  # type: ignore[union-attr]
    fresh = initial(SHAPE, vocabulary, seed=100 + len(id)).state_dict()
    tensors = {
        name: tensor + torch.linspace(0.5, 1.5, tensor.numel()).view_as(tensor)
        for name, tensor in fresh.items()
    }
    save_file(tensors, store.place("train", plan.key(id)) / "model.safetensors")
    return tensors


def test_attention_of_one_and_mlp_of_another_the_rest_fresh(tmp_path: Path) -> None:
    made, sources, facts = carry_out(tmp_path, rule("attention", "take"), rule("mlp", "take", "second"))
    fresh = initial(SHAPE, SOURCE_SIZE, seed=7)
    for name, tag in tags(fresh).items():
        origin = {"attention": sources["first"], "mlp": sources["second"]}.get(
            tag.component, fresh.state_dict()
        )
        assert torch.equal(made[name], origin[name]), name
    entries = dict.fromkeys(COMPONENTS, 0)
    for name, tag in tags(fresh).items():
        entries[tag.component] += made[name].numel()
    assert facts["taken"] == entries["attention"] + entries["mlp"]
    assert facts["taken"] + facts["made"] + facts["kept"] == facts["parameters"] == sum(entries.values())
    assert [line["tensor"] for line in facts["account"]] == list(tags(fresh))


SOURCE_SIZE = len(SOURCE.tokens)


def test_layers_are_named_from_first_to_last(tmp_path: Path) -> None:
    made, sources, _ = carry_out(tmp_path, rule("norm", "take", first=1, last=2))
    taken = {name for name, tensor in made.items() if torch.equal(tensor, sources["first"][name])}
    assert taken == {name for name, tag in tags(initial(SHAPE, SOURCE_SIZE, 0)).items()
                     if tag.component == "norm" and tag.layer in {1, 2}}  # fmt: skip


def test_embeddings_of_another_vocabulary(tmp_path: Path) -> None:
    target = Vocabulary(text_size=5, tokens=("new", *reversed(SOURCE.tokens)))
    old = carry_out(tmp_path / "take", rule("embedding", "take"))[1]["first"]["embedding.weight"]
    mean = old.mean(0)

    rows = carry_out(tmp_path / "mean", rule("embedding", "mean"), vocabulary=target)[0]["embedding.weight"]
    torch.testing.assert_close(rows, mean.expand(target.size, -1))

    rows = carry_out(tmp_path / "partial", rule("embedding", "partial"), vocabulary=target)[0][
        "embedding.weight"
    ]
    assert torch.equal(rows[6:].flip(0), old)
    torch.testing.assert_close(rows[:6], mean.expand(6, -1))

    rows = carry_out(tmp_path / "rows", rule("embedding", "sample_rows"), vocabulary=target)[0][
        "embedding.weight"
    ]
    assert all((old == row).all(1).any() for row in rows)
    fewer = carry_out(tmp_path / "fewer", rule("embedding", "sample_rows"))[0]["embedding.weight"]
    assert torch.equal(rows[: len(fewer)], fewer)


def test_positions_of_another_context(tmp_path: Path) -> None:
    longer = SHAPE.model_copy(update={"context": 20})
    made, sources, _ = carry_out(tmp_path, rule("position", "partial"), model=longer)
    old = sources["first"]["position.weight"]
    assert torch.equal(made["position.weight"][:16], old)
    torch.testing.assert_close(made["position.weight"][16:], old.mean(0).expand(4, -1))


def test_shuffling_keeps_every_entry_of_a_tensor(tmp_path: Path) -> None:
    made, sources, facts = carry_out(tmp_path, *(rule(component, "shuffle") for component in COMPONENTS[:5]))
    for name, old in sources["first"].items():
        assert not torch.equal(made[name], old)
        assert torch.equal(made[name].flatten().sort().values, old.flatten().sort().values)
    assert facts["made"] == facts["parameters"]


def test_an_untied_head_can_be_a_tied_sources_embedding(tmp_path: Path) -> None:
    untied = SHAPE.model_copy(update={"tied": False})
    made, sources, _ = carry_out(tmp_path, rule("head", "take"), model=untied)
    assert torch.equal(made["head.weight"], sources["first"]["embedding.weight"])


@pytest.mark.parametrize(
    ("rules", "target", "says"),
    [
        ([rule("attention", "take", first=5)], {}, "no such tensor"),
        ([rule("head", "take"), rule("embedding", "mean")], {}, "no such tensor"),
        (
            [rule("embedding", "take")],
            {"vocabulary": Vocabulary(tokens=("a", "b"))},
            "7 × 16 in first and 2 × 16 here",
        ),
        (
            [rule("mlp", "partial")],
            {"model": SHAPE.model_copy(update={"width": 32})},
            "cannot make them meet",
        ),
        ([rule("mlp", "take")], {"model": SHAPE.model_copy(update={"layers": 4})}, "first has no blocks.3"),
    ],
)
def test_what_cannot_be_met_is_an_error(
    tmp_path: Path, rules: list[TransferRule], target: dict[str, Any], says: str
) -> None:
    with pytest.raises(RunError, match=says):
        carry_out(tmp_path, *rules, **target)
