"""Laws of a corpus' tokens: counted on what was prepared, in the key by which corpus that is."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from procdsl import generate, sampling
from procdsl.cli.opening import counted, floored
from procdsl.compiler import compile
from procdsl.errors import RunError
from procdsl.plan import GenerateOperation, Plan, PrepareOperation
from procdsl.programs.base import Lengths, Unigrams
from procdsl.programs.iid import IidProgram
from runner.bind import bind
from runner.events import ignore
from runner.execution import Execution
from runner.generators import fill
from runner.operations import perform
from runner.schedule import needs
from runner.sources import source
from runner.store import Store
from tests.runner.corpora.made import jsonl

GOOD = Path(__file__).parents[1] / "compiler" / "good.toml"
SPEC = """
extends = "good.toml"
[corpora.letters]
kind = "files"
paths = ["letters.jsonl"]
format = "jsonl"
tokenizer = { kind = "bytes" }
[grammars.noise]
kind = "iid"
symbols = 4
weights = "corpus(letters, 600)"
length = 32
[grammars.nest]
kind = "nesting"
types = 30
weights = "corpus(letters, 600)"
length = 32
[sources.mixed]
kind = "shuffled"
of = "nest"
[sources.bigrams]
kind = "ngram"
of = "nest"
order = 2
rows = 64
"""
DATA = ("noise", "nest", "mixed", "bigrams")
SPEC += "".join(f'[curricula.{n}]\nphases = [{{ name = "x", data = "{n}", tokens = 2048 }}]\n' for n in DATA)
TEXT = "aaaaaaaabbbbccd"


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Store]:
    """The plan bound, and its corpus prepared."""
    return prepared(tmp_path_factory.mktemp("study"), TEXT)


def prepared(folder: Path, text: str) -> tuple[Plan, Store]:
    shutil.copy(GOOD, folder)
    (folder / "study.toml").write_text(SPEC)
    jsonl(folder / "letters.jsonl", [text * (1 + i % 3) for i in range(200)])
    store = Store(folder / "store")
    execution = Execution(store=store.root, folder=folder, offline=True)
    made = compile(folder / "study.toml").plan
    bound = bind(made, store, execution, ignore)
    (corpus,) = (operation for operation in bound.operations if isinstance(operation, PrepareOperation))
    assert corpus.train_tokens == 600
    perform(bound, corpus.id, execution, ignore, lambda: False)
    return bound, store


def operation(plan: Plan, name: str) -> GenerateOperation:
    (found,) = (op for op in plan.operations if isinstance(op, GenerateOperation) and op.name == name)
    return found


def rows(made: Any, count: int) -> Any:
    ids, scored = np.zeros((2, count, made.context + 1), np.int32)
    fill(made, seed=0, split="train", start=0, ids=ids, scored=(flags := scored.astype(np.uint8)))
    assert (ids[:4].tolist(), flags[:4].tolist()) == generate.rows(
        made, seed=0, split="train", start=0, count=4
    )
    return ids


def test_symbols_are_as_frequent_as_tokens(plan: tuple[Plan, Store]) -> None:
    """Of bytes: a, b, c, d, eight, four, two and one of fifteen."""
    made = source(plan[0], operation(plan[0], "noise").id, plan[1])
    assert isinstance(made, GenerateOperation)
    found = Counter(rows(made, 4_000)[:, 1:].ravel().tolist())
    for symbol, share in enumerate((8, 4, 2, 1)):
        assert found[symbol] / 128_000 == pytest.approx(share / 15, abs=0.01)


def test_types_beyond_the_tokens_are_never_drawn(plan: tuple[Plan, Store]) -> None:
    for name in DATA[1:]:
        made = source(plan[0], operation(plan[0], name).id, plan[1])
        assert isinstance(made, GenerateOperation)
        ids = rows(made, 200)
        opened = {id for id in np.unique(ids) if id < 30}
        assert opened == {0, 1, 2, 3}, name


def test_rows_have_the_corpus_as_input_and_no_floor(plan: tuple[Plan, Store]) -> None:
    for name in DATA:
        made = operation(plan[0], name)
        assert made.inputs() == ("prepare/letters",)
        assert made.floor is None
        with pytest.raises(RunError, match="whose tokens nobody has counted"):
            rows(made, 4)
        assert needs(plan[0], f"{name}/s0/x") == ("prepare/letters",)


@pytest.mark.parametrize("name", DATA)
def test_commands_count_what_is_prepared(
    name: str, plan: tuple[Plan, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROCDSL_STORE", str(plan[1].root))
    spec = plan[1].root.parent / "study.toml"
    compiled = compile(spec)
    asked = sampling.operation(compiled, name, None, "train")
    made = counted(asked, compiled.plan, spec)
    assert made.program.awaited is None
    assert rows(made, 4).max() < len(made.tokens)
    if name == "noise":
        shares = np.array([8, 4, 2, 1]) / 15
        assert made.floor is not None
        assert made.floor.exact
        assert made.floor.low == pytest.approx(-(shares * np.log(shares)).sum(), abs=0.01)
        assert made.chance == pytest.approx(8 / 15, abs=0.01)
    monkeypatch.setenv("PROCDSL_STORE", str(plan[1].root / "nothing"))
    assert counted(asked, compiled.plan, spec) == asked


def test_a_comparison_knows_the_floor_of_what_is_prepared(plan: tuple[Plan, Store], tmp_path: Path) -> None:
    told = floored(*plan)
    shares = np.array([8, 4, 2, 1]) / 15
    floor = operation(told, "noise").floor
    assert floor is not None
    assert floor.low == pytest.approx(-(shares * np.log(shares)).sum(), abs=0.01)
    assert told.keys == plan[0].keys
    assert operation(floored(plan[0], Store(tmp_path)), "noise").floor is None


def test_another_text_is_another_key(plan: tuple[Plan, Store], tmp_path: Path) -> None:
    other, _ = prepared(tmp_path, TEXT.replace("a", "e"))
    for name in DATA:
        made = operation(plan[0], name)
        assert other.key(made.id) != plan[0].key(made.id)
        assert compile(tmp_path / "study.toml").plan.key(made.id) != other.key(made.id)
    longer = [
        op.model_copy(update={"train_tokens": 900}) if isinstance(op, PrepareOperation) else op
        for op in plan[0].operations
    ]
    assert plan[0].with_operations(longer).keys == plan[0].keys


def test_rarer_tokens_are_left_out() -> None:
    law = Unigrams(corpus="c", tokens=9)
    made = IidProgram(count=2, lengths=Lengths(values=(4,)), unigrams=law).weighed([1, 0, 6, 2])
    assert (made.thresholds, made.unigrams) == ((3 * 2**30,), None)
    assert "unigrams" not in made.model_dump()
