"""Positions that are frames: what their phases have ids for, what is measured there, and what passes over."""

from __future__ import annotations

from pathlib import Path

import pytest

from procdsl.compiler import compile
from procdsl.errors import Severity, SpecError
from procdsl.plan import GenerateOperation, MeasureOperation, Plan, TrainOperation, Vocabulary

STUDY = """
extends = "good.toml"
[grammars.rule_110]
kind = "eca"
rule = 110
width = 20
steps = 16
encode = "vectors"
[grammars.narrow]
kind = "eca"
rule = 110
width = 18
steps = 8
encode = "vectors"
[transfers.rows]
take = ["embedding", "position", "attention", "mlp", "norm"]
[curricula.eca]
phases = [
  { name = "warmup", data = "rule_110", steps = 4 },
  { name = "more", data = MORE, steps = 4, start = { from = "warmup"TRANSFER } },
  { name = "text", data = "prose", steps = 4, start = { from = "more", transfer = "body" } },
]
[evaluations.frames]
kind = "loss"
on = "rule_110"
[evaluations.prose]
kind = "loss"
on = "prose"
"""


def planned(folder: Path, more: str = '"rule_110"', transfer: str = "") -> Plan:
    good = Path(__file__).with_name("good.toml")
    (folder / "good.toml").write_text(good.read_text())
    named = f', transfer = "{transfer}"' if transfer else ""
    (folder / "study.toml").write_text(STUDY.replace("MORE", more).replace("TRANSFER", named))
    return compile(folder / "study.toml", profile=None).plan


def faults(folder: Path, more: str, transfer: str = "") -> list[str]:
    with pytest.raises(SpecError) as raised:
        planned(folder, more, transfer)
    return [one.code for one in raised.value.diagnostics if one.severity is Severity.ERROR]


@pytest.mark.parametrize("transfer", ["", "rows"])
def test_a_phase_of_frames_has_a_row_for_each_cell(tmp_path: Path, transfer: str) -> None:
    plan = planned(tmp_path, transfer=transfer)
    warmup, text = plan.by_id["eca/s0/warmup"], plan.by_id["eca/s0/text"]
    assert isinstance(warmup, TrainOperation)
    assert isinstance(text, TrainOperation)
    assert (warmup.vocabulary, warmup.context) == (Vocabulary(cells=20), 16)
    assert (text.vocabulary.cells, text.vocabulary.tokens) == (0, ())
    source = plan.by_id[warmup.feeds[0].source]
    assert isinstance(source, GenerateOperation)
    assert (source.context, source.cells, source.row) == (16, 20, 17 * 20)
    assert source.floor is not None
    assert source.floor.high == 0


def test_a_loss_is_measured_where_positions_are_of_its_sort(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    made = {
        op.id for op in plan.operations if isinstance(op, MeasureOperation) and op.id.startswith("eca/s0")
    }
    assert made == {"eca/s0/warmup/frames", "eca/s0/more/frames", "eca/s0/text/prose"}


def test_frames_of_other_sizes_are_other_ids(tmp_path: Path) -> None:
    assert faults(tmp_path, '"narrow"') == ["P337"]
    assert faults(tmp_path, '"narrow"', "rows") == ["P334"]
    assert faults(tmp_path, '"dyck"', "rows") == ["P349"]
    assert faults(tmp_path, "{ rule_110 = 0.5, narrow = 0.5 }", "body") == ["P347"]
