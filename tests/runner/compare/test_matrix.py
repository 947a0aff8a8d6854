"""Several comparisons of one study, side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from procdsl.plan import Comparison
from runner.compare import compare, matrix, write_matrix
from runner.compare.document import document
from runner.store import Store
from tests.runner.compare.study import fill, make_plan


def test_each_comparison_has_its_own_curricula_and_baseline(store: Store, tmp_path: Path) -> None:
    plan = make_plan()
    fill(plan, store)
    questions = (
        Comparison(name="all", metric="val/loss", baseline="text_only"),
        Comparison(
            name="less",
            metric="val/loss",
            baseline="dyck_then_text",
            curricula=(("full", "dyck_then_text"), ("short", "dyck_less_text")),
        ),
    )
    found = [document(compare(plan, store, asked=asked)) for asked in questions]
    assert [arm["name"] for arm in found[1]["curricula"]] == ["dyck_then_text", "dyck_less_text"]
    assert [arm["baseline"] for arm in found[1]["curricula"]] == [True, False]
    table = matrix(found)
    rows = {row["label"]: row["cells"] for row in table["rows"]}
    assert set(rows) == {"text_only", "dyck_then_text", "dyck_less_text", "full", "short"}
    assert rows["text_only"][1] is None
    short = next(arm for arm in found[1]["curricula"] if arm["label"] == "short")
    assert rows["short"][1]["gain"] == pytest.approx(-short["difference"]["difference"]["mean"])
    assert rows["short"][1]["gain"] < 0
    assert write_matrix(table, tmp_path).read_bytes().startswith(b"\x89PNG")
