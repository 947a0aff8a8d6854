"""Grammars of other tools as tables of kind `cfg`, and ours as theirs: NLTK, Lark, GBNF, layered JSON."""

from __future__ import annotations

from collections.abc import Collection

from procdsl.errors import UsageError
from procdsl.interchange import gbnf, larks, layered, nltks
from procdsl.interchange.productions import Productions, of, table

__all__ = ["READERS", "WRITERS", "Productions", "of", "read", "table", "write"]

READERS = {"nltk": nltks.read, "lark": larks.read, "gbnf": gbnf.read, "json": layered.read}
WRITERS = {"nltk": nltks.write, "lark": larks.write, "gbnf": gbnf.write}


def read(text: str, format: str) -> Productions:
    """The grammar in a text of one of `READERS`. UsageError where it cannot be read, or not be said here."""
    return READERS[_known(format, READERS)](text)


def write(rules: Productions, format: str) -> str:
    """The grammar as a text of one of `WRITERS`."""
    return WRITERS[_known(format, WRITERS)](rules)


def _known(format: str, there: Collection[str]) -> str:
    if format not in there:
        raise UsageError(f"{format!r} is no format", help=f"there are {', '.join(there)}")
    return format
