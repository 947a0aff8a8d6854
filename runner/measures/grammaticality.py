"""Legal next symbols: the mass they get, and how often a model's own words are words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from procdsl import streams
from procdsl.plan import GenerateOperation
from procdsl.programs.base import SPECIALS, WordProgram
from procdsl.programs.measurements.grammaticality import GrammaticalityMeasurement
from procdsl.recognisers import Brackets, recogniser
from runner import generation
from runner.measures import Setting
from runner.measures.buckets import means
from runner.measures.rows import HeldOut, held_out, own_ids, states
from runner.model import Transformer

# Depths and distances up to this one have a number of their own.
EACH = 4
# Words written side by side, and logits at once: 2**24 of these are 64 MiB.
_SIDE_BY_SIDE, _CHUNK = 256, 1 << 24


def prepared(setting: Setting) -> Grammaticality:
    source, wanted = setting.source, setting.measure.measurement
    assert isinstance(source, GenerateOperation)
    assert isinstance(wanted, GrammaticalityMeasurement)
    rows = held_out(setting)
    own = own_ids(setting)
    legal = _read(source, own.back[rows.ids], rows.scored)
    key = streams.key(setting.measure.data_seed, "words", setting.measure.name)
    return Grammaticality(source, rows, legal, torch.from_numpy(own.ids).long(), own.back, wanted.words, key)


@dataclass(frozen=True)
class Legal:
    """At each target: which of the sets `may` (S × L, of the source's own ids) may come there.

    `depth_N` and `distance_N` are those of brackets, -1 where there is none.
    """

    may: NDArray[np.bool_]
    set_N: NDArray[np.int64]
    depth_N: NDArray[np.int64]
    distance_N: NDArray[np.int64]


@dataclass(frozen=True)
class Grammaticality:
    """`ids` are the phase's ids of the source's tokens, `own` the way back, -1 for other tokens."""

    source: GenerateOperation
    rows: HeldOut
    legal: Legal
    ids: Tensor
    own: NDArray[np.int64]
    words: int
    key: int

    def metrics(self, model: Transformer) -> dict[str, float]:
        tokens_N, best_N = self._asked(model)
        known = self.legal
        best_N = self.own[best_N]
        right = known.may[known.set_N, best_N] & (best_N >= 0)
        closes, nested = known.distance_N >= 0, known.depth_N >= 0
        return {
            "mass": float(tokens_N.mean()),
            "argmax_legal": float(right.mean()),
            **({"accepted": self._accepted(model)} if self.words else {}),
            **means("mass/depth", known.depth_N[nested], tokens_N[nested], each=EACH),
            **means("mass/distance", known.distance_N[closes], tokens_N[closes], each=EACH),
        }

    def _asked(self, model: Transformer) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The mass on what is legal, and the likeliest id, at every target in order."""
        may = torch.from_numpy(self.legal.may).to(model.unembedding.device)
        ids, masses, bests = self.ids.to(may.device), [], []
        for part, set_N in zip(self.rows.parts, self.rows.by_part(self.legal.set_N), strict=True):
            for hidden, sets in _chunks(states(model, part), set_N.to(may.device), len(self.own)):
                logits = F.linear(hidden, model.unembedding.to(hidden.dtype)).float()
                chances = torch.softmax(logits, 1)[:, ids].double()
                masses.append((chances * may[sets]).sum(1))
                bests.append(logits.argmax(1))
        return self.rows.in_order(masses), self.rows.in_order(bests)

    def _accepted(self, model: Transformer) -> float:
        """The share of words written from the beginning of a row that are words."""
        begin, found = int(self.ids[_special(self.source, "<bos>")]), 0
        for first in range(0, self.words, _SIDE_BY_SIDE):
            count = min(_SIDE_BY_SIDE, self.words - first)
            start_B = torch.full((count,), begin, device=model.unembedding.device)
            choose = generation.sampled(self.key, range(first, first + count))
            ids = generation.written(model, start_B, self.source.context, choose).cpu().numpy()
            found += sum(_is_word(self.source, row) for row in self.own[ids].tolist())
        return found / self.words


def _read(source: GenerateOperation, ids: NDArray[np.int64], scored: NDArray[np.uint8]) -> Legal:
    """Reads rows, each of them words from one `<bos>` or `<end>` to the next."""
    begin, end = _special(source, "<bos>"), _special(source, "<end>")
    sets: dict[frozenset[int], int] = {}
    found: list[tuple[int, int, int]] = []
    for row, flags in zip(ids.tolist(), scored.tolist(), strict=True):
        known = recogniser(source.program)
        for symbol, target, asked in zip(row, row[1:], flags[1:], strict=False):
            if symbol in (begin, end):
                known = recogniser(source.program)
            else:
                known.read(symbol)
            if asked:
                legal = known.legal() | {end} if known.ends() else known.legal()
                depth = distance = -1
                if isinstance(known, Brackets):
                    depth, partner = known.depth, known.partner(target)
                    distance = -1 if partner is None else known.place - partner
                found.append((sets.setdefault(legal, len(sets)), depth, distance))
    may = np.zeros((len(sets), len(source.tokens)), bool)
    for legal, place in sets.items():
        may[place, list(legal)] = True
    set_N, depth_N, distance_N = np.array(found, np.int64).T
    return Legal(may, set_N, depth_N, distance_N)


def _is_word(source: GenerateOperation, row: Sequence[int]) -> bool:
    """Whether what stands before the first `<end>` is a word; without one, a word that fills the row."""
    known, end = recogniser(source.program), _special(source, "<end>")
    for symbol in row:
        if symbol == end:
            return known.ends()
        if symbol not in known.legal():
            return False
        known.read(symbol)
    assert isinstance(source.program, WordProgram)
    return known.ends() and source.program.lengths.values == (source.context,)


def _special(source: GenerateOperation, token: str) -> int:
    """A word program's specials stand behind its symbols."""
    return len(source.tokens) - len(SPECIALS) + SPECIALS.index(token)


def _chunks(states_NC: Tensor, sets_N: Tensor, ids: int) -> zip[tuple[Tensor, Tensor]]:
    rows = max(64, _CHUNK // ids)
    return zip(states_NC.split(rows), sets_N.split(rows), strict=True)
