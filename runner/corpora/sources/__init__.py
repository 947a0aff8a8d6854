"""Where documents come from: the Hub, local files, what every machine with Python has, another corpus.

A module a kind of source, found by its name. One that reads text answers two questions. `pin`: which text
exactly is this (its revision, a digest, the paths)? `open`: its documents, in their one order, from a cursor
on. Reading less never changes what is read. One that makes documents of another corpus has them `Made`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any

from procdsl.errors import RunError
from procdsl.plan import AnySource, PrepareOperation

if TYPE_CHECKING:
    from runner.corpora import Corpus
    from runner.corpora.documents import Documents
    from runner.corpora.tokenizers import Tokenizer

WAYS_OUT = (
    'three ways out: name local files (kind = "files"); run `procdsl data fetch SPEC` on a connected machine '
    'and copy what it names; or give the corpus a fallback (fallback = "pydocs")'
)


class Unreachable(RunError):
    """A source, or a tokenizer, that cannot be had from here: what a fallback is for."""

    def __init__(self, message: str, *, help: str = WAYS_OUT) -> None:
        super().__init__(message, reason="unreachable", help=help)


@dataclass(frozen=True)
class Pinned:
    """A source, settled: its digest names the text, `inventory` its files as (name, bytes, sha256)."""

    source: AnySource
    revision: str
    digest: str
    inventory: tuple[tuple[str, int, str], ...] = ()


class Reading:
    """Documents in order, with a look ahead and a cursor from which the next reading goes on.

    `state`, where a source has one, is a shortcut: it gives the source's own position, so that going on
    need not read again what was read. It stands behind everything taken from `texts`, peeked or not.
    """

    def __init__(
        self, texts: Iterator[str], *, cursor: dict[str, Any] | None, state: Callable[[], Any] | None = None
    ) -> None:
        begun = cursor or {"state": None, "skip": 0, "documents": 0}
        self._texts = map(_clean, islice(texts, begun["skip"], None))
        self._state = state
        self._peeked: deque[str] = deque()
        self._documents: int = begun["documents"]

    def peek(self, characters: int) -> Iterator[str]:
        """The next documents, up to about that many characters; they stay to be taken."""
        seen = 0
        for text in self._texts:
            self._peeked.append(text)
            if (seen := seen + len(text)) >= characters:
                break
        yield from self._peeked

    def take(self, characters: int) -> list[str]:
        """The next documents, up to about that many characters; none at the text's end."""
        taken: list[str] = []
        seen = 0
        while seen < characters:
            text = self._peeked.popleft() if self._peeked else next(self._texts, None)
            if text is None:
                break
            taken.append(text)
            seen += len(text)
        self._documents += len(taken)
        return taken

    def cursor(self) -> dict[str, Any]:
        """Where this reading stands, as JSON."""
        if self._state and not self._peeked:
            return {"state": self._state(), "skip": 0, "documents": self._documents}
        return {"state": None, "skip": self._documents, "documents": self._documents}


def pin(source: AnySource, *, offline: bool) -> Pinned:
    """Settle which text a source is. Raises `Unreachable` where another may take its place."""
    pinned: Pinned = _module(source).pin(source, offline=offline)
    return pinned


def open(source: AnySource, *, digest: str, cursor: dict[str, Any] | None) -> Reading:
    """The documents of a pinned source; a RunError if it is not the text that `digest` names any more."""
    reading: Reading = _module(source).open(source, digest=digest, cursor=cursor)
    return reading


def made(
    operation: PrepareOperation, text: Corpus, tokenizer: Tokenizer, cursor: dict[str, Any] | None
) -> Documents:
    """The documents that an operation makes of those of `text`, whose tokenizer it is given."""
    of = _module(operation.source)
    documents: Documents = of.Made(operation.source, text, tokenizer, operation.validation_share, cursor)
    return documents


def _module(source: AnySource) -> Any:
    """The module of a kind of source, named for it, imported when a study reads one."""
    return import_module(f"{__name__}.{source.kind}")


def _clean(text: str) -> str:
    """A text that can be encoded: half a surrogate pair, which JSON can spell, becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
