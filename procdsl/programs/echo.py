"""Words that repeat themselves."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.kinds import Node
from procdsl.programs.base import WordProgram


class EchoPart(Node):
    """A part of an echo: the first part's symbols, perhaps from the last to the first, each id `shift` up."""

    backward: bool = False
    shift: int = Field(default=0, ge=0)


class EchoProgram(WordProgram):
    """Words in parts of one length: symbols of `count`, all alike, and what `parts` make of them.

    With a `mark`, its id, the last, stands between any two parts.
    """

    kind: Literal["echo"] = "echo"
    count: int = Field(ge=1, le=2**20)
    parts: tuple[EchoPart, ...] = Field(min_length=1)
    mark: bool = False

    @property
    def symbols(self) -> int:
        return max(part.shift for part in self.parts) + self.count + self.mark
