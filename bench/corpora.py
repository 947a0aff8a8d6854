"""Text: how fast it is found, tokenised and read as rows. Built-in text of this environment, one process."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from procdsl.plan import BpeTokenizer, BytesTokenizer, Plan, PrepareOperation
from procdsl.plan.sources.builtin import BuiltinSource
from runner.bind import bind
from runner.corpora import open_corpus, prepare
from runner.corpora.sources import builtin
from runner.events import ignore
from runner.execution import Execution
from runner.store import Store

TOKENIZERS = (BytesTokenizer(), BpeTokenizer(size=1024), BpeTokenizer(size=16_384))
ROWS, CONTEXTS = 512, (128, 2048)


def main() -> None:
    """Seconds to find text; million tokens a second prepared, and read as rows in permuted order."""
    for name in ("pydocs", "pysource"):
        source = BuiltinSource(name=name, megabytes=4)
        began = time.perf_counter()
        digest = builtin.pin(source).digest
        pinned = time.perf_counter()
        size = sum(map(len, builtin.documents(source, digest=digest))) / 1e6
        read = time.perf_counter()
        found, taken = pinned - began, read - pinned
        _say(f"{name}: digest of all files {found:.2f} s, first {size:.1f} MB in {taken:.2f} s")
    for tokenizer in TOKENIZERS:
        with tempfile.TemporaryDirectory() as folder:
            _prepared(tokenizer, Path(folder))


def _prepared(tokenizer: BytesTokenizer | BpeTokenizer, folder: Path) -> None:
    operation = PrepareOperation(
        id="prepare/text",
        name="text",
        source=BuiltinSource(name="pysource"),
        tokenizer=tokenizer,
        train_tokens=8_000_000,
        validation_tokens=10_000,
    )
    store = Store(folder)
    plan = bind(
        Plan(study="bench", operations=(operation,), trials=()), store, Execution(store=folder), ignore
    )
    (bound,) = plan.operations
    assert isinstance(bound, PrepareOperation)
    place = store.place("prepare", plan.key(bound.id))
    began = time.perf_counter()
    facts = prepare(bound, place, observe=ignore)
    seconds = time.perf_counter() - began
    rates = ", ".join(f"rows of {context}: {_rate(place, context):,.0f} M tokens/s" for context in CONTEXTS)
    made = facts["train_tokens"] / 1e6
    speed = f"{made:.1f} M tokens in {seconds:.1f} s, {made / seconds:.2f} M/s"
    _say(f"{tokenizer.kind} {tokenizer.size}: {speed}; {rates}")


def _rate(place: Path, context: int) -> float:
    """Million tokens a second of permuted rows, shard in memory."""
    corpus = open_corpus(place)
    out = np.empty((ROWS, context + 1), dtype=np.int32)
    count, began = 0, time.perf_counter()
    while (seconds := time.perf_counter() - began) < 1:
        first = count * ROWS % (corpus.train_tokens // context // 1024 * 1024)
        numbers = np.arange(first, first + ROWS, dtype=np.int64)
        indices = corpus.order(0, numbers, context, 0)
        corpus.rows("train", indices=indices, context=context, offset=0, out=out)
        count += 1
    return count * ROWS * context / seconds / 1e6


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
