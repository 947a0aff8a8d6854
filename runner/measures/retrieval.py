"""Lists that stand twice in a row of text, and what they cost the first time and the second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from procdsl import streams
from procdsl.errors import RunError
from procdsl.programs.measurements.retrieval import RetrievalMeasurement
from runner import batches
from runner.corpora import Corpus
from runner.measures import Setting
from runner.measures.buckets import means
from runner.measures.rows import HeldOut, parts
from runner.model import Transformer

# Places in the list up to this one have a number of their own.
EACH = 64


def prepared(setting: Setting) -> Retrieval:
    wanted, source = setting.measure.measurement, setting.source
    assert isinstance(wanted, RetrievalMeasurement)
    corpus = batches.open_corpora(setting.plan, (source.id,), setting.store)[source.id]
    key = streams.key(setting.measure.data_seed, "retrieval", source.name)
    ids = _rows(corpus, wanted, key)
    scored = np.ones(ids.shape, np.uint8)
    scored[:, 0] = 0
    size = setting.operation.vocabulary.text_size
    held = HeldOut(ids, scored, parts(setting, ids, scored), size, None)
    return Retrieval(held, wanted.items, wanted.between)


@dataclass(frozen=True)
class Retrieval:
    rows: HeldOut
    items: int
    between: int

    def metrics(self, model: Transformer) -> dict[str, float]:
        loss_BT = self.rows.score(model).loss_N.reshape(len(self.rows.ids), -1)
        first_BI, second_BI = loss_BT[:, : self.items], loss_BT[:, self.items + self.between :]
        place_BI = np.broadcast_to(np.arange(1, self.items + 1), second_BI.shape)
        first, second = float(first_BI.mean()), float(second_BI.mean())
        return {
            "ratio": second / first,
            "first": first,
            "second": second,
            "whole": float(loss_BT.mean()),
            **means("second/item", place_BI.ravel(), second_BI.ravel(), each=EACH),
        }


def _rows(corpus: Corpus, wanted: RetrievalMeasurement, key: int) -> NDArray[np.int32]:
    """Separator, list, text, list: lists are drawn from all the text that is read, each token once."""
    text = np.empty((wanted.rows, wanted.items + wanted.between + 1), np.int32)
    batches.HeldOutText(corpus).fill(0, text, np.empty(text.shape, np.uint8))
    pool = text[text != corpus.separator].tolist()
    if (there := len(set(pool))) < wanted.items:
        raise RunError(
            f"{corpus.name}: the text read has {there} different tokens, a list needs {wanted.items}",
            reason="data",
            help="make the lists shorter, or measure on more rows",
        )
    between = text[:, : wanted.between]
    lists = [_list(pool, wanted.items, streams.Stream(key, row)) for row in range(wanted.rows)]
    separator = np.full((wanted.rows, 1), corpus.separator)
    return np.concatenate([separator, lists, between, lists], axis=1).astype(np.int32)


def _list(pool: list[int], items: int, stream: streams.Stream) -> list[int]:
    found: dict[int, None] = {}
    while len(found) < items:
        found[pool[stream.below(len(pool))]] = None
    return list(found)
