"""The Hub, from a machine that cannot reach it: folders in its layout, and how not reaching it is told."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from procdsl.errors import RunError
from procdsl.plan import HubTokenizer
from procdsl.plan.sources.builtin import BuiltinSource
from procdsl.plan.sources.hub import HubSource
from runner.corpora import open_corpus, prepare, shards, sources, tokenizers
from runner.corpora.sources import Unreachable, hub
from runner.events import ignore
from tests.runner.corpora.made import bound, documents, jsonl, operation, prepared
from tests.runner.corpora.small_hub import COMMIT, serve


def c4(folder: Path, files: int = 4, each: int = 100) -> HubSource:
    """A folder laid out as C4 is: gzipped JSON lines in numbered shards."""
    for number in range(files):
        jsonl(
            folder / f"c4/train-{number:05d}-of-{files:05d}.json.gz",
            documents(each, start=number * each),
        )
    return HubSource(path="c4")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def test_a_folder_is_streamed_in_its_order_and_goes_on_from_a_cursor(tmp_path: Path) -> None:
    source = c4(tmp_path).model_copy(update={"path": str(tmp_path / "c4")})
    pinned = sources.pin(source, offline=True)
    reading = sources.open(source, digest=pinned.digest, cursor=None)
    list(reading.peek(3000))
    begun = reading.take(30_000)
    early = reading.cursor()
    later = sources.open(source, digest=pinned.digest, cursor=json.loads(json.dumps(early)))
    rest = []
    while texts := later.take(5000):
        rest += texts
    assert early["state"] is not None
    assert begun + rest == documents(400)
    assert later.cursor()["documents"] == 400


def test_a_bounded_dataset_ends_there(tmp_path: Path) -> None:
    source = c4(tmp_path).model_copy(update={"path": str(tmp_path / "c4"), "documents": 150})
    digest = sources.pin(source, offline=True).digest
    reading = sources.open(source, digest=digest, cursor=None)
    begun = reading.take(10_000)
    later = sources.open(source, digest=digest, cursor=reading.cursor())
    assert begun + later.take(10**9) == documents(150)


def test_what_was_streamed_is_exact_and_needs_no_source_any_more(tmp_path: Path) -> None:
    op = operation(source=c4(tmp_path))
    corpus, place = prepared(op, tmp_path)
    for path in (tmp_path / "c4").iterdir():
        path.unlink()
    made, same, _ = bound(op, tmp_path, offline=True)
    assert same == place
    assert prepare(made, place, observe=ignore)["train_tokens"] == corpus.train_tokens


def test_a_changed_empty_or_lost_shard_is_named(tmp_path: Path) -> None:
    op = operation(source=c4(tmp_path))
    made, place, _ = bound(op, tmp_path)
    shard = tmp_path / "c4/train-00001-of-00004.json.gz"
    content = shard.read_bytes()
    shard.write_bytes(b"")
    with pytest.raises(RunError, match=r"train-00001-of-00004\.json\.gz is empty"):
        prepare(made, place, observe=ignore)
    shard.unlink()
    with pytest.raises(RunError, match="not those this study is bound to"):
        prepare(made, place, observe=ignore)
    shard.write_bytes(content[:-300])
    torn = operation(source=op.source, train_tokens=70_000)
    with pytest.raises(RunError, match="reading stopped after document") as raised:
        prepared(torn, tmp_path, rebind=True)
    assert "c4" in str(raised.value)
    assert shards.read_manifest(place) is None


@pytest.mark.parametrize(
    ("asked", "told", "way"),
    [
        ({}, r"configs: \['en', 'de'\]", "name one"),
        ({"config": "fr"}, r"'fr' not found. Available: \['en', 'de'\]", "name one"),
        ({"config": "en", "split": "test"}, r"Bad split: test. Available splits: \['train'\]", "name one"),
        ({"path": "scripted"}, "found scripted.py", 'revision = "refs/convert/parquet"'),
    ],
)
def test_what_a_dataset_has_not_is_told_with_what_it_has(
    asked: dict[str, str], told: str, way: str, tmp_path: Path
) -> None:
    named, scripted = tmp_path / "named", tmp_path / "scripted"
    for folder in (named, scripted):
        jsonl(folder / "en/a.json.gz", documents(5))
    files = "data_files: [{split: train, path: en/*.json.gz}]"
    configs = "".join(f"- config_name: {name}\n  {files}\n" for name in ("en", "de"))
    (named / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    (scripted / "scripted.py").write_text("# builds the dataset\n")
    path = str(tmp_path / asked.get("path", "named"))
    source = HubSource.model_validate({**asked, "path": path})
    with pytest.raises(RunError, match=told) as raised:
        sources.open(source, digest=sources.pin(source, offline=True).digest, cursor=None)
    assert way in raised.value.help


def test_a_missing_column_lists_those_there_are(tmp_path: Path) -> None:
    source = c4(tmp_path).model_copy(update={"column": "body"})
    with pytest.raises(RunError, match=r"no text in column 'body' \(columns: text, url\)"):
        prepared(operation(source=source), tmp_path)


def test_an_unreachable_hub_is_told_in_seconds_with_ways_out(tmp_path: Path) -> None:
    # A server that takes the call and never answers: what hangs for minutes elsewhere.
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        code = (
            "import sys, time; from runner.corpora.sources import Unreachable, hub;"
            "from procdsl.plan.sources.hub import HubSource; hub.PATIENCE = 2.0; began = time.monotonic()\n"
            "try: hub.pin(HubSource(path='allenai/c4', config='en'), offline=False)\n"
            "except Unreachable as error: print(error, '|', error.help)\n"
            "assert time.monotonic() - began < 6"
        )
        environment = {name: text for name, text in os.environ.items() if name != "HF_HUB_OFFLINE"}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment | {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert f"dataset allenai/c4 cannot be reached at {address}" in done.stdout
    for way_out in ("local files", "procdsl data fetch", "fallback"):
        assert way_out in done.stdout


def test_offline_asks_nobody() -> None:
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"tokenizer gpt2 .*--offline"):
        hub.pin_tokenizer(HubTokenizer(name="gpt2", size=50_257), offline=True)
    assert time.monotonic() - began < 2


def published(size: int, **settings: object) -> tuple[bytes, bytes]:
    """The two files of a byte-level tokenizer with an end-of-text token, as the Hub has them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(documents(300), trainer)
    return made.to_str().encode(), json.dumps({"eos_token": "<|endoftext|>"} | settings).encode()


def test_a_hub_on_loopback(tmp_path: Path) -> None:
    """Resolved to a commit, streamed, prepared with a published tokenizer; then all of it without the Hub."""
    dataset, model = tmp_path / "hub/datasets/allenai/c4", tmp_path / "hub/models/small/bpe"
    for number in range(3):
        jsonl(dataset / f"en/c4-train.{number:05d}-of-00003.json.gz", documents(200, start=200 * number))
    files = "data_files: [{split: train, path: en/c4-train.*.json.gz}]"
    (dataset / "README.md").write_text(f"---\nconfigs:\n- config_name: en\n  {files}\n---\n")
    model.mkdir(parents=True)
    for name, content in zip(("tokenizer.json", "tokenizer_config.json"), published(400), strict=True):
        (model / name).write_bytes(content)
    environment = {name: text for name, text in os.environ.items() if name != "HF_HUB_OFFLINE"}
    with serve(tmp_path / "hub") as address:
        done = subprocess.run(
            [sys.executable, "-m", "tests.runner.corpora.hub_client", tmp_path],
            env=environment | {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["revisions"] == [COMMIT, COMMIT]
    assert not told["facts"]["fallback"]
    assert [reason for reason, _ in told["refused"]] == ["data", "data"]
    assert f"{address} has no dataset allenai/c5 for us" in told["refused"][0][1]
    corpus = open_corpus(Path(told["place"]))
    assert (corpus.text_size, corpus.separator) == (400, 0)
    op = operation(source=HubSource(path="allenai/c4", config="en"), fallback=BuiltinSource(name="pydocs"))
    op = op.model_copy(update={"tokenizer": HubTokenizer(name="small/bpe", size=400)})
    made, place, said = bound(op, tmp_path, offline=True)
    assert str(place) == told["place"]
    assert [event.name for event in said] == ["bound"]
    assert prepare(made, place, observe=ignore) == told["facts"]
    # Another study of this store reads the same text, also without the Hub, and not its fallback.
    made, same, _ = bound(op, tmp_path, study="another", offline=True)
    assert same == place
    made, other, _ = bound(
        op.model_copy(update={"train_tokens": 10**7}), tmp_path, study="more", offline=True
    )
    assert other != place


def cached(folder: Path, name: str, content: tuple[bytes, bytes]) -> None:
    """Files where the Hub's client keeps what it has fetched."""
    repository, commit = folder / f"models--{name}", "c" * 40
    (repository / "snapshots" / commit).mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    for path, bytes in zip(("tokenizer.json", "tokenizer_config.json"), content, strict=True):
        (repository / "snapshots" / commit / path).write_bytes(bytes)


def test_a_published_tokenizer_brings_its_separator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    cached(tmp_path, "small", published(400))
    spec = HubTokenizer(name="small", revision="c" * 40, size=400)
    made = tokenizers.make(spec, tmp_path, sample=lambda characters: iter(()))
    assert made.separator == 0
    for text in ("plain text", "spelt out: <|endoftext|>!", "naïve 🙂"):
        (ids,) = made.encode([text])
        assert made.token_bytes[ids].sum() == len(text.encode())
        assert made.separator not in ids
    with pytest.raises(RunError, match="has 400 ids, the spec says 500"):
        tokenizers.fetched(spec.model_copy(update={"size": 500}))
    cached(tmp_path, "endless", published(400, eos_token=None))
    with pytest.raises(RunError, match="names no end-of-text token"):
        tokenizers.fetched(spec.model_copy(update={"name": "endless"}))
