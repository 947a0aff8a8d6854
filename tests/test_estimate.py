"""Costs are those of the real thing: parameters as the model has them, every one of them accounted for."""

from __future__ import annotations

from pathlib import Path

import pytest

from procdsl import estimate
from procdsl.compiler import compile
from procdsl.plan import ModelShape, TransferOperation, TransferRule, Vocabulary

GOOD = Path(__file__).parent / "compiler" / "good.toml"
STUDY = Path(__file__).parents[1] / "specs" / "dyck_then_c4.toml"


@pytest.mark.parametrize("tied", [True, False])
def test_parameters_are_those_of_the_model(tied: bool) -> None:
    from runner.model import Transformer, tags

    shape = ModelShape(layers=3, heads=2, width=16, context=24, tied=tied)
    model = Transformer(shape, 37)
    found: dict[estimate.Part, int] = {("head", 0): 0}
    for name, tag in tags(model).items():
        part = (tag.component, tag.layer or 0)
        found[part] = found.get(part, 0) + model.get_parameter(name).numel()
    assert estimate.parameters(shape, 37) == found


def test_gpt2_small_has_124_million_parameters_and_chinchillas_arithmetic() -> None:
    plan = compile(STUDY, profile=None, sets=["model.context=1024", "grammars.dyck.length=1024"]).plan
    (phase,) = estimate.cost(plan).curricula["c4_only"]
    assert phase.parameters == 124_439_808
    assert phase.flops == pytest.approx(6 * 124e6 * phase.text_tokens, rel=0.1)


def test_what_is_shared_is_counted_once() -> None:
    plan = compile(STUDY, profile="cpu").plan
    cost = estimate.cost(plan)
    each = sum(phase.flops for phases in cost.curricula.values() for phase in phases)
    shared = cost.curricula["dyck_first"][0]
    assert shared.shared == 2
    assert cost.flops == pytest.approx(3 * (each - shared.flops))


@pytest.mark.parametrize(
    ("rule", "moved"),
    [
        (TransferRule(component="embedding", action="take", source="alone/s0/learn"), (11 * 16, 0, 0)),
        (TransferRule(component="embedding", action="mean", source="alone/s0/learn"), (0, 11 * 16, 0)),
        (TransferRule(component="position", action="partial", source="alone/s0/learn"), (32 * 16, 8 * 16, 0)),
        (
            TransferRule(component="norm", action="take", first=0, last=0, source="alone/s0/learn"),
            (64, 0, 64 + 32),
        ),
        (TransferRule(component="mlp", action="fresh"), (0, 0, 2 * (8 * 256 + 80))),
        (
            TransferRule(component="attention", action="take", source="dyck_first/s0/warmup", heads=(1,)),
            (2 * (4 * 128 + 24), 0, 2 * (4 * 128 + 40)),
        ),
        (
            TransferRule(
                component="norm",
                action="statistics",
                source="dyck_first/s0/warmup",
                parts=("before_mlp", "final"),
            ),
            (0, 96, 64),
        ),
    ],
    ids=lambda value: f"{value.component} {value.action}" if isinstance(value, TransferRule) else "",
)
def test_a_transfer_accounts_for_every_parameter(rule: TransferRule, moved: tuple[int, int, int]) -> None:
    plan = compile(GOOD).plan
    tokens = tuple(f"t{i}" for i in range(11))
    operation = TransferOperation(
        id="t",
        seed=0,
        model=ModelShape(layers=2, heads=2, width=16, context=40),
        vocabulary=Vocabulary(tokens=tokens),
        rules=(rule,),
    )
    found = {part.component: part for part in estimate.moved(plan, operation)}
    part = found[rule.component]
    assert (part.taken, part.made, part.kept) == moved
    whole = sum(estimate.parameters(operation.model, 11).values())
    assert sum(p.taken + p.made + p.kept for p in found.values()) == whole
