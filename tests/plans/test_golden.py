"""Shipped specs compile to the plans that were read and kept; a change is read before it is committed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from procdsl.plan import Plan
from tests.plans import FOLDER, golden, shipped, written

EVERY = list(shipped())


@pytest.mark.parametrize(("spec", "profile"), EVERY, ids=[golden(*one).stem for one in EVERY])
def test_a_shipped_spec_has_its_golden_plan(spec: Path, profile: str | None) -> None:
    kept = golden(spec, profile)
    assert kept.exists(), "python -m tests.plans --write"
    assert written(spec, profile) == kept.read_text(), (
        "python -m tests.plans --write, and read the difference"
    )


@pytest.mark.parametrize("kept", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_golden_plan_is_a_plan_with_its_keys(kept: Path) -> None:
    whole = json.loads(kept.read_text())
    keys = whole.pop("keys")
    assert Plan.model_validate(whole).keys == keys
    assert kept in {golden(*one) for one in EVERY}, "no shipped spec has this plan any more"
