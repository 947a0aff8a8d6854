"""Answers of a task: right or wrong, token by token and whole, by prompt length and by place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runner.measures import Setting
from runner.measures.buckets import means
from runner.measures.rows import HeldOut, held_out
from runner.model import Transformer

# Lengths and places up to this one have a number of their own.
EACH = 64


def prepared(setting: Setting) -> Answer:
    rows = held_out(setting)
    row_N, column_N = rows.places()
    begins = np.diff(row_N, prepend=-1) != 0
    if rows.token_bytes is not None:
        # Problems that are packed: each has an answer of its own.
        begins |= np.diff(column_N, prepend=-1) != 1
    first = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    return Answer(rows, column_N[first] + 1, np.arange(len(row_N)) - first + 1)


@dataclass(frozen=True)
class Answer:
    """For each target: how many tokens stand before its answer, and its place in that."""

    rows: HeldOut
    prompt_N: NDArray[np.int64]
    place_N: NDArray[np.int64]

    def metrics(self, model: Transformer) -> dict[str, float]:
        got = self.rows.score(model)
        (first,) = np.nonzero(self.place_N == 1)
        exact = np.minimum.reduceat(got.hit_N, first)
        return {
            "token_accuracy": got.accuracy,
            "exact_match": int(exact.sum()) / len(first),
            "loss": got.loss,
            **means("exact_match/prompt", self.prompt_N[first], exact, each=EACH),
            **means("token_accuracy/prompt", self.prompt_N, got.hit_N, each=EACH),
            **means("token_accuracy/answer", self.place_N, got.hit_N, each=EACH),
        }
