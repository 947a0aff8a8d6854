"""Lindenmayer systems."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from procdsl.programs.base import Lengths, Program


class LsystemProgram(Program):
    """An axiom and `generations` of it, in each of which all symbols are replaced at once by their images.

    The axiom is fixed, or as many of `heads` as the law `drawn` says, drawn evenly. A symbol with several
    images has one drawn, by thresholds over 2**32 as in `IidProgram`; one that is no head stays. A separator,
    id `symbols`, follows each generation; then padding. What is hashed is a drawn axiom, else the last
    generation. The axiom is scored only if `scores_first`.
    """

    told_by: ClassVar[str] = "axiom, or last generation"
    kind: Literal["lsystem"] = "lsystem"
    symbols: int = Field(ge=1, le=65_536)
    axiom: tuple[Annotated[int, Field(ge=0)], ...] = ()
    drawn: Lengths | None = None
    heads: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    images: tuple[tuple[tuple[Annotated[int, Field(ge=0)], ...], ...], ...] = Field(min_length=1)
    thresholds: tuple[tuple[int, ...], ...] = Field(min_length=1)
    generations: int = Field(ge=1)
    scores_first: bool = False
