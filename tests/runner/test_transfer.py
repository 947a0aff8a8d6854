"""Transfers: taken tensors are the source's bit for bit, others a fresh model's, all are accounted for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from procdsl.errors import RunError
from procdsl.plan import (
    COMPONENTS,
    ModelShape,
    Plan,
    TrainOperation,
    TransferOperation,
    TransferRule,
    Vocabulary,
)
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
    root: Path, *rules: TransferRule, source: ModelShape = SHAPE, **target: Any
) -> tuple[Tensors, dict[str, Tensors], dict[str, Any]]:
    """The tensors made, those of both sources, and the facts."""
    first = phase(SOURCE, id="first", model=source)
    content: dict[str, Any] = {
        "id": "t",
        "seed": 7,
        "model": SHAPE,
        "vocabulary": first.vocabulary,
        "rules": rules,
    }
    operation = TransferOperation(**content | target)
    plan = plan_of(SOURCE, first, phase(SOURCE, id="second", seed=2, model=source), operation)
    store = Store(root)
    sources = {id: trained(plan, id, store) for id in ("first", "second")}
    place = store.place("transfer", plan.key("t"))
    facts = transfer(plan, "t", store=store, place=place)
    return load_file(place / "model.safetensors"), sources, facts


def trained(plan: Plan, id: str, store: Store) -> Tensors:
    """Parameters such as training leaves: every entry another than a fresh one's."""
    operation = plan.operation(id, TrainOperation)
    fresh = initial(operation.model, operation.vocabulary.size, seed=100 + len(id)).state_dict()
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


# The component names of the published code (its patterns over GPT-2's parameter names), as rules.
QKV = ("query", "key", "value")
PUBLISHED = {
    "attn": ([rule("attention", "take")], r"attention\.(into|out)"),
    "attn+ln": (
        [rule("attention", "take"), rule("norm", "take", parts=("before_attention",))],
        r"attention(_norm)?\.",
    ),
    "heads": ([rule("attention", "take", parts=QKV)], r"attention\.into"),
    "ffn": ([rule("mlp", "take")], r"mlp\."),
    "ln": ([rule("norm", "take")], r"norm\."),
    "embed": (
        [rule("embedding", "take"), rule("position", "take"), rule("head", "take")],
        r"embedding|posit|head",
    ),
    "everything": ([rule(name, "take") for name in ("attention", "mlp", "norm")], r"blocks|^norm"),
    "first third": (
        [rule(name, "take", last=0) for name in ("attention", "mlp", "norm")],
        r"blocks\.0\.",
    ),
}


@pytest.mark.parametrize(("rules", "pattern"), PUBLISHED.values(), ids=PUBLISHED)
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_published_component_sets(
    tmp_path: Path, rules: list[TransferRule], pattern: str, tied: bool
) -> None:
    made, sources, facts = carry_out(tmp_path, *rules, model=SHAPE.model_copy(update={"tied": tied}))
    fresh = initial(SHAPE.model_copy(update={"tied": tied}), SOURCE_SIZE, seed=7).state_dict()
    old = sources["first"] | {"head.weight": sources["first"]["embedding.weight"]}
    taken = {name for name in fresh if re.search(pattern, name)}
    assert taken
    for name in fresh:
        assert torch.equal(made[name], (old if name in taken else fresh)[name]), name
    assert facts["taken"] == sum(fresh[name].numel() for name in taken)


def test_heads_of_two_models_are_grafted(tmp_path: Path) -> None:
    rules = rule("attention", "take", heads=(1,)), rule("attention", "take", "second", heads=(0,), last=1)
    made, sources, facts = carry_out(tmp_path, *rules)
    fresh = initial(SHAPE, SOURCE_SIZE, seed=7).state_dict()
    for layer in range(3):
        prefix = f"blocks.{layer}.attention"
        other = sources["second"] if layer < 2 else fresh
        for name in (f"{prefix}.into.weight", f"{prefix}.into.bias"):
            # Rows of three parts (query, key, value), each of two heads of 8.
            mine, old, one = (x[name].unflatten(0, (3, 2, 8)) for x in (made, sources["first"], other))
            assert torch.equal(mine[:, 1], old[:, 1])
            assert torch.equal(mine[:, 0], one[:, 0])
        name = f"{prefix}.out.weight"
        assert torch.equal(made[name][:, 8:], sources["first"][name][:, 8:])
        assert torch.equal(made[name][:, :8], other[name][:, :8])
        assert torch.equal(made[f"{prefix}.out.bias"], fresh[f"{prefix}.out.bias"])
    assert facts["taken"] == 5 * (3 * 8 * 17 + 16 * 8)


def test_statistics_keep_mean_and_deviation_of_each_tensor_and_nothing_else(tmp_path: Path) -> None:
    wide = SHAPE.model_copy(update={"width": 64})
    rules = [rule(component, "statistics") for component in ("attention", "mlp", "norm", "position")]
    made, sources, facts = carry_out(tmp_path / "a", *rules, model=wide, source=wide)
    again = carry_out(tmp_path / "b", *rules[:2], model=wide, source=wide)[0]
    other = carry_out(tmp_path / "c", *rules, model=wide, source=wide, seed=8)[0]
    for name, old in sources["first"].items():
        if name == "embedding.weight":
            continue
        error = float(old.std()) / old.numel() ** 0.5
        assert abs(float(made[name].mean() - old.mean())) < 5 * error, name
        assert abs(float(made[name].std() / old.std()) - 1) < 5 / old.numel() ** 0.5, name
        assert abs(float(torch.corrcoef(torch.stack([made[name].flatten(), old.flatten()]))[0, 1])) < 0.5
        assert not torch.equal(made[name], other[name])
        if "attention." in name or "mlp." in name:
            assert torch.equal(made[name], again[name])
    assert facts["made"] == facts["parameters"] - sources["first"]["embedding.weight"].numel()


def test_scale_is_the_fresh_tensor_with_the_sources_magnitude(tmp_path: Path) -> None:
    made, sources, _ = carry_out(tmp_path, *(rule(component, "scale") for component in COMPONENTS[:5]))
    for name, fresh in initial(SHAPE, SOURCE_SIZE, seed=7).named_parameters():
        if not fresh.any():
            assert not made[name].any()
            continue
        (ratio,) = (made[name] / fresh).flatten()[:1].tolist()
        torch.testing.assert_close(made[name], fresh.detach() * ratio)
        torch.testing.assert_close(made[name].square().mean(), sources["first"][name].square().mean())


def test_statistics_of_some_heads_are_those_of_these_heads(tmp_path: Path) -> None:
    made, sources, _ = carry_out(tmp_path, rule("attention", "shuffle", heads=(0,), parts=("query",)))
    name = "blocks.1.attention.into.weight"
    fresh = initial(SHAPE, SOURCE_SIZE, seed=7).get_parameter(name)
    assert torch.equal(
        made[name][:8].flatten().sort().values, sources["first"][name][:8].flatten().sort().values
    )
    assert not torch.equal(made[name][:8], sources["first"][name][:8])
    assert torch.equal(made[name][8:], fresh[8:])


def test_rows_by_number_in_another_order_or_few(tmp_path: Path) -> None:
    target = Vocabulary(tokens=tuple(f"t{i}" for i in range(40)))
    old = carry_out(tmp_path / "take", rule("embedding", "take"))[1]["first"]["embedding.weight"]

    def rows(action: str, **more: Any) -> torch.Tensor:
        return carry_out(tmp_path / action, rule("embedding", action, **more.pop("rule", {})), **more)[0][
            "embedding.weight"
        ]

    first = rows("first_rows", vocabulary=target)
    assert torch.equal(first[: len(old)], old)
    torch.testing.assert_close(first[len(old) :], old.mean(0).expand(40 - len(old), -1))
    few = rows("sample_rows", vocabulary=target, rule={"rows": 2})
    assert len(few.unique(dim=0)) == 2
    assert all((old == row).all(1).any() for row in few)
    permuted = rows("permute_rows")
    assert not torch.equal(permuted, old)
    assert torch.equal(permuted.unique(dim=0), old.unique(dim=0))


def test_a_head_is_made_from_the_embedding_where_it_says_so(tmp_path: Path) -> None:
    untied = SHAPE.model_copy(update={"tied": False})
    made, sources, _ = carry_out(tmp_path, rule("head", "mean", of="embedding"), model=untied, source=untied)
    mean = sources["first"]["embedding.weight"].mean(0)
    torch.testing.assert_close(made["head.weight"], mean.expand(SOURCE_SIZE, -1))


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
