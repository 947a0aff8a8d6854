"""Documents drawn by the n-grams of another corpus.

Each is drawn by itself, from a stream of its own: what is made does not depend on how much of it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from procdsl import streams
from procdsl.errors import RunError
from procdsl.plan.sources.ngram import NgramSource
from runner.corpora.documents import Document, part
from runner.corpora.tokenizers import Tokenizer
from runner.generators.compiling import kernel
from runner.generators.philox import Draws, begin, below, new_draws

if TYPE_CHECKING:
    from runner.corpora import Corpus


class Made:
    """Documents drawn token by token. A document's part is settled by the hash of its tokens."""

    empty = 0

    def __init__(
        self,
        source: NgramSource,
        text: Corpus,
        tokenizer: Tokenizer,
        share: float,
        cursor: dict[str, Any] | None,
    ) -> None:
        self._key = np.uint64(streams.key(source.seed, "ngram")).astype(np.int64)
        self._table = contexts(text.ids("train")[: source.tokens], tokenizer.separator, source.order)
        self._share = share
        self._next = cursor["documents"] if cursor else 0
        self.tokenizer = tokenizer

    def take(self, size: int) -> list[Document]:
        draws, count = new_draws(0), 0
        while not count:
            ids, ends = np.empty(size, np.int64), np.empty(size, np.int64)
            count = _draw(self._table, draws, self._key, self._next, ids, ends)
            size *= 2
        self._next += count
        return [self._document(document) for document in np.split(ids[: ends[count - 1]], ends[: count - 1])]

    def cursor(self) -> dict[str, Any]:
        return {"documents": self._next}

    def _document(self, ids: NDArray[np.int64]) -> Document:
        split = part(ids.astype("<u4").tobytes(), self._share)
        return Document(ids, int(self.tokenizer.token_bytes[ids].sum()), split)


class Contexts(NamedTuple):
    """The places of a text in groups, one for each context: what the tokens up to a place are.

    To draw the next token by its context is to take the one behind any place of the same group, all alike.
    `places` has the groups one after another, group g from `begins[g]` to `begins[g + 1]`.
    """

    ids: Any
    group: Any
    places: Any
    begins: Any
    separator: int


def contexts(ids: NDArray[Any], separator: int, order: int) -> Contexts:
    """The contexts of order - 1 tokens in the whole documents of a text; none reaches over a separator."""
    ends = np.flatnonzero(ids == separator)
    if not ends.size:
        raise RunError(
            f"no document ends within the {len(ids):,} tokens that n-grams are counted in",
            reason="data",
            help="count more of them: tokens = …",
        )
    ids = ids[: ends[-1] + 1].astype(np.int64)
    group = np.zeros(len(ids), np.int64)
    for _ in range(order - 1):
        # The text is a ring: behind its last separator its first document begins.
        before = np.where(ids == separator, 0, np.roll(group, 1))
        _, group = np.unique(before * (ids.max() + 1) + ids, return_inverse=True)
    begins = np.concatenate([[0], np.cumsum(np.bincount(group))])
    places = np.argsort(group, kind="stable").astype(np.int32)
    # In half the bytes a tenth more tokens are drawn a second: 3 million of 4 million places.
    return Contexts(ids.astype(np.int32), group.astype(np.int32), places, begins, separator)


@kernel
def _draw(
    table: Contexts, draws: Draws, key: np.int64, first: int, out: NDArray[np.int64], ends: NDArray[np.int64]
) -> int:
    """Documents `first`, `first` + 1, … into `out` as far as it holds them whole; how many these are."""
    at = 0
    for document in range(ends.size):
        begin(draws, key, first + document, 0)
        place, start = table.ids.size - 1, at
        while True:
            group = table.group[place]
            chosen = table.begins[group] + below(draws, table.begins[group + 1] - table.begins[group])
            place = (table.places[chosen] + 1) % table.ids.size
            if table.ids[place] != table.separator:
                if at == out.size:
                    return document
                out[at] = table.ids[place]
                at += 1
            elif at > start:
                break
        ends[document] = at
    return ends.size
