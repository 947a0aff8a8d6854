"""Exported models, loaded by `transformers`: equal logits, and every text comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from procdsl.errors import UsageError
from procdsl.plan import Plan, TrainOperation
from runner import checkpoints, corpora
from runner.bind import bind, recall
from runner.events import ignore
from runner.execution import Execution
from runner.exports import export_model
from runner.model import Transformer
from runner.store import Store
from tests.runner.corpora.made import documents, jsonl
from tests.runner.measures.spec import planned
from tests.runner.studies import carry_out

TEXT = """
[grammars.brackets]
kind = "dyck"
k = 3
length = 32
[corpora.data]
kind = "files"
paths = ["a.jsonl"]
format = "jsonl"
tokenizer = {tokenizer}
"""
MIXED = "{ name = 'main', data = { data = 0.5, brackets = 0.5 }, steps = 2, context = 32 }"
SAID = "Σ naïve  text,\n  of `code` 123 🙂"


def trained(root: Path, text: str, *sets: str) -> tuple[Plan, Store, TrainOperation]:
    jsonl(root / "a.jsonl", documents(400))
    store = Store(root / "store")
    bound = bind(planned(root, text, *sets), store, Execution(store=store.root, folder=root), ignore)
    outcome, _ = carry_out(bound, store.root)
    assert outcome.exit_code == 0, outcome
    assert recall(planned(root, text, *sets), store).keys == bound.keys
    operation = bound.operation("plain/s0/main", TrainOperation)
    return bound, store, operation


def ours(plan: Plan, store: Store, operation: TrainOperation) -> Transformer:
    model = Transformer(operation.model, operation.vocabulary.size)
    model.load_state_dict(checkpoints.parameters(store.path("train", plan.key(operation.id))))
    return model.eval()


@pytest.mark.parametrize(
    ("tokenizer", "tied"), [('{ kind = "bytes" }', "true"), ('{ kind = "bpe", size = 400 }', "false")]
)
def test_a_model_of_text_is_loaded_with_its_tokenizer(tokenizer: str, tied: str, tmp_path: Path) -> None:
    plan, store, operation = trained(
        tmp_path,
        TEXT.replace("{tokenizer}", tokenizer),
        f"curricula.plain.phases=[{MIXED}]",
        f"model.tied={tied}",
    )
    facts = export_model(plan, store, tmp_path / "out", curriculum="plain", seed=0, phase=None)
    size = operation.vocabulary.text_size
    assert facts["vocabulary"] == size < operation.vocabulary.size
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    tokens = AutoTokenizer.from_pretrained(tmp_path / "out")
    ids = tokens(SAID)["input_ids"]
    (known,) = corpora.tokenizer(store.path("prepare", plan.key(operation.vocabulary.text or ""))).encode(
        [SAID]
    )
    assert ids == known.tolist()
    assert tokens.decode(ids) == SAID
    assert tokens.eos_token_id == theirs.config.eos_token_id == size - 1
    assert tokens("a" + tokens.eos_token)["input_ids"][-1] == size - 1
    fed = torch.tensor([[size - 1, *ids][: operation.model.context]])
    with torch.inference_mode():
        expected = ours(plan, store, operation).logits(fed)[..., :size]
        torch.testing.assert_close(theirs(fed).logits, expected, rtol=1e-4, atol=1e-5)


def test_a_model_of_a_grammar_reads_its_tokens_as_words(tmp_path: Path) -> None:
    text = TEXT.partition("[corpora.data]")[0]
    plan, store, operation = trained(
        tmp_path, text, 'curricula.plain.phases=[{ name = "main", data = "brackets", steps = 2 }]'
    )
    export_model(plan, store, tmp_path / "out", curriculum="plain", seed=0, phase="main")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    tokens = AutoTokenizer.from_pretrained(tmp_path / "out")
    spelt = operation.vocabulary.tokens
    ids = tokens(" ".join(spelt))["input_ids"]
    assert ids == list(range(len(spelt)))
    with torch.inference_mode():
        expected = ours(plan, store, operation).logits(torch.tensor([ids]))
        torch.testing.assert_close(theirs(torch.tensor([ids])).logits, expected, rtol=1e-4, atol=1e-5)


def test_what_cannot_be_exported_says_why(tmp_path: Path) -> None:
    text = TEXT.partition("[corpora.data]")[0]
    only = 'curricula.plain.phases=[{ name = "main", data = "brackets", steps = 2 }]'
    plan, store = planned(tmp_path, text, only), Store(tmp_path / "store")
    place = {"curriculum": "plain", "seed": 0, "phase": None}
    with pytest.raises(UsageError, match="is not finished"):
        export_model(plan, store, tmp_path / "out", **place)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()
    for wrong, told in [
        ({"curriculum": "plane"}, "no curriculum"),
        ({"seed": 4}, "seed 4"),
        ({"phase": "x"}, "phase 'x'"),
    ]:
        with pytest.raises(UsageError, match=told):
            export_model(plan, store, tmp_path / "out", **(place | wrong))  # type: ignore[arg-type]
    carry_out(plan, tmp_path / "store")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        export_model(plan, store, tmp_path / "out", **place)  # type: ignore[arg-type]
