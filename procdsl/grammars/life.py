"""Life-like cellular automata: cells on a grid that count the living around them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from procdsl.grammars._frames import Frames
from procdsl.grammars.base import Problem
from procdsl.programs.cellular import CellularProgram

_RULE = re.compile(r"B([0-8]*)/S([0-8]*)")


def _spelt(rule: str) -> str:
    if not _RULE.fullmatch(rule):
        raise ValueError(f'{rule!r} is no life-like rule: say which numbers of neighbours, as "B3/S23"')
    return rule


Rule = Annotated[str, AfterValidator(_spelt)]
Side = Annotated[int, Field(ge=1, le=1024)]


class Life(Frames):
    """Grids of living and dead cells: those in B are born, those in S survive, all others die.

    `rule` is one, or a list of which every row draws its own. `patch` is the block of cells that makes a
    token, spelt by its cells.

    ```toml
    kind    = "life"
    rule    = "B3/S23"
    grid    = [6, 8]
    patch   = [2, 2]
    steps   = 6
    density = 0.35
    ```
    """

    kind: Literal["life"] = "life"
    rule: Rule | Annotated[tuple[Rule, ...], Field(min_length=1)] = "B3/S23"
    grid: tuple[Side, Side]
    patch: tuple[Annotated[int, Field(ge=1, le=4)], Annotated[int, Field(ge=1, le=4)]] = (1, 1)

    def program(self) -> CellularProgram:
        return self._program("grid", self.grid, self.patch)

    def numbered(self, rule: int | str) -> int | None:
        return _number(rule) if isinstance(rule, str) and _RULE.fullmatch(rule) else None

    def numbers(self) -> tuple[int, ...]:
        return tuple(map(_number, (self.rule,) if isinstance(self.rule, str) else self.rule))

    def problems(self, context: int) -> Iterator[Problem]:
        if self.grid[0] % self.patch[0] or self.grid[1] % self.patch[1]:
            message = f"a grid of {self.grid[0]} × {self.grid[1]} is no whole number of patches"
            yield Problem("P364", message, ("patch",), "give sides that divide the grid's")
            return
        yield from super().problems(context)


def _number(rule: str) -> int:
    """A bit for each number of neighbours to be born at, then for each to survive at."""
    found = _RULE.fullmatch(rule)
    assert found
    born, survives = (sum(1 << int(digit) for digit in set(part)) for part in found.groups())
    return born | survives << 9
