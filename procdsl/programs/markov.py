"""Words of random Markov chains."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from procdsl.programs.base import WordProgram


class MarkovProgram(WordProgram):
    """Words of a Markov chain of the word's own, whose rows have a symmetric Dirichlet prior.

    The chain is integrated out (Pólya's urn): after the same `order` symbols as before, a symbol is as likely
    as the times that it followed them plus prior[0] / prior[1]. The first `order` symbols are all alike.
    """

    kind: Literal["markov"] = "markov"
    count: int = Field(ge=1, le=65_536)
    order: int = Field(ge=0, le=16)
    prior: tuple[Annotated[int, Field(ge=1, lt=2**31)], Annotated[int, Field(ge=1, lt=2**15)]] = (1, 1)

    @property
    def symbols(self) -> int:
        return self.count
