from __future__ import annotations

from pathlib import Path

from runner.tracking.journal import read
from tests.runner.training import carry_out, dyck, loss_of, phase, plan_of


def test_a_phase_trains_and_is_measured(tmp_path: Path) -> None:
    source = dyck()
    plan = plan_of(source, phase(source), loss_of(source, steps=(0, 12)))
    facts = carry_out(plan, tmp_path)
    assert facts["steps"] == 12
    assert facts["tokens"] == facts["scored"] == 12 * 8 * 16
    points = [p for p in read(tmp_path / "objects" / f"train-{plan.key('train')}" / "journal.jsonl") if "m" in p]
    losses = {point["s"]: point["m"]["eval/loss_dyck/loss"] for point in points if "eval/loss_dyck/loss" in point["m"]}
    assert losses[12] < losses[0]
