"""The documents of another corpus, their tokens shuffled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from procdsl.plan.sources.shuffled import ShuffledSource
from runner.corpora.documents import SPLITS, Document, Split
from runner.corpora.order import permutation
from runner.corpora.tokenizers import Tokenizer

if TYPE_CHECKING:
    from runner.corpora import Corpus


class Made:
    """The documents of each part of a corpus, each with its tokens in an order drawn by where it begins."""

    empty = 0

    def __init__(
        self,
        source: ShuffledSource,
        text: Corpus,
        tokenizer: Tokenizer,
        share: float,
        cursor: dict[str, Any] | None,
    ) -> None:
        self._seed = source.seed
        self._text = text
        self._at: dict[str, int] = dict(cursor) if cursor else dict.fromkeys(SPLITS, 0)
        self.tokenizer = tokenizer

    def take(self, size: int) -> list[Document]:
        taken = [document for split in SPLITS for document in self._take(split, size)]
        assert taken or self._text.complete, f"{self._text.name} ends before what is made of it"
        return taken

    def cursor(self) -> dict[str, Any]:
        return dict(self._at)

    def _take(self, split: Split, size: int) -> Iterator[Document]:
        """Documents from where the last ended on, up to one that ends `size` tokens on or more."""
        ids, separator, first = self._text.ids(split), self.tokenizer.separator, self._at[split]
        until = min(first + size, len(ids))
        while until < len(ids) and ids[until - 1] != separator:
            until += 1
        for document in np.split(ids[first:until], np.flatnonzero(ids[first:until] == separator) + 1)[:-1]:
            yield self._shuffled(split, document[:-1].astype(np.int64))
            self._at[split] += len(document)

    def _shuffled(self, split: Split, ids: NDArray[np.int64]) -> Document:
        order = permutation(len(ids), self._seed, "shuffled", split, str(self._at[split]))
        return Document(ids[order], int(self.tokenizer.token_bytes[ids].sum()), split)
