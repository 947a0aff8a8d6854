"""Words of finite automata."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from procdsl.kinds import Node, later
from procdsl.programs.base import WordProgram


class Letters(Node):
    """What an arrow writes: one of these symbols, each as likely as its weight; all alike without any."""

    symbols: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    weights: tuple[Annotated[float, Field(gt=0)], ...] = ()


class AutomatonProgram(WordProgram):
    """Walks of a finite automaton from state 0 to one of `accepts`, conditioned on their length.

    Arrow i leads from sources[i] (which ascend) to targets[i] and writes one of letters[writes[i]]. Walks
    are as likely as the products of their arrows' weights, and of the weight in `stops` of the state they end
    in, where there are any. With the number of letters as weight, and no two walks that write the same, every
    word of a length is alike.
    """

    kind: Literal["automaton"] = "automaton"
    count: int = Field(ge=1, le=2**24)
    letters: tuple[Letters, ...] = Field(min_length=1)
    sources: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    targets: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    writes: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    weights: tuple[Annotated[float, Field(gt=0)], ...] = Field(min_length=1)
    accepts: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    stops: tuple[Annotated[float, Field(gt=0)], ...] = later(())

    @property
    def symbols(self) -> int:
        return self.count

    @property
    def states(self) -> int:
        """How many states the arrows and accepting states name, from 0 up."""
        return 1 + max(*self.sources, *self.targets, *self.accepts, 0)
