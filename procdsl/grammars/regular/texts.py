"""Faults in texts at their characters, and alphabets as they are declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, Field

from procdsl.errors import Severity
from procdsl.grammars.base import Problem

Spelling = Annotated[str, Field(min_length=1)]
Pool = Annotated[int, Field(ge=1, le=2**20)] | Annotated[tuple[Spelling, ...], Field(min_length=1)]
Pools = dict[Spelling, Pool]


class TextError(ValueError):
    """What is wrong with a text of a grammar's table, and at which of its characters."""

    def __init__(self, message: str, field: str, at: int, width: int = 1, help: str = "") -> None:
        self.message, self.field, self.span, self.help = message, field, (at, width), help
        super().__init__(message)

    def problem(self, code: str, severity: Severity = Severity.ERROR) -> Problem:
        """The fault as the compiler tells it."""
        return Problem(code, self.message, (self.field,), self.help, severity, self.span)


def spelt(tokens: tuple[str, ...] | Pools) -> tuple[str, ...]:
    """The tokens that an alphabet declares.

    >>> spelt({"a": 2, "b": 1})
    ('a[0]', 'a[1]', 'b[0]')
    """
    if isinstance(tokens, Mapping):
        return tuple(member for pool, members in tokens.items() for member in _members(pool, members))
    return tokens


def _members(pool: str, members: Pool) -> tuple[str, ...]:
    return tuple(f"{pool}[{i}]" for i in range(members)) if isinstance(members, int) else members


def _distinct(tokens: tuple[str, ...] | Pools) -> tuple[str, ...] | Pools:
    found = spelt(tokens)
    if not found:
        raise ValueError("there are no tokens")
    if any(token.split() != [token] for token in found):
        raise ValueError("tokens have no blanks in them, and at least one character")
    if len(set(found)) < len(found):
        raise ValueError("two tokens are spelt alike")
    return tokens


Tokens = Annotated[tuple[Spelling, ...] | Pools, AfterValidator(_distinct)]
"""An alphabet: its tokens, or pools of so many: { w = 2 } is w[0] and w[1], as in rules."""


def meanings(alphabet: Iterable[str], tokens: tuple[str, ...] | Pools | None) -> dict[str, frozenset[int]]:
    """What may be written for symbols: each token for itself, a pool's name for all of its tokens."""
    ids = {token: id for id, token in enumerate(alphabet)}
    found = {token: frozenset({id}) for token, id in ids.items()}
    for pool, members in (tokens if isinstance(tokens, Mapping) else {}).items():
        found.setdefault(pool, frozenset(ids[member] for member in _members(pool, members)))
    return found


def near(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Help for a name that nothing has."""
    found = get_close_matches(name, list(known), 1)
    return f"did you mean {found[0]}?" if found else otherwise
