"""Courses of phases, from a spec to parameters: rows read again, one vocabulary, mixtures of weights."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from procdsl.compiler import compile
from procdsl.plan import GenerateOperation, Plan, PrepareOperation, TrainOperation
from runner import batches, checkpoints
from runner.bind import bind
from runner.engine import run
from runner.events import ignore
from runner.execution import Execution
from runner.store import Store, read_json

SPEC = """
procdsl = 1
name = "courses"
seeds = [0]

[grammars.dyck]
kind = "dyck"
k = 2
length = 16

[grammars.set]
kind = "task"
input = "uniform(sym, length=8)"
output = "input | unique"
symbols = { sym = 20 }

[grammars.rule_110]
kind = "eca"
rule = 110
width = 20
steps = 1

[corpora.prose]
kind = "files"
paths = ["prose.jsonl"]
format = "jsonl"
tokenizer = { kind = "bytes" }
validation = 0.2

[model]
layers = 2
heads = 2
width = 16
context = 48

[training]
batch_rows = 4
optimiser = { kind = "adamw", lr = 1e-2 }
schedule = { kind = "constant" }

[transfers.mixture]
rules = [
  { component = "attention", from = "set_first.warmup" },
  { component = "mlp", from = "eca_first.warmup" },
  { component = "norm", parts = ["before_attention"], from = "set_first.warmup" },
  { component = "norm", parts = ["before_mlp", "final"], from = "eca_first.warmup" },
  { component = "position", action = "partial", from = "eca_first.warmup" },
]

[transfers.body]
take = ["attention", "mlp", "norm"]

[curricula.text_only]
baseline = true
phases = [{ name = "text", data = "prose", context = 16, steps = 6 }]

[curricula.interleaved]
vocabulary = "shared"
phases = [
  { name = "warmup", data = "dyck", steps = 5 },
  { name = "text", data = "prose", context = 16, steps = 6, start = { from = "warmup" } },
  { name = "again", data = "dyck", steps = 5, start = { from = "text" }, replay = "warmup" },
  { name = "fresh", data = "dyck", steps = 5, start = { from = "again" } },
]

[curricula.set_first]
phases = [
  { name = "warmup", data = "set", steps = 4 },
  { name = "text", data = "prose", context = 16, steps = 6, start = { from = "warmup", transfer = "body" } },
]

[curricula.eca_first]
like = "set_first"
phases = [{ name = "warmup", data = "rule_110" }]

[curricula.mixed_weights]
like = "set_first"
phases = [{ name = "text", start = { transfer = "mixture" } }]

[evaluations.prose]
kind = "loss"
on = "prose"
every = "100%"
rows = 8

[evaluations.brackets]
kind = "loss"
on = "dyck"
every = "100%"
rows = 8
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Store]:
    """The study above, carried out."""
    folder = tmp_path_factory.mktemp("courses")
    (folder / "courses.toml").write_text(SPEC)
    lines = [f'{{"text": "line {i} of {i * 7919 % 1000} in a small corpus of letters"}}' for i in range(4000)]
    (folder / "prose.jsonl").write_text("\n".join(lines))
    store, execution = Store(folder / "store"), Execution(store=folder / "store", folder=folder)
    plan = bind(compile(folder / "courses.toml").plan, store, execution, ignore)
    outcome = run(plan, execution, ignore)
    assert outcome.exit_code == 0, outcome.reasons
    return plan, store


def train(plan: Plan, curriculum: str, phase: str) -> TrainOperation:
    (trial,) = (trial for trial in plan.trials if trial.curriculum == curriculum)
    (id,) = (one.train for one in trial.phases if one.name == phase)
    return plan.operation(id, TrainOperation)


def rows(plan: Plan, store: Store, operation: TrainOperation) -> np.ndarray:
    """Every row that a phase reads of its first source, in order."""
    corpora = batches.open_corpora(plan, operation.inputs(), store)
    count = operation.steps * operation.batch_rows
    ids = np.empty((count, operation.context + 1), np.int32)
    feed = operation.feeds[0]
    source = plan.by_id[feed.source]
    assert isinstance(source, PrepareOperation | GenerateOperation)
    how, cpu = Execution(store.root), torch.device("cpu")
    batches._feed(operation, feed, source, corpora, how, cpu).fill(0, ids, np.empty(ids.shape, np.uint8))
    return ids


def parameters(plan: Plan, store: Store, operation: TrainOperation) -> dict[str, torch.Tensor]:
    return checkpoints.parameters(store.path("train", plan.key(operation.id)))


def measured(plan: Plan, store: Store, operation: TrainOperation, name: str) -> dict[str, dict[str, float]]:
    (measure,) = (op for op in plan.operations if op.id == f"{operation.id}/{name}")
    folder = store.path("train", plan.key(operation.id)) / "measurements"
    found: dict[str, dict[str, float]] = read_json(folder / f"{plan.key(measure.id)}.json")
    return found


def test_a_replay_reads_the_same_rows_and_a_fresh_phase_none_of_them(ran: tuple[Plan, Store]) -> None:
    plan, store = ran
    first, again, fresh = (
        rows(plan, store, train(plan, "interleaved", name)) for name in ("warmup", "again", "fresh")
    )
    assert np.array_equal(first, again)
    seen = {row.tobytes() for row in first}
    assert sum(row.tobytes() in seen for row in fresh) < len(fresh) / 2
    assert train(plan, "interleaved", "fresh").feeds[0].offset == 0


def test_phases_of_one_vocabulary_go_on_with_all_parameters(ran: tuple[Plan, Store]) -> None:
    """Measured before the first step, each phase is what the one before came to, on text and on brackets."""
    plan, store = ran
    course = [train(plan, "interleaved", name) for name in ("warmup", "text", "again", "fresh")]
    for before, after in pairwise(course):
        assert after.start == before.id
        for name in ("prose", "brackets"):
            if name == "prose" and before.context != after.context:
                continue  # text is measured in rows of the phase
            last = measured(plan, store, before, name)[str(before.steps)]
            assert measured(plan, store, after, name)["0"] == last
    assert {one.vocabulary for one in course} == {train(plan, "text_only", "text").vocabulary}


def test_text_is_measured_over_its_own_ids_whatever_else_the_layout_has(ran: tuple[Plan, Store]) -> None:
    plan, store = ran
    operation = train(plan, "interleaved", "text")
    vocabulary = operation.vocabulary
    assert len(vocabulary.tokens) == 4 + 3
    assert vocabulary.text_size == 257
    fresh = measured(plan, store, train(plan, "text_only", "text"), "prose")["0"]["loss"]
    assert fresh == pytest.approx(np.log(257), abs=0.02)
    assert fresh < np.log(vocabulary.size) - 0.01


def test_attention_of_one_model_and_mlp_of_another(ran: tuple[Plan, Store]) -> None:
    plan, store = ran
    operation = train(plan, "mixed_weights", "text")
    assert operation.start is not None
    place = store.path("transfer", plan.key(operation.start))
    made = checkpoints.parameters(place)
    sets, ecas = (parameters(plan, store, train(plan, f"{name}_first", "warmup")) for name in ("set", "eca"))
    for name, tensor in made.items():
        if re.search(r"attention(_norm)?\.", name):
            assert torch.equal(tensor, sets[name]), name
        elif re.search(r"mlp(_norm)?\.|^norm|^position", name):
            assert torch.equal(tensor, ecas[name]), name
        else:
            assert name == "embedding.weight"
            assert tensor.shape != sets[name].shape
    facts = store.done("transfer", plan.key(operation.start))
    assert facts is not None
    assert facts["kept"] == made["embedding.weight"].numel()
    assert not torch.equal(parameters(plan, store, operation)["norm.weight"], made["norm.weight"])


def test_the_plan_says_what_is_read_again(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from procdsl.cli import app

    (tmp_path / "courses.toml").write_text(SPEC)
    (tmp_path / "prose.jsonl").write_text('{"text": "a"}\n')
    said = CliRunner().invoke(app, ["plan", str(tmp_path / "courses.toml")]).output
    assert "interleaved.again: reads the rows of warmup again" in said
    assert "interleaved.fresh: reads" not in said
