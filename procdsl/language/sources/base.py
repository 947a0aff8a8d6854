"""Sources: rows made from other rows. One file a kind; a grammar is a source by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from procdsl.grammars.base import Problem
from procdsl.kinds import Node
from procdsl.programs.base import AnyProgram


class Procedural(Protocol):
    """What the compiler needs to know of rows that are made, not read: grammars are this already."""

    def program(self) -> AnyProgram:
        """The generator program."""

    def alphabet(self) -> tuple[str, ...]:
        """How the symbols are spelt, in the order of the program's ids."""

    def tokens(self) -> tuple[str, ...]:
        """The alphabet, then the specials of a row."""

    def longest(self) -> int:
        """The positions that the longest row feeds."""

    def cells(self) -> int:
        """The cells of a position that is a frame; 0 where a position is a token."""

    def problems(self, context: int) -> Iterator[Problem]:
        """What is wrong with it in rows of this context; paths are inside its own table."""


@dataclass(frozen=True)
class Remade:
    """Rows of another source made anew: spelt as they are there, and as long."""

    of: Procedural

    def alphabet(self) -> tuple[str, ...]:
        return self.of.alphabet()

    def tokens(self) -> tuple[str, ...]:
        return self.of.tokens()

    def longest(self) -> int:
        return self.of.longest()

    def cells(self) -> int:
        return self.of.cells()

    def problems(self, context: int) -> Iterator[Problem]:
        yield from ()


class Source(Node):
    """A kind of source. `kind` names it, and its file."""

    kind: str

    def names(self) -> Mapping[str, str]:
        """The grammars and sources it is made of, by the key that names each."""
        raise NotImplementedError

    def over(self, parts: Mapping[str, Procedural]) -> Procedural:
        """The rows, given those it is made of by the same keys."""
        raise NotImplementedError
