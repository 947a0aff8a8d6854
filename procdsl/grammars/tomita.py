"""Tomita's seven languages, the touchstones of grammatical inference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from procdsl.grammars.base import Problem
from procdsl.grammars.regular.deterministic import Dfa, least
from procdsl.grammars.regular.grammar import RegularGrammar

# For each language: where 0 and 1 lead from each state (-1: nowhere), and the accepting states.
_TABLES: dict[int, tuple[tuple[tuple[int, int], ...], tuple[int, ...]]] = {
    1: (((-1, 0),), (0,)),
    2: (((-1, 1), (0, -1)), (0,)),
    # Even run of 1s; odd run of 1s; behind it an odd run of 0s; behind it an even one.
    3: (((0, 1), (2, 0), (3, -1), (2, 1)), (0, 1, 3)),
    4: (((1, 0), (2, 0), (-1, 0)), (0, 1, 2)),
    5: (((1, 2), (0, 3), (3, 0), (2, 1)), (0,)),
    6: (((1, 2), (2, 0), (0, 1)), (0,)),
    7: (((0, 1), (2, 1), (2, 3), (-1, 3)), (0, 1, 2, 3)),
}


class Tomita(RegularGrammar):
    """Tomita's language `n` over 0 and 1 (1982), every word of a length alike.

    1: only 1s. 2: (1 0)*. 3: no odd run of 1s with an odd run of 0s behind it. 4: never 0 0 0. 5: an even
    number of 0s and of 1s. 6: as many 0s as 1s, modulo 3. 7: 0* 1* 0* 1*.

    ```toml
    kind   = "tomita"
    n      = 3
    length = { uniform = [2, 32] }
    ```
    """

    kind: Literal["tomita"] = "tomita"
    n: int = Field(ge=1, le=7)
    measure: Literal["uniform"] = "uniform"

    def alphabet(self) -> tuple[str, ...]:
        return ("0", "1")

    def recognised(self) -> Dfa:
        rows, accepts = _TABLES[self.n]
        moves = [{symbol: target for symbol, target in enumerate(row) if target >= 0} for row in rows]
        return least([(0,), (1,)], moves, frozenset(accepts))

    def faults(self) -> Iterator[Problem]:
        return iter(())
