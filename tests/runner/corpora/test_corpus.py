"""Prepared corpora: every byte, in a fixed order, verified, growing without change, safe to make twice."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procdsl.errors import RunError
from procdsl.plan import AnyTokenizer, BpeTokenizer, BytesTokenizer, PrepareOperation
from runner import corpora
from runner.corpora import open_corpus, prepare, shards
from runner.corpora.order import BLOCK, order
from runner.events import Event, ignore
from tests.runner.corpora.made import bound, documents, jsonl, operation, prepared

PREPARE = (
    "import sys; from pathlib import Path; from procdsl.plan import PrepareOperation;"
    "from runner.corpora import prepare; from runner.events import ignore;"
    "op = PrepareOperation.model_validate_json(Path(sys.argv[1]).read_text());"
    "prepare(op, Path(sys.argv[2]), observe=ignore)"
)
TOKENIZERS: list[AnyTokenizer] = [BytesTokenizer(), BpeTokenizer(size=300)]


def stream(place: Path, split: shards.Split) -> np.ndarray:
    manifest = shards.read_manifest(place)
    assert manifest is not None
    return np.fromfile(place / f"{split}.bin", dtype=manifest.dtype)


def digests(place: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(place.glob("[a-z]*.*"))
    }


def test_every_byte_comes_back_and_splits_share_no_document(tmp_path: Path) -> None:
    texts = [*documents(400), documents(1)[0], "", "  \n"]
    jsonl(tmp_path / "a.jsonl", texts)
    corpus, place = prepared(operation(train_tokens=200_000, max_epochs=9), tmp_path)
    found: dict[str, list[str]] = {}
    for split in shards.SPLITS:
        content = stream(place, split)
        ends = np.flatnonzero(content == corpus.separator)
        parts = np.split(content, ends + 1)[:-1]
        found[split] = [part[:-1].astype(np.uint8).tobytes().decode() for part in parts]
    kept = [text for text in texts if text.strip()]
    assert sorted(found["train"] + found["validation"]) == sorted(kept)
    assert not set(found["train"]) & set(found["validation"])
    assert found["train"] == [text for text in kept if text in set(found["train"])]
    assert 15 <= len(found["validation"]) <= 80
    manifest = shards.read_manifest(place)
    assert manifest is not None
    assert manifest.empty == 2
    assert manifest.complete


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_token_bytes_sum_to_the_text(tmp_path: Path, tokenizer: AnyTokenizer) -> None:
    texts = [*documents(300), "the separator spelt out: <|endoftext|>", "🙂 ﷺ \x00 \r\n\t"]
    jsonl(tmp_path / "a.jsonl", texts)
    corpus, place = prepared(operation(tokenizer=tokenizer), tmp_path)
    ids = np.concatenate([stream(place, split) for split in shards.SPLITS])
    assert corpus.token_bytes[ids].sum() == sum(len(text.encode()) for text in texts)
    assert np.count_nonzero(ids == corpus.separator) == len(texts)
    assert ids.max() < corpus.text_size == tokenizer.size


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_a_larger_need_only_appends(
    tmp_path: Path, tokenizer: AnyTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "_BATCH_CHARACTERS", 5000)
    jsonl(tmp_path / "a.jsonl", documents(3000))
    small = operation(tokenizer=tokenizer)
    made, place, _ = bound(small, tmp_path)
    facts = prepare(made, place, observe=ignore)
    before = {split: stream(place, split) for split in shards.SPLITS}
    assert not facts["complete"]
    large = operation(tokenizer=tokenizer, train_tokens=40_000, validation_tokens=3000)
    grown, same, _ = bound(large, tmp_path)
    assert same == place
    assert not corpora.ready(grown, facts)
    assert corpora.ready(grown, prepare(grown, place, observe=ignore))
    for split, content in before.items():
        assert len(content) < len(stream(place, split))
        assert (stream(place, split)[: len(content)] == content).all()
    other, at_once, _ = bound(large, tmp_path, rebind=True)
    assert at_once == place
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    prepare(other, fresh, observe=ignore)
    assert digests(fresh) == digests(place)


class Interrupted(Exception):
    """Stands for a signal."""


@pytest.mark.parametrize("after", [1, 2, 7])
def test_a_stop_loses_nothing_that_was_committed(
    tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "_BATCH_CHARACTERS", 3000)
    monkeypatch.setattr(shards, "_COMMIT_SECONDS", 0.0)
    jsonl(tmp_path / "a.jsonl", documents(1000))
    made, place, _ = bound(operation(tokenizer=BpeTokenizer(size=300)), tmp_path)
    whole = tmp_path / "whole"
    whole.mkdir()
    prepare(made, whole, observe=ignore)
    seen: list[Event] = []

    def stop(event: Event) -> None:
        seen.append(event)
        if len(seen) == after:
            raise Interrupted

    with pytest.raises(Interrupted):
        prepare(made, place, observe=stop)
    prepare(made, place, observe=ignore)
    assert digests(place) == digests(whole)


def test_a_full_disk_is_told_and_what_was_written_goes_on(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", documents(2000))
    made, place, _ = bound(operation(train_tokens=300_000, max_epochs=9), tmp_path)
    (tmp_path / "operation.json").write_text(made.model_dump_json())
    # A limit on the size of files fails writes as a full disk does.
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000));"
        "from runner.corpora import shards; shards._BATCH_CHARACTERS = 20_000; shards._COMMIT_SECONDS = 0.0;"
        + PREPARE
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "operation.json", place],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"RunError: cannot write {place}" in done.stderr
    begun = shards.read_manifest(place)
    assert begun is not None
    assert 0 < begun.train.tokens < 100_000
    prepare(made, place, observe=ignore)
    whole = tmp_path / "whole"
    whole.mkdir()
    prepare(made, whole, observe=ignore)
    assert digests(place) == digests(whole)


def test_rows_are_consecutive_tokens_and_overlap_by_one(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", documents(300))
    corpus, place = prepared(operation(), tmp_path)
    content = stream(place, "train")
    indices = np.array([5, 0, 17, 5], dtype=np.int64)
    out = np.empty((4, 33), dtype=np.int32)
    corpus.rows("train", indices=indices, context=32, offset=10, out=out)
    for row, index in zip(out, indices.tolist(), strict=True):
        assert (row == content[10 + index * 32 :][:33]).all()
    with pytest.raises(RunError, match="its validation part has"):
        corpus.rows("validation", indices=indices * 10_000, context=32, offset=0, out=out)


@given(rows=st.integers(1, 5000), seed=st.integers(0, 2**63), whole=st.booleans())
def test_each_pass_reads_every_row_once(rows: int, seed: int, whole: bool) -> None:
    numbers = np.arange(2 * rows, dtype=np.int64)
    found = order(numbers, data_seed=seed, name="text", rows=rows)
    for number in range(2):
        part = found[number * rows : (number + 1) * rows]
        assert (np.sort(part) == np.arange(rows)).all()
    blocks = numbers[:rows] // BLOCK
    assert (found[:rows] // BLOCK == blocks).all()
    some = numbers[:: 7 if whole else 3]
    assert (order(some, data_seed=seed, name="text", rows=rows) == found[some]).all()


def test_order_is_addressed_by_seed_name_pass_and_block() -> None:
    numbers = np.arange(4 * BLOCK, dtype=np.int64)
    first = order(numbers, data_seed=0, name="text", rows=2 * BLOCK)
    assert (order(numbers[: 2 * BLOCK], data_seed=0, name="text", rows=None) == first[: 2 * BLOCK]).all()
    blocks = {tuple((first[i * BLOCK : (i + 1) * BLOCK] % BLOCK).tolist()) for i in range(4)}
    assert len(blocks) == 4
    for other in ({"data_seed": 1, "name": "text"}, {"data_seed": 0, "name": "other"}):
        assert (order(numbers, rows=2 * BLOCK, **other) != first).any()
    # Frozen: a change here changes every study's data.
    assert first[:6].tolist() == [1005, 975, 901, 851, 833, 828]


def test_frozen(tmp_path: Path) -> None:
    """A change here changes every study's text: it asks for another `semantics` of prepare operations."""
    jsonl(tmp_path / "a.jsonl", documents(200))
    _, place = prepared(operation(train_tokens=10**5, max_epochs=99), tmp_path)
    found = digests(place)
    assert (found["train.bin"][:8], found["validation.bin"][:8]) == ("e4e6d004", "4d553d7b")


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "changed"])
def test_a_damaged_shard_is_named(tmp_path: Path, damage: str) -> None:
    jsonl(tmp_path / "a.jsonl", documents(300))
    _, place = prepared(operation(), tmp_path)
    shard = place / "train.bin"
    content = shard.read_bytes()
    corpora._checked.clear()
    if damage == "missing":
        shard.unlink()
    else:
        shard.write_bytes({"empty": b"", "truncated": content[:-2], "changed": b"\1" + content[1:]}[damage])
    with pytest.raises(RunError, match=r"train\.bin") as raised:
        open_corpus(place)
    assert raised.value.reason == "damaged"


def test_too_little_text_says_how_much_there_is(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", documents(100))
    with pytest.raises(
        RunError, match=r"has [\d,]+ train tokens; the study reads 1,000,000, .* passes"
    ) as raised:
        prepared(operation(train_tokens=1_000_000), tmp_path)
    assert "max_epochs" in raised.value.help
    with pytest.raises(RunError, match="validation tokens"):
        prepared(operation(train_tokens=10, validation_tokens=500_000), tmp_path)
    corpus, _ = prepared(operation(train_tokens=1_000_000, max_epochs=100), tmp_path)
    passes = order(np.arange(10_000), data_seed=0, name="text", rows=corpus.pass_rows(32, 0))
    assert passes.max() * 32 + 32 < corpus.train_tokens


def test_two_processes_prepare_one_corpus(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", documents(2000))
    made, place, _ = bound(operation(tokenizer=BpeTokenizer(size=400), train_tokens=50_000), tmp_path)
    alone = tmp_path / "alone"
    alone.mkdir()
    prepare(made, alone, observe=ignore)
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_prepare, args=(made.model_dump(), place)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert digests(place) == digests(alone)


def _prepare(fields: dict[str, object], place: Path) -> None:
    prepare(PrepareOperation.model_validate(fields), place, observe=ignore)


def test_other_processes_hash_seeds_and_threads_change_nothing(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", documents(2000))
    made, place, _ = bound(operation(tokenizer=BpeTokenizer(size=600), train_tokens=50_000), tmp_path)
    prepare(made, place, observe=ignore)
    (tmp_path / "operation.json").write_text(made.model_dump_json())
    for number in ("1", "2"):
        other = tmp_path / number
        other.mkdir()
        environment = os.environ | {
            "PYTHONHASHSEED": number,
            "RAYON_NUM_THREADS": number,
            "TOKENIZERS_PARALLELISM": "false" if number == "1" else "true",
        }
        subprocess.run(
            [sys.executable, "-c", PREPARE, tmp_path / "operation.json", other], env=environment, check=True
        )
        assert digests(other) == digests(place)
