"""Minimal pairs: log-probabilities of whole sentences, or words, against those of their wrong neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from procdsl import streams
from procdsl.errors import RunError
from procdsl.plan import GenerateOperation, PrepareOperation
from procdsl.programs.base import SPECIALS
from procdsl.programs.measurements.minimal_pairs import MinimalPairsMeasurement
from procdsl.recognisers import recogniser
from procdsl.streams import Stream
from runner import batches, corpora
from runner.measures import Setting
from runner.measures.rows import HeldOut, own_ids, parts
from runner.model import Transformer
from runner.pairs import pairs

# A subset, and the ids of the right one and of the wrong one; the first of each is given, not asked for.
Spelt = tuple[str, Sequence[int], Sequence[int]]
_TRIES = 1_000


def prepared(setting: Setting) -> MinimalPairs:
    wanted, source = setting.measure.measurement, setting.source
    assert isinstance(wanted, MinimalPairsMeasurement)
    spelt = list(
        _sentences(setting, wanted, source)
        if isinstance(source, PrepareOperation)
        else _words(setting, wanted, source)
    )
    longest = setting.operation.model.context + 1
    fitting = [pair for pair in spelt if max(len(pair[1]), len(pair[2])) <= longest]
    if not fitting:
        raise RunError(
            f"{setting.measure.name}: no pair fits a context of {longest - 1}",
            reason="data",
            help="give the model more context, or shorter pairs",
        )
    rows = [ids for _, good, bad in fitting for ids in (good, bad)]
    ids = np.zeros((len(rows), max(map(len, rows))), np.int32)
    scored = np.zeros(ids.shape, np.uint8)
    for place, row in enumerate(rows):
        ids[place, : len(row)], scored[place, 1 : len(row)] = row, 1
    text = isinstance(source, PrepareOperation)
    size = setting.operation.vocabulary.text_size if text else setting.operation.vocabulary.size
    held = HeldOut(ids, scored, parts(setting, ids, scored), size, None)
    subsets = np.array([subset for subset, _, _ in fitting])
    return MinimalPairs(held, subsets, 1 - len(fitting) / len(spelt))


@dataclass(frozen=True)
class MinimalPairs:
    """Rows 2i and 2i + 1 are pair i, the right one first."""

    rows: HeldOut
    subset_P: NDArray[np.str_]
    left_out: float

    def metrics(self, model: Transformer) -> dict[str, float]:
        losses = np.bincount(self.rows.places()[0], self.rows.score(model).loss_N, 2 * len(self.subset_P))
        good_P, bad_P = losses[::2], losses[1::2]
        right_P = good_P < bad_P
        named = [name for name in np.unique(self.subset_P).tolist() if name]
        return {
            "accuracy": float(right_P.mean()),
            "ties": float((good_P == bad_P).mean()),
            "left_out": self.left_out,
            **{f"accuracy/{name}": float(right_P[self.subset_P == name].mean()) for name in named},
        }


def _sentences(
    setting: Setting, wanted: MinimalPairsMeasurement, source: PrepareOperation
) -> Iterator[Spelt]:
    tokenizer = corpora.tokenizer(setting.store.path("prepare", setting.plan.key(source.id)))
    begin = [tokenizer.separator] if wanted.begin == "separator" else []
    found = list(pairs(wanted))
    good = tokenizer.encode([pair.good for pair in found])
    bad = tokenizer.encode([pair.bad for pair in found])
    for pair, one, other in zip(found, good, bad, strict=True):
        yield pair.subset, [*begin, *one.tolist()], [*begin, *other.tolist()]


def _words(setting: Setting, wanted: MinimalPairsMeasurement, source: GenerateOperation) -> Iterator[Spelt]:
    """The first word of each row, its end included where it has one, and a neighbour that is no word."""
    rows = batches.generated(
        source, setting.operation.vocabulary, data_seed=setting.measure.data_seed, split=wanted.split
    )
    ids = np.empty((wanted.rows, source.context + 1), np.int32)
    rows.fill(0, ids, np.empty(ids.shape, np.uint8))
    own = own_ids(setting)
    key = streams.key(setting.measure.data_seed, "minimal pairs", source.name)
    symbols = len(source.tokens) - len(SPECIALS)
    for number, row in enumerate(own.back[ids].tolist()):
        length = next((place for place, id in enumerate(row[1:]) if id >= symbols), len(row) - 1)
        wrong = _neighbour(source, row[1 : length + 1], Stream(key, number))
        good = own.ids[row[: length + 2]]
        bad = good.copy()
        bad[1 : length + 1] = own.ids[wrong]
        yield "", good.tolist(), bad.tolist()


def _neighbour(source: GenerateOperation, word: Sequence[int], stream: Stream) -> list[int]:
    """The word with one symbol replaced by another, drawn until it is no word."""
    symbols = len(source.tokens) - len(SPECIALS)
    for _ in range(_TRIES if symbols > 1 else 0):
        changed = list(word)
        place = stream.below(len(word))
        changed[place] = (changed[place] + 1 + stream.below(symbols - 1)) % symbols
        known = recogniser(source.program)
        if not (all(known.read(symbol) for symbol in changed) and known.ends()):
            return changed
    raise RunError(
        f"{source.name}: {_TRIES:,} words with a symbol replaced are words as well",
        reason="data",
        help="minimal pairs need a language that a single symbol can leave",
    )
