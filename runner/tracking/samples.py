"""Samples: the first rows of every source of a trial, spelt out, so that a person can see what was fed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from procdsl.plan import GenerateOperation, PrepareOperation, TrainOperation
from runner.corpora import open_corpus, tokenizer
from runner.generators import fill
from runner.sources import source as origin
from runner.tracking.receipts import Course

ROWS = 3
_LONGEST = 2000


def ready(course: Course) -> bool:
    """Whether every corpus of the trial is prepared."""
    return all(
        course.store.done("prepare", course.plan.key(id)) is not None
        for leg in course.legs
        for id in course.plan.needed(feed.source for feed in leg.operation.feeds)
        if isinstance(course.plan.by_id[id], PrepareOperation)
    )


def text(course: Course) -> str:
    """Rows of every phase's sources as the phase reads them, from its beginning."""
    return "\n".join(part for leg in course.legs for part in _phase(course, leg.phase, leg.operation))


def _phase(course: Course, phase: str, operation: TrainOperation) -> Iterator[str]:
    for feed in operation.feeds:
        source = origin(course.plan, feed.source, course.store)
        if isinstance(source, GenerateOperation):
            rows = _generated(source, operation.data_seed, feed.offset)
        else:
            rows = _read(course, source, operation, feed.offset)
        yield f"# phase {phase}, source {source.name}: its first {ROWS} rows\n"
        yield from (f"{row[:_LONGEST]}\n" for row in rows)


def _generated(source: GenerateOperation, seed: int, start: int) -> Iterator[str]:
    ids = np.zeros((ROWS, source.row), np.int32)
    scored = np.zeros(ids.shape, np.uint8)
    fill(source, seed=seed, split="train", start=start, ids=ids, scored=scored)
    for row in ids.tolist():
        spelt, size = [source.tokens[id] for id in row], max(source.cells, 1)
        yield " ".join("".join(spelt[at : at + size]) for at in range(0, len(spelt), size))


def _read(course: Course, source: PrepareOperation, operation: TrainOperation, offset: int) -> Iterator[str]:
    place = course.store.path("prepare", course.plan.key(source.id))
    corpus = open_corpus(place)
    indices = corpus.order(operation.data_seed, np.arange(ROWS), operation.context, offset)
    ids = np.zeros((ROWS, operation.context + 1), np.int32)
    corpus.rows("train", indices=indices, context=operation.context, offset=offset, out=ids)
    spelt = tokenizer(place)
    for row in ids.tolist():
        # Between documents of a text an empty line.
        parts = [row] if corpus.problems else _parts(row, corpus.separator)
        yield "\n\n".join(spelt.decode(part) for part in parts)


def _parts(row: list[int], separator: int) -> list[list[int]]:
    ends = [place for place, id in enumerate(row) if id == separator]
    return [row[first + 1 : last] for first, last in pairwise([-1, *ends, len(row)])]
