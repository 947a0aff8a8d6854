"""Budgets that make one curriculum equal to another."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from procdsl.compiler import compile
from procdsl.compiler.budgets import scored
from procdsl.estimate import cost
from procdsl.plan import Plan

HERE = Path(__file__).parent
SPEC = """
extends = "minimal.toml"
[grammars.set]
kind    = "task"
input   = "uniform(sym, length=20)"
output  = "input | unique"
loss    = "output"
format  = "{input} <sep> {output} <end>"
symbols = { sym = 50 }
[curricula.matched]
phases = [{ name = "text", data = "prose", match = { curriculum = "first", by = "BY" } }]
[curricula.set_first]
like   = "first"
phases = [{ name = "warmup", data = "set", match = { curriculum = "first", by = "BY" } }]
"""


def plan(folder: Path, by: str) -> Plan:
    (folder / "minimal.toml").write_text((HERE / "minimal.toml").read_text("utf-8"), "utf-8")
    path = folder / "matched.toml"
    path.write_text(SPEC.replace("BY", by), "utf-8")
    return compile(path, profile=None).plan


def tokens(plan: Plan, curriculum: str) -> int:
    trial = next(trial for trial in plan.trials if trial.curriculum == curriculum)
    return sum(phase.text_tokens + phase.procedural_tokens for phase in trial.phases)


def test_equal_tokens(tmp_path: Path) -> None:
    found = plan(tmp_path, "tokens")
    assert tokens(found, "matched") == tokens(found, "first")
    assert tokens(found, "set_first") == pytest.approx(tokens(found, "first"), rel=0.003)


def test_equal_arithmetic_is_that_of_the_plan(tmp_path: Path) -> None:
    curricula = cost(plan(tmp_path, "flops")).curricula
    total = {name: sum(phase.flops for phase in phases) for name, phases in curricula.items()}
    assert total["matched"] == pytest.approx(total["first"], rel=0.005)
    assert total["set_first"] == pytest.approx(total["first"], rel=0.005)


def test_equal_scored_tokens(tmp_path: Path) -> None:
    plan(tmp_path, "scored")
    compiled = compile(tmp_path / "matched.toml", profile=None)
    found = scored(compiled.spec)
    assert found["set_first", "warmup"] == pytest.approx(found["first", "warmup"], rel=0.005)
    # 20 draws of 50 symbols have 50 (1 - (49/50)^20) different ones: all that is scored of a row.
    distinct = 50 * (1 - Fraction(49, 50) ** 20)
    (trial,) = (t for t in compiled.plan.trials if (t.curriculum, t.seed) == ("set_first", 0))
    rows = trial.phases[0].procedural_tokens / 41
    assert found["set_first", "warmup"] / rows == pytest.approx(float(distinct), rel=0.02)


def test_a_budget_takes_the_place_of_another_in_what_is_like_it(tmp_path: Path) -> None:
    (tmp_path / "minimal.toml").write_text((HERE / "minimal.toml").read_text("utf-8"), "utf-8")
    path = tmp_path / "steps.toml"
    path.write_text(
        'extends = "minimal.toml"\n[curricula.short]\nlike = "first"\n'
        'phases = [{ name = "text", steps = 7 }]\n',
        "utf-8",
    )
    found = compile(path, profile=None).plan
    assert found.by_id["short/s0/text"].steps == 7  # type: ignore[union-attr]
