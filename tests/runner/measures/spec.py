"""A study of one tiny curriculum and what it measures, from its text to its comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from procdsl.compiler import compile
from procdsl.plan import Plan
from runner.compare import compare
from runner.compare.document import document
from runner.store import Store
from tests.runner.studies import carry_out

HEAD = """
procdsl = 1
name = "tiny"
seeds = [0]
[model]
layers = 1
heads = 2
width = 16
context = 64
[training]
batch_rows = 8
optimiser = { kind = "adamw", lr = 1e-2 }
schedule = { kind = "constant" }
[curricula.plain]
baseline = true
phases = [{ name = "main", data = "data", steps = 4 }]
"""


def planned(root: Path, text: str, *sets: str) -> Plan:
    path = root / "tiny.toml"
    path.write_text(HEAD + text)
    return compile(path, profile=None, sets=sets).plan


def measured(root: Path, text: str, *sets: str) -> dict[str, Any]:
    """What `procdsl compare --json` says of the study, once it has been run."""
    plan = planned(root, text, *sets)
    outcome, _ = carry_out(plan, root / "store")
    assert outcome.exit_code == 0, outcome
    return document(compare(plan, Store(root / "store")))


def finals(found: dict[str, Any]) -> dict[str, float]:
    """The numbers of the only trial, at its end."""
    values: dict[str, float] = found["curricula"][0]["seeds"][0]["finals"]
    return values
