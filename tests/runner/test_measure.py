"""Measurements against the same numbers computed plainly: all logits, float64, row by row."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from procdsl.grammars.task import Task
from procdsl.plan import GenerateOperation, MeasureOperation, Plan, Stage, TrainOperation, Vocabulary
from procdsl.programs.base import Interval
from procdsl.programs.measurements.answer import AnswerMeasurement
from procdsl.programs.measurements.loss import LossMeasurement
from runner import checkpoints
from runner.corpora import prepare
from runner.events import ignore
from runner.execution import Execution
from runner.generators import fill
from runner.initial import initial
from runner.measures import Setting, prepared, taken
from runner.model import Transformer
from runner.store import Store
from tests.runner.corpora.made import bound, documents, jsonl, operation
from tests.runner.training import TINY, carry_out, dyck, iid, loss_of, measured_by, phase, plan_of

REVERSE = Task(
    input="uniform(sym, length=uniform(1, 3))",
    output="input | reverse",
    symbols={"sym": 4},
    held_out={"validation": 0.3, "test": 0.1},  # type: ignore[arg-type]
)


def reverse() -> GenerateOperation:
    context = REVERSE.longest()
    return GenerateOperation(
        id="rev", name="rev", program=REVERSE.program(), length=3, context=context, tokens=REVERSE.tokens()
    )


def measure(plan: Plan, id: str, model: Transformer, root: Path) -> dict[str, float]:
    wanted = plan.operation(id, MeasureOperation)
    train = plan.operation(wanted.train, TrainOperation)
    setting = Setting(plan, wanted, train, Store(root), Execution(store=root))
    made = prepared(setting)
    assert taken(made, model, setting) == taken(made, model.train(), setting)
    return taken(made, model, setting)


def losses(model: Transformer, ids: torch.Tensor, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Each position's loss in float64 over the first `size` ids, and the likeliest of them."""
    logits = model.eval().double().logits(ids[:, :-1])[..., :size].detach()
    model.float()
    return F.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none"), logits.argmax(-1)


def rows_of(source: GenerateOperation, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    ids = np.empty((count, source.context + 1), np.int32)
    scored = np.empty(ids.shape, np.uint8)
    fill(source, seed=0, split="validation", start=0, ids=ids, scored=scored)
    return torch.from_numpy(ids).long(), torch.from_numpy(scored[:, 1:]).bool()


def test_the_loss_of_a_grammar_and_its_distance_from_the_floor(tmp_path: Path) -> None:
    source = dyck().model_copy(update={"floor": Interval(low=0.9, high=0.9)})
    train = phase(source, model=TINY.model_copy(update={"dropout": 0.5}))
    plan = plan_of(source, train, loss_of(source, steps=(0,), rows=150))
    model = initial(train.model, train.vocabulary.size, 0)
    found = measure(plan, "loss-train", model, tmp_path)
    ids, scored = rows_of(source, 150)
    each, guesses = losses(model, ids, train.vocabulary.size)
    assert found["loss"] == pytest.approx(float(each[scored].mean()), rel=1e-6)
    assert found["loss_over_floor"] == pytest.approx(found["loss"] - 0.9)
    assert found["accuracy"] == float((guesses == ids[:, 1:])[scored].double().mean())


def test_the_accuracy_of_closing_brackets(tmp_path: Path) -> None:
    """A model that knows nothing but the majority of closers, beside one pass over its plain logits."""
    source = dyck(k=2)
    train = phase(source)
    wanted = loss_of(source, steps=(0,), rows=150)
    closing = wanted.measurement.model_copy(update={"closers": (2, 3)})
    plan = plan_of(source, train, wanted.model_copy(update={"measurement": closing}))
    model = initial(train.model, train.vocabulary.size, 0)
    with torch.no_grad():
        model.embedding.weight *= 20  # guesses that differ from place to place
    ids, scored = rows_of(source, 150)
    targets = ids[:, 1:]
    _, guesses = losses(model, ids, train.vocabulary.size)
    closes = scored & (targets >= 2) & (targets < 4)
    expected = float((guesses == targets)[closes].double().mean())
    assert 0 < expected < 1
    assert measure(plan, "loss-train", model, tmp_path)["closer_accuracy"] == expected


def test_answers_by_token_and_whole(tmp_path: Path) -> None:
    source = reverse()
    train = phase(
        source, model=TINY, context=source.context, stages=(Stage(steps=80, shares=(1.0,)),), batch_rows=32
    )
    wanted = AnswerMeasurement(source="rev", rows=300)
    answers = measured_by(wanted, id="a", name="answers", steps=(80,))
    plan = plan_of(source, train, answers)
    carry_out(plan, tmp_path)
    model = Transformer(TINY, train.vocabulary.size)
    model.load_state_dict(checkpoints.parameters(Store(tmp_path).path("train", plan.key("train"))))
    found = measure(plan, "a", model, tmp_path)
    ids, scored = rows_of(source, 300)
    each, guesses = losses(model, ids, train.vocabulary.size)
    hits = guesses == ids[:, 1:]
    assert found["loss"] == pytest.approx(float(each[scored].mean()), rel=1e-6)
    assert found["token_accuracy"] == float(hits[scored].double().mean())
    assert found["exact_match"] == float((hits | ~scored).all(1).double().mean())
    assert 0 < found["exact_match"] < found["token_accuracy"] < 1
    prompt = scored.int().argmax(1) + 1
    for length in (2, 3, 4):
        some = prompt == length
        exact = (hits | ~scored)[some].all(1).double().mean()
        assert found[f"exact_match/prompt_{length}"] == pytest.approx(float(exact))
        tokens = hits[some][scored[some]].double().mean()
        assert found[f"token_accuracy/prompt_{length}"] == pytest.approx(float(tokens))
    places = torch.where(scored, scored.cumsum(1), 0)
    for place in (1, 2, 3, 4):
        there = hits[places == place].double().mean()
        assert found[f"token_accuracy/answer_{place}"] == pytest.approx(float(there))
    (stored,) = (Store(tmp_path).path("train", plan.key("train")) / "measurements").iterdir()
    assert json.loads(stored.read_text()) == {"80": found}


def test_a_text_is_measured_over_its_own_ids_and_by_its_bytes(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", documents(200))
    corpus, place, _ = bound(operation(), tmp_path)
    prepare(corpus, place, observe=ignore)
    brackets = iid()
    vocabulary = Vocabulary(text=corpus.id, text_size=257, tokens=brackets.tokens)
    train = phase(brackets, vocabulary=vocabulary)
    wanted = LossMeasurement(source=corpus.id, rows=40)
    text = measured_by(wanted, id="text", name="text")
    plan = Plan(study="study", operations=(corpus, brackets, train, text), trials=())
    model = initial(TINY, vocabulary.size, 0)
    with torch.no_grad():
        model.embedding.weight[257:] += 0.1 * torch.sign(model.norm.weight)
    found = measure(plan, "text", model, tmp_path / "store")

    stream = np.fromfile(place / "validation.bin", np.uint16)[: 40 * 16 + 1].astype(np.int64)
    ids = torch.from_numpy(np.stack([stream[row * 16 : row * 16 + 17] for row in range(40)]))
    each, _ = losses(model, ids, 257)
    assert found["loss"] == pytest.approx(float(each.mean()), rel=1e-6)
    assert found["perplexity"] == pytest.approx(math.exp(found["loss"]))
    read = int((ids[:, 1:] < 256).sum())
    assert found["bits_per_byte"] == pytest.approx(float(each.sum()) / math.log(2) / read, rel=1e-6)
