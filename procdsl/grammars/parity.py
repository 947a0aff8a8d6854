"""Words by how many 1s they have, modulo a number: easy to say, hard to learn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from procdsl.grammars.base import Problem
from procdsl.grammars.regular.deterministic import Dfa, least
from procdsl.grammars.regular.grammar import RegularGrammar


class Parity(RegularGrammar):
    """Words over 0 and 1 whose number of 1s leaves `remainder` when divided by `modulus`, all alike.

    Every symbol but the last is a fair coin, and the last depends on all of them (but for `modulus` above 2).

    ```toml
    kind   = "parity"
    length = { uniform = [2, 32] }
    ```
    """

    kind: Literal["parity"] = "parity"
    modulus: int = Field(default=2, ge=2, le=1_000)
    remainder: int = Field(default=0, ge=0)
    measure: Literal["uniform"] = "uniform"

    @model_validator(mode="after")
    def _remains(self) -> Self:
        if self.remainder >= self.modulus:
            raise ValueError(f"no number leaves {self.remainder} when divided by {self.modulus}")
        return self

    def alphabet(self) -> tuple[str, ...]:
        return ("0", "1")

    def recognised(self) -> Dfa:
        moves = [{0: ones, 1: (ones + 1) % self.modulus} for ones in range(self.modulus)]
        return least([(0,), (1,)], moves, frozenset({self.remainder}))

    def faults(self) -> Iterator[Problem]:
        return iter(())
