"""Corpora made of the tokens of another: n-grams as they are counted, documents shuffled; bound and grown."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from procdsl import streams
from procdsl.errors import RunError
from procdsl.plan import BpeTokenizer, Plan, PrepareOperation
from procdsl.plan.sources.ngram import NgramSource
from procdsl.plan.sources.shuffled import ShuffledSource
from procdsl.streams import Stream
from runner.bind import bind
from runner.corpora import Corpus, open_corpus, prepare, shards
from runner.corpora.documents import Split, part
from runner.corpora.holdings import fetch
from runner.events import ignore
from runner.execution import Execution
from runner.store import Store
from tests.runner.corpora.made import documents, jsonl, operation
from tests.runner.test_bind import train

COUNTED = 15_000
SHUFFLED = ShuffledSource(text="prepare/text", seed=3)
Word = tuple[int, ...]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So much is made at least, and kept."""
    monkeypatch.setattr(shards, "_BATCH_CHARACTERS", 100_000)


def ngram(order: int, *, tokens: int = COUNTED, seed: int = 0) -> NgramSource:
    return NgramSource(text="prepare/text", order=order, tokens=tokens, seed=seed)


def bound(folder: Path, source: NgramSource | ShuffledSource, **fields: int) -> Plan:
    """A plan with the text of `a.jsonl`, what is made of its tokens, and a phase that reads both."""
    text = operation(**{"tokenizer": BpeTokenizer(size=300), "train_tokens": 20_000, **fields})
    alike = text.model_copy(update={"id": "prepare/alike", "name": "alike", "source": source})
    read = train("prepare/text", "prepare/alike", context=16)
    plan = Plan(study="study", operations=(text, alike, read), trials=())
    return bind(plan, Store(folder / "store"), Execution(store=folder / "store", folder=folder), ignore)


def place(plan: Plan, folder: Path, name: str = "alike") -> Path:
    return Store(folder / "store").path("prepare", plan.key(f"prepare/{name}"))


def made(folder: Path, source: NgramSource | ShuffledSource, **fields: int) -> tuple[Corpus, Corpus]:
    """What is made of the tokens, and the text."""
    if not (folder / "a.jsonl").exists():
        jsonl(folder / "a.jsonl", documents(800))
    plan = bound(folder, source, **fields)
    fetch(plan, Execution(store=folder / "store"), ignore)
    return open_corpus(place(plan, folder)), open_corpus(place(plan, folder, "text"))


def words(corpus: Corpus, split: Split) -> list[Word]:
    """The documents of a part, without their separators."""
    ids = corpus.ids(split)
    parts = np.split(ids, np.flatnonzero(ids == corpus.separator) + 1)[:-1]
    return [tuple(part[:-1].tolist()) for part in parts]


def counted(text: Corpus) -> list[Word]:
    """The whole documents among the tokens that are counted."""
    number = np.count_nonzero(text.ids("train")[:COUNTED] == text.separator)
    return words(text, "train")[:number]


def walks(text: Corpus, order: int, seed: int) -> Iterator[Word]:
    """Documents as they are defined: on from a place of the text whose last tokens are those drawn last."""
    end = text.separator
    ring = [token for word in counted(text) for token in (*word, end)]
    places, read = defaultdict(list), list[int]()
    for at, token in enumerate(ring):
        read = [end] if token == end else [*([end] * (not at)), *read, token]
        places[context(read, order)].append(at)
    for number in range(60):
        stream, word = Stream(streams.key(seed, "ngram"), number), [end]
        while len(word) == 1 or word[-1] != end:
            found = places[context(word, order)]
            token = ring[(found[stream.below(len(found))] + 1) % len(ring)]
            word += [token] * (len(word) > 1 or token != end)
        yield tuple(word[1:-1])


def context(read: list[int], order: int) -> Word:
    """The last order - 1 of the tokens read since a document began, the end before it included."""
    return tuple(read[max(0, len(read) - order + 1) :])


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_document_is_a_walk_over_the_places_of_its_contexts(tmp_path: Path, order: int) -> None:
    alike, text = made(tmp_path, ngram(order, seed=7))
    found: dict[Split, list[Word]] = {"train": [], "validation": []}
    for word in walks(text, order, 7):
        found[part(np.array(word, "<u4").tobytes(), 0.1)].append(word)
    for split, expected in found.items():
        assert expected == words(alike, split)[: len(expected)]
    assert not set(words(alike, "train")) & set(words(alike, "validation"))


def grams(texts: list[Word], order: int, end: int) -> Counter[Word]:
    """Stretches of `order` tokens, each document's end behind it and before it."""
    return Counter(
        whole[at : at + order]
        for word in texts
        for whole in [(end, *word, end)]
        for at in range(len(whole) - order + 1)
    )


@pytest.mark.slow
@pytest.mark.parametrize("order", [1, 2, 3])
def test_what_so_many_tokens_see_is_as_in_the_text_and_no_more(tmp_path: Path, order: int) -> None:
    alike, text = made(tmp_path, ngram(order))

    def apart(size: int) -> float:
        one, other = (grams(texts, size, text.separator) for texts in (counted(text), words(alike, "train")))
        return sum(abs(one[key] / one.total() - other[key] / other.total()) for key in one | other) / 2

    assert apart(order) < 0.05 < 0.1 < apart(order + 2)


def test_shuffled_documents_keep_their_tokens_their_place_and_their_part(tmp_path: Path) -> None:
    alike, text = made(tmp_path, SHUFFLED, train_tokens=10**6, validation_tokens=10, max_epochs=99)
    assert alike.complete
    for split in shards.SPLITS:
        pairs = list(zip(words(alike, split), words(text, split), strict=True))
        assert all(sorted(one) == sorted(other) for one, other in pairs)
        assert all(one != other for one, other in pairs)
    # Every order is as likely: of three different tokens, each of the six.
    seen = Counter(tuple(np.argsort(one[:3])) for one in words(alike, "train") if len(set(one[:3])) == 3)
    assert len(seen) == 6


@pytest.mark.parametrize("source", [ngram(2), SHUFFLED])
def test_what_is_made_grows_without_change(
    tmp_path: Path, source: NgramSource | ShuffledSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "_BATCH_CHARACTERS", 3000)
    monkeypatch.setattr(shards, "_COMMIT_SECONDS", 0.0)
    small, _ = made(tmp_path, source, train_tokens=16_000)
    grown, _ = made(tmp_path, source, train_tokens=30_000, validation_tokens=2000)
    (tmp_path / "once").mkdir()
    plan = bound(tmp_path, source, train_tokens=30_000, validation_tokens=2000)
    operation = plan.operation("prepare/alike", PrepareOperation)
    prepare(operation, tmp_path / "once", text=place(plan, tmp_path, "text"), observe=ignore)
    at_once = open_corpus(tmp_path / "once")
    assert small.place == grown.place
    for split in shards.SPLITS:
        assert len(small.ids(split)) < len(grown.ids(split))
        assert grown.ids(split).tolist() == at_once.ids(split).tolist()
        assert small.ids(split).tolist() == grown.ids(split)[: len(small.ids(split))].tolist()


def test_it_is_bound_with_its_text(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", documents(800))
    first = bound(tmp_path, ngram(2))
    text, alike = first.of_kind(PrepareOperation)
    assert text.binding is not None
    assert alike.binding is not None
    assert alike.binding.tokenizer == text.binding.tokenizer
    assert alike.binding.digest != text.binding.digest
    assert text.spare_tokens == alike.spare_tokens > 0
    assert json.loads((tmp_path / "store/studies/study/bindings.json").read_text()).keys() == {"text"}
    others = (
        bound(tmp_path, source) for source in (ngram(3), ngram(2, seed=1), ngram(2, tokens=9), SHUFFLED)
    )
    keys = [plan.key("prepare/alike") for plan in (first, *others)]
    assert len(set(keys)) == 5
    assert bound(tmp_path, ngram(2), train_tokens=10).keys == first.keys
    jsonl(tmp_path / "b" / "a.jsonl", documents(801))
    assert bound(tmp_path / "b", ngram(2)).key("prepare/alike") != keys[0]


def test_tokens_without_the_end_of_a_document_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no document ends within the 9 tokens"):
        made(tmp_path, ngram(2, tokens=9))
