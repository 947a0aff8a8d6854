"""Elementary cellular automata: lines of cells that look at their two neighbours."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from procdsl.grammars._frames import Frames
from procdsl.programs.cellular import CellularProgram

Rule = Annotated[int, Field(ge=0, le=255)]


class Eca(Frames):
    """Lines of `width` cells, each from the one before by a rule in Wolfram's numbering.

    `rule` is a number, or a list (`"any"`: all 256) of which every row draws its own, which is to be
    inferred. `steps` lines follow the first, which is drawn and, unless `loss = "all"`, not scored.

    ```toml
    kind  = "eca"
    rule  = 110
    width = 20
    steps = 6
    ```
    """

    kind: Literal["eca"] = "eca"
    rule: Rule | Annotated[tuple[Rule, ...], Field(min_length=1)] | Literal["any"]
    width: int = Field(ge=1, le=65_536)

    def program(self) -> CellularProgram:
        return self._program("line", (1, self.width), (1, 1))

    def numbered(self, rule: int | str) -> int | None:
        return rule if isinstance(rule, int) else None

    def numbers(self) -> tuple[int, ...]:
        if self.rule == "any":
            return tuple(range(256))
        return self.rule if isinstance(self.rule, tuple) else (self.rule,)
