"""Words of context-free and multiple context-free grammars."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from procdsl.kinds import Node, later
from procdsl.programs.base import WordProgram


class TreeShape(Node):
    """Productions of one head that differ only in their terminals, each a member with its own weight.

    A yield is one sequence of codes for each of the head's components: a code from 0 up is the place of a
    terminal among the member's, one below is component j of child i, written -1 - (8 i + j).
    """

    head: int = Field(ge=0)
    children: tuple[int, ...] = ()
    yields: tuple[tuple[int, ...], ...] = Field(min_length=1)
    members: tuple[tuple[int, ...], ...] = Field(min_length=1)
    weights: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(min_length=1)


class TreeProgram(WordProgram):
    """Words read off random trees: a weighted regular tree grammar with a yield, conditioned on the length.

    Nonterminal 0 is the start; terminals are `count` ids. Context-free where every yield has one component.
    `unambiguous` where whoever made the rules knows that every word has one derivation; else it is searched.
    Where only some words of a language are drawn, `language` are its shapes: those that words are read by.
    """

    kind: Literal["tree"] = "tree"
    count: int = Field(ge=1, le=2**24)
    shapes: tuple[TreeShape, ...] = Field(min_length=1)
    unambiguous: bool = False
    language: tuple[TreeShape, ...] = later(())

    @property
    def symbols(self) -> int:
        return self.count
