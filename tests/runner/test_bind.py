"""Binding: chosen once, remembered, said out loud, part of every key."""

from __future__ import annotations

from pathlib import Path

import pytest

from procdsl.errors import RunError
from procdsl.plan import (
    AnyOperation,
    Binding,
    BpeTokenizer,
    BytesTokenizer,
    Feed,
    HubTokenizer,
    Plan,
    PrepareOperation,
    Stage,
    TrainOperation,
    Trial,
    TrialPhase,
    Vocabulary,
)
from procdsl.plan.sources.builtin import BuiltinSource
from procdsl.plan.sources.hub import HubSource
from runner.bind import FALLBACK_TOKENIZER, bind, recall
from runner.corpora.sources import Unreachable
from runner.events import Event, ignore
from runner.execution import Execution
from runner.store import Store
from tests.runner.corpora.made import documents, jsonl, operation
from tests.runner.training import phase

C4 = {"name": "c4", "id": "prepare/c4", "source": HubSource(path="allenai/c4", config="en")}
PYDOCS = BuiltinSource(name="pydocs")


def train(*sources: str, context: int = 64) -> TrainOperation:
    vocabulary = Vocabulary(text=sources[0], tokens=("(", ")"))
    stages = (Stage(steps=2, shares=(1 / len(sources),) * len(sources)),)
    feeds = tuple(Feed(source=source) for source in sources)
    return phase(vocabulary=vocabulary, context=context, feeds=feeds, stages=stages)


def study(*operations: AnyOperation) -> Plan:
    return Plan(study="study", operations=operations, trials=())


def bound(plan: Plan, folder: Path, **how: object) -> tuple[Plan, list[Event]]:
    said: list[Event] = []
    store = Store(folder / "store")
    execution = Execution(store=store.root, folder=folder, **{"offline": True, **how})  # type: ignore[arg-type]
    return bind(plan, store, execution, said.append), said


def bindings(plan: Plan) -> dict[str, Binding]:
    return {one.name: one.binding for one in plan.of_kind(PrepareOperation) if one.binding}


def test_a_fallback_brings_its_tokenizer_and_is_said_out_loud(tmp_path: Path) -> None:
    published = operation(**C4, tokenizer=HubTokenizer(name="gpt2", size=50_257), fallback=PYDOCS)
    plan, said = bound(study(published, train("prepare/c4")), tmp_path)
    binding = bindings(plan)["c4"]
    assert (binding.source.kind, binding.fallback) == ("builtin", True)
    trained = plan.operation("train", TrainOperation)
    assert trained.vocabulary.text_size == FALLBACK_TOKENIZER.size
    assert trained.vocabulary.size == FALLBACK_TOKENIZER.size + 2
    (note,) = [event.facts["text"] for event in said if event.name == "note"]
    assert "using pydocs instead of allenai/c4/en" in note
    assert "stays offline" in note
    own, _ = bound(study(operation(**C4, fallback=PYDOCS)), tmp_path / "own")
    assert bindings(own)["c4"].tokenizer.kind == "bytes"


def test_without_a_fallback_or_with_strict_data_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"corpus c4: dataset allenai/c4") as raised:
        bound(study(operation(**C4)), tmp_path)
    assert "three ways out" in raised.value.help
    plan = study(operation(**C4, fallback=PYDOCS))
    with pytest.raises(Unreachable, match="--strict-data"):
        bound(plan, tmp_path, strict_data=True)
    bound(plan, tmp_path)
    with pytest.raises(Unreachable, match="--strict-data"):
        bound(plan, tmp_path, strict_data=True)


def test_a_study_keeps_its_binding_until_told(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", documents(100))
    plan = study(operation(), train("prepare/text"))
    first, _ = bound(plan, tmp_path)
    jsonl(path, documents(120))
    again, _ = bound(plan, tmp_path)
    assert again.keys == first.keys
    fresh, _ = bound(plan, tmp_path, rebind=True)
    assert fresh.keys["prepare/text"] != first.keys["prepare/text"]
    assert fresh.keys["train"] != first.keys["train"]


def test_another_source_in_the_spec_is_bound_anew(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", documents(100))
    first, _ = bound(study(operation()), tmp_path)
    other, _ = bound(study(operation(tokenizer=BpeTokenizer(size=300))), tmp_path)
    assert other.keys != first.keys


def test_how_much_is_read_changes_no_key(tmp_path: Path) -> None:
    source = BuiltinSource(name="pydocs", megabytes=1)
    first, _ = bound(study(operation(source=source)), tmp_path)
    more = BuiltinSource(name="pydocs", megabytes=2)
    other, _ = bound(study(operation(source=more, train_tokens=10**6, validation_tokens=9)), tmp_path)
    assert other.keys == first.keys
    repeated, _ = bound(study(operation(source=more, max_epochs=3)), tmp_path)
    assert repeated.keys != first.keys


def test_the_last_block_of_rows_is_made_whole(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", documents(100))
    plan, _ = bound(study(operation(), train("prepare/text", context=48)), tmp_path)
    assert plan.by_id["prepare/text"].spare_tokens == 1024 * 48  # type: ignore[union-attr]


def test_texts_of_one_phase_share_a_tokenizer(tmp_path: Path) -> None:
    for name in ("a", "b"):
        jsonl(tmp_path / f"{name}.jsonl", documents(100, start=ord(name)))
    other = operation(source=HubSource(path="b"), id="prepare/b", name="b", tokenizer=BytesTokenizer())
    jsonl(tmp_path / "b" / "b.jsonl", documents(100))
    bound(study(operation(), other, train("prepare/text", "prepare/b")), tmp_path)
    trained = other.model_copy(update={"tokenizer": BpeTokenizer(size=300)})
    with pytest.raises(RunError, match="reads text and b, which were bound to different tokenizers"):
        bound(study(operation(), trained, train("prepare/text", "prepare/b")), tmp_path)


def test_what_only_other_curricula_read_stays_unbound_until_it_is_wanted(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", documents(100))
    phases = {"mine": train("prepare/text"), "theirs": train("prepare/c4")}
    phases = {name: one.model_copy(update={"id": name}) for name, one in phases.items()}
    trials = tuple(
        Trial(
            curriculum=name,
            seed=0,
            phases=(TrialPhase(name="text", train=name, text_tokens=0, procedural_tokens=0),),
            measures=(),
        )
        for name in phases
    )
    plan = study(operation(), operation(**C4), *phases.values()).model_copy(update={"trials": trials})
    with pytest.raises(Unreachable):
        bound(plan, tmp_path)
    mine, _ = bound(plan, tmp_path, only=("mine",))
    assert bindings(mine).keys() == {"text"}
    fallen = operation(**C4, fallback=PYDOCS)
    whole = plan.with_operations((operation(), fallen, *phases.values()))
    both, _ = bound(whole, tmp_path)
    assert both.keys["mine"] == mine.keys["mine"]
    again, _ = bound(whole, tmp_path, only=("mine",), rebind=True, strict_data=True)
    assert again.keys == both.keys


def test_a_damaged_memory_is_named(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", documents(100))
    bound(study(operation()), tmp_path)
    (tmp_path / "store/studies/study/bindings.json").write_text("{")
    with pytest.raises(RunError, match=r"bindings\.json is damaged"):
        bind(study(operation()), Store(tmp_path / "store"), Execution(store=tmp_path), ignore)


def test_to_recall_asks_nobody_and_writes_nothing(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", documents(100))
    store = Store(tmp_path / "store")
    plan = study(operation(), operation(**C4, fallback=PYDOCS), train("prepare/text"))
    assert recall(plan, store) == plan
    assert not store.root.exists()
    half, _ = bound(study(operation(), train("prepare/text")), tmp_path)
    found = recall(plan, store)
    assert found.keys["train"] == half.keys["train"]
    assert found.by_id["prepare/c4"] == plan.by_id["prepare/c4"]
    assert len(bindings(found)) == 1
