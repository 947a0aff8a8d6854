"""Words of several context-free grammars between each other."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.programs.base import WordProgram
from procdsl.programs.tree import TreeProgram


class InterleavedProgram(WordProgram):
    """A word of each of several programs, whose symbols take turns in any order: no two parts share one.

    Of a length, words are as likely as the products of their parts' weights, whatever the order. The parts'
    own laws of lengths say only how long their words can get; the empty word counts among them.
    """

    kind: Literal["interleaved"] = "interleaved"
    count: int = Field(ge=1, le=2**24)
    parts: tuple[TreeProgram, ...] = Field(min_length=2)

    @property
    def symbols(self) -> int:
        return self.count
