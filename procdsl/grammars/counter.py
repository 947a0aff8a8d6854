"""Counter languages: aⁿbⁿ, aⁿbⁿcⁿ and so on."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Literal

from pydantic import Field

from procdsl.grammars._echoes import Echo
from procdsl.programs.base import Split
from procdsl.programs.echo import EchoPart


class Counter(Echo):
    """As many of each of the first `letters` letters, one after another: one word of each length.

    Only lengths are drawn, so whole rows are held out, not words.

    ```toml
    kind    = "counter"
    letters = 3
    length  = { uniform = [3, 60] }
    ```
    """

    kind: Literal["counter"] = "counter"
    letters: int = Field(default=2, ge=1, le=26)

    def split(self) -> Split:
        return super().split().model_copy(update={"by": "layout"})

    def holds_out(self) -> frozenset[str]:
        return frozenset({"length"})

    def drawn(self) -> int:
        return 1

    def parts(self) -> tuple[EchoPart, ...]:
        return tuple(EchoPart(shift=shift) for shift in range(self.letters))

    def marked(self) -> bool:
        return False

    def alphabet(self) -> tuple[str, ...]:
        return tuple(ascii_lowercase[: self.letters])
