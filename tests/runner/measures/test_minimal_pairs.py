"""Minimal pairs against sums of log-probabilities, token by token."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from procdsl.errors import RunError
from procdsl.plan import Plan, PrepareOperation, Vocabulary
from procdsl.programs.measurements.minimal_pairs import MinimalPairsMeasurement
from procdsl.recognisers import recogniser
from runner.bind import bind, recall
from runner.corpora import prepare
from runner.corpora.sources import files
from runner.events import ignore
from runner.execution import Execution
from runner.initial import initial
from runner.measures import Setting, prepared, taken
from runner.model import Transformer
from runner.pairs import Pair
from runner.pairs import pairs as sentences
from runner.store import Store
from tests.runner.corpora.made import documents, jsonl, operation
from tests.runner.measures.test_grammaticality import setting_of
from tests.runner.training import TINY, dyck, iid, measured_by, phase

PAIRS = {
    "agreement": [("cats sit", "cats sits"), ("a cat sits", "a cat sit"), ("it is", "it are")],
    "order": [("the cat", "cat the"), ("same", "same"), ("x" * 40, "y" * 40)],
}


def study(root: Path, **changes: Any) -> Plan:
    """A corpus in bytes, a phase with more ids than the text's, and pairs in two files of a folder."""
    jsonl(root / "a.jsonl", documents(200))
    (root / "blimp").mkdir(exist_ok=True)
    for name, pairs in PAIRS.items():
        lines = [json.dumps({"sentence_good": good, "sentence_bad": bad, "UID": 1}) for good, bad in pairs]
        (root / "blimp" / f"{name}.jsonl").write_text("\n".join(lines) + "\n\n")
    corpus, extra = operation(), iid()
    train = phase(extra, vocabulary=Vocabulary(text=corpus.id, text_size=257, tokens=extra.tokens))
    wanted = MinimalPairsMeasurement(source=corpus.id, files=("blimp",), **{"rows": 1_000, **changes})
    measure = measured_by(wanted, name="blimp")
    return Plan(study="study", operations=(corpus, extra, train, measure), trials=())


def setting(root: Path, plan: Plan) -> Setting:
    store = Store(root / "store")
    execution = Execution(store=root / "store", folder=root)
    made = bind(plan, store, execution, ignore)
    measure, train, (corpus,) = (
        made.by_id["m"],
        made.by_id["train"],
        made.of_kind(PrepareOperation),
    )
    place = store.place("prepare", made.key(corpus.id))
    prepare(corpus, place, observe=ignore)
    return Setting(made, measure, train, store, execution)  # type: ignore[arg-type]


def likelihood(model: Transformer, ids: list[int]) -> float:
    """The summed log-probability of all but the first of these, over the text's 257 ids."""
    logits = model.eval().double().logits(torch.tensor([ids[:-1]]))[0, :, :257].detach()
    model.float()
    return float(logits.log_softmax(1).gather(1, torch.tensor(ids[1:])[:, None]).sum())


@pytest.mark.parametrize("begin", ["separator", "nothing"])
def test_the_right_one_is_likelier_or_it_is_not(begin: str, tmp_path: Path) -> None:
    asked = setting(tmp_path, study(tmp_path, begin=begin))
    model = initial(TINY, 257 + 7, 5)
    for tensor in model.parameters():
        tensor.data.mul_(3)
    found = taken(prepared(asked), model, asked)
    first = [256] if begin == "separator" else []
    right = {
        name: [
            likelihood(model, [*first, *good.encode()]) > likelihood(model, [*first, *bad.encode()])
            for good, bad in pairs
            if len(good) < 16
        ]
        for name, pairs in PAIRS.items()
    }
    assert found["accuracy/agreement"] == pytest.approx(sum(right["agreement"]) / 3)
    assert found["accuracy/order"] == pytest.approx(sum(right["order"]) / 2)
    assert found["accuracy"] == pytest.approx(sum(map(sum, right.values())) / 5)
    assert found["ties"] == pytest.approx(1 / 5)
    assert found["left_out"] == pytest.approx(1 / 6)


def test_content_is_in_the_key_and_places_are_not(tmp_path: Path) -> None:
    keys = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        asked = setting(tmp_path / name, study(tmp_path / name))
        keys.append(asked.plan.key("m"))
        assert recall(study(tmp_path / name), asked.store).key("m") == keys[-1]
    assert keys[0] == keys[1]
    plan = study(tmp_path / "here")
    (tmp_path / "here" / "blimp" / "order.jsonl").write_text(
        '{"sentence_good": "a b", "sentence_bad": "b a"}'
    )
    with pytest.raises(RunError, match=r"minimal pairs .* are not those") as caught:
        prepared(setting(tmp_path / "here", plan))
    assert "--rebind" in caught.value.help


GOOD = b'{"sentence_good": "a", "sentence_bad": "b"}'


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"{", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "it has no table"),
        (b'{"sentence_good": "a"}', 'it has no text under "sentence_bad"'),
        (b'{"sentence_good": " ", "sentence_bad": "b"}', 'it has no text under "sentence_good"'),
        (b'{"sentence_good": 1, "sentence_bad": "b"}', 'it has no text under "sentence_good"'),
        ('{"sentence_good": "ä", "sentence_bad": "b"}'.encode("latin-1"), "is no UTF-8 .* at byte 20 of the"),
        (b" " * 2_000, "has more than 1,000 bytes"),
    ],
)
def test_a_line_that_is_no_pair_is_named_before_anything_is_done(
    line: bytes, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_LONGEST", 1_000 if line.startswith(b" ") else 10**6)
    plan = study(tmp_path)
    (tmp_path / "blimp" / "order.jsonl").write_bytes(b"\n".join([GOOD, b"", line]))
    execution = Execution(store=tmp_path / "store", folder=tmp_path)
    with pytest.raises(RunError, match=rf"order\.jsonl:3 .*{fault}") as caught:
        bind(plan, Store(tmp_path / "store"), execution, ignore)
    assert caught.value.help


def test_lines_end_in_line_feeds_alone_and_what_is_not_asked_for_is_not_read(tmp_path: Path) -> None:
    plan = study(tmp_path, rows=2)
    other = '{"sentence_good": "a\u2028b", "sentence_bad": "b\x85a"}'
    text = "\ufeff" + GOOD.decode() + "\r\n" + other + "\n{"
    (tmp_path / "blimp" / "order.jsonl").write_bytes(text.encode())
    wanted: Any = setting(tmp_path, plan).measure.measurement
    assert [pair for pair in sentences(wanted) if pair.subset == "order"] == [
        Pair("order", "a", "b"),
        Pair("order", "a\u2028b", "b\x85a"),
    ]


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda path: path.write_bytes(b""), r"order\.jsonl is empty"),
        (lambda path: path.write_bytes(b"\n \n"), r"order\.jsonl holds no pair"),
        (lambda path: shutil.rmtree(path.parent), "blimp cannot be read: No such file"),
        (lambda path: [one.unlink() for one in path.parent.iterdir()], r"no file matches 'blimp/\*\.jsonl'"),
    ],
)
def test_files_without_pairs_are_named(damage: Callable[[Path], object], fault: str, tmp_path: Path) -> None:
    plan = study(tmp_path)
    damage(tmp_path / "blimp" / "order.jsonl")
    with pytest.raises(RunError, match=fault):
        setting(tmp_path, plan)


def test_words_of_a_grammar_and_neighbours_that_are_none(tmp_path: Path) -> None:
    source = dyck(k=2, length=16)
    asked = setting_of(source, tmp_path)
    wanted = MinimalPairsMeasurement(source=source.id, rows=40)
    measure = asked.measure.model_copy(update={"measurement": wanted})
    asked = Setting(asked.plan, measure, asked.operation, asked.store, asked.execution)
    made: Any = prepared(asked)
    own = {asked.operation.vocabulary.tokens.index(token): id for id, token in enumerate(source.tokens)}
    for row, ids in enumerate(made.rows.ids.tolist()):
        known = recogniser(source.program)
        word = [own[id] for id in ids[1:]]
        assert (all(known.read(symbol) for symbol in word) and known.ends()) == (row % 2 == 0)
        if row % 2:
            assert sum(a != b for a, b in zip(ids, made.rows.ids[row - 1].tolist(), strict=True)) == 1
    found = taken(made, initial(TINY, len(asked.operation.vocabulary.tokens), 0), asked)
    assert set(found) == {"accuracy", "ties", "left_out"}
