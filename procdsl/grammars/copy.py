"""Copies: ww, the language of cross-serial dependencies."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.grammars._echoes import Echo
from procdsl.programs.echo import EchoPart


class Copy(Echo):
    """A string of `symbols` different symbols, written `times` over; with `mark`, `#` stands between.

    ```toml
    kind    = "copy"
    symbols = 8
    length  = { uniform = [12, 40] }
    ```
    """

    kind: Literal["copy"] = "copy"
    symbols: int = Field(ge=1, le=2**20)
    times: int = Field(default=2, ge=2, le=1024)
    mark: bool = False

    def drawn(self) -> int:
        return self.symbols

    def parts(self) -> tuple[EchoPart, ...]:
        return (EchoPart(),) * self.times

    def marked(self) -> bool:
        return self.mark

    def alphabet(self) -> tuple[str, ...]:
        return (*(f"s{i}" for i in range(self.symbols)), *(("#",) if self.mark else ()))
