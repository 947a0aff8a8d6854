"""Retrieval of repeated lists, against losses computed plainly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from procdsl.errors import RunError
from procdsl.plan import Plan, Vocabulary
from procdsl.programs.measurements.retrieval import RetrievalMeasurement
from runner.corpora import prepare
from runner.events import ignore
from runner.execution import Execution
from runner.initial import initial
from runner.measures import Setting, prepared, taken
from runner.store import Store
from tests.runner.corpora.made import bound, documents, jsonl, operation
from tests.runner.training import TINY, iid, measured_by, phase


def setting(root: Path, *, items: int = 4, between: int = 6, rows: int = 20) -> Setting:
    jsonl(root / "a.jsonl", documents(200))
    corpus, place, _ = bound(operation(), root)
    prepare(corpus, place, observe=ignore)
    extra = iid()
    train = phase(extra, vocabulary=Vocabulary(text=corpus.id, text_size=257, tokens=extra.tokens))
    wanted = RetrievalMeasurement(source=corpus.id, rows=rows, items=items, between=between)
    measure = measured_by(wanted)
    plan = Plan(study="study", operations=(corpus, extra, train, measure), trials=())
    return Setting(plan, measure, train, Store(root / "store"), Execution(store=root / "store"))


def test_the_second_list_is_the_first_again(tmp_path: Path) -> None:
    made: Any = prepared(setting(tmp_path))
    ids = made.rows.ids
    assert ids.shape == (20, 1 + 4 + 6 + 4)
    assert (ids[:, 0] == 256).all()
    assert np.array_equal(ids[:, 1:5], ids[:, -4:])
    assert all(len(set(row)) == 4 for row in ids[:, 1:5].tolist())
    assert len({tuple(row) for row in ids[:, 1:5].tolist()}) > 15
    text = np.fromfile(next(tmp_path.rglob("validation.bin")), np.uint16)
    assert np.array_equal(ids[1, 5:11], text[10:16])


def test_losses_are_of_the_two_lists_and_of_all(tmp_path: Path) -> None:
    asked = setting(tmp_path)
    made: Any = prepared(asked)
    model = initial(TINY, 257 + 7, 1)
    for tensor in model.parameters():
        tensor.data.mul_(3)
    found = taken(made, model, asked)
    ids = torch.from_numpy(made.rows.ids).long()
    logits = model.eval().double().logits(ids[:, :-1])[..., :257].detach()
    loss = F.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")
    assert found["first"] == pytest.approx(float(loss[:, :4].mean()), rel=1e-6)
    assert found["second"] == pytest.approx(float(loss[:, -4:].mean()), rel=1e-6)
    assert found["ratio"] == pytest.approx(found["second"] / found["first"])
    assert found["whole"] == pytest.approx(float(loss.mean()), rel=1e-6)
    assert [found[f"second/item_{i}"] for i in (1, 2, 3, 4)] == pytest.approx(
        loss[:, -4:].mean(0).tolist(), rel=1e-6
    )


def test_a_text_of_few_tokens_has_no_long_lists(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="different tokens, a list needs 200"):
        prepared(setting(tmp_path, items=200, rows=1))
