"""Small real corpora on disk, and the operations that prepare them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from procdsl.plan import BytesTokenizer, Plan, PrepareOperation
from procdsl.plan.sources.files import FilesSource
from runner.bind import bind
from runner.corpora import Corpus, open_corpus, prepare
from runner.events import Event, ignore
from runner.execution import Execution
from runner.store import Store

WORDS = (
    "the",
    "of",
    "a",
    "row",
    "and",
    "model",
    "is",
    "grammar",
    "to",
    "which",
    "we",
    "naïve",
    "Σ",
    "word",
    "each",
)

Bound = tuple[PrepareOperation, Path, list[Event]]


def documents(count: int, *, start: int = 0) -> list[str]:
    """Different documents of some hundred characters."""
    return [
        f"Document {i}. " + " ".join(WORDS[(i * 7 + j * j) % len(WORDS)] for j in range(20 + i % 60))
        for i in range(start, start + count)
    ]


def jsonl(path: Path, texts: Sequence[str], column: str = "text") -> Path:
    """A file in the layout of C4's: one JSON object a line, gzipped where its name says so."""
    content = "".join(json.dumps({column: text, "url": "u"}) + "\n" for text in texts).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def operation(**fields: Any) -> PrepareOperation:
    base: dict[str, Any] = {
        "id": "prepare/text",
        "name": "text",
        "source": FilesSource(paths=("a.jsonl",), format="jsonl"),
        "tokenizer": BytesTokenizer(),
        "validation_share": 0.1,
        "train_tokens": 10_000,
        "validation_tokens": 1000,
    }
    return PrepareOperation(**(base | fields))


def bound(operation: PrepareOperation, folder: Path, *, study: str = "study", **how: Any) -> Bound:
    """The operation bound in a store below the folder, the place of its output, and what was said."""
    store = Store(folder / "store")
    said: list[Event] = []
    plan = Plan(study=study, operations=(operation,), trials=())
    plan = bind(plan, store, Execution(store=store.root, folder=folder, **how), said.append)
    (made,) = plan.of_kind(PrepareOperation)
    return made, store.place("prepare", plan.key(made.id)), said


def prepared(operation: PrepareOperation, folder: Path, **how: Any) -> tuple[Corpus, Path]:
    """The operation bound and carried out."""
    made, place, _ = bound(operation, folder, **how)
    prepare(made, place, observe=ignore)
    return open_corpus(place), place
