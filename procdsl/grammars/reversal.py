"""Reversals: a string and the same from its end, which a stack can check."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.grammars._echoes import Echo
from procdsl.programs.echo import EchoPart


class Reversal(Echo):
    """A string of `symbols` different symbols, then the same backwards; with `mark`, `#` in the middle.

    ```toml
    kind    = "reversal"
    symbols = 8
    mark    = true
    length  = { uniform = [13, 41] }
    ```
    """

    kind: Literal["reversal"] = "reversal"
    symbols: int = Field(ge=1, le=2**20)
    mark: bool = False

    def drawn(self) -> int:
        return self.symbols

    def parts(self) -> tuple[EchoPart, ...]:
        return EchoPart(), EchoPart(backward=True)

    def marked(self) -> bool:
        return self.mark

    def alphabet(self) -> tuple[str, ...]:
        return (*(f"s{i}" for i in range(self.symbols)), *(("#",) if self.mark else ()))
