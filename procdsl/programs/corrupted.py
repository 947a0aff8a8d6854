"""The rows of another program, with errors."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.programs.base import AnyProgram, Program


class CorruptedProgram(Program):
    """The rows of another program, sent through a channel that errs symbol by symbol.

    Of 2**32 times a symbol (an id below `alphabet`) is left out `delete`, replaced by another one, all alike,
    `substitute`, and it changes places with the next one, if that is a symbol too, `swap` times; both then
    pass. What is left out moves the rest of the row up, and `pad` fills its end. Scoring moves with symbols.
    """

    kind: Literal["corrupted"] = "corrupted"
    of: AnyProgram
    alphabet: int = Field(ge=1)
    pad: int = Field(ge=0)
    substitute: int = Field(default=0, ge=0, le=2**32)
    swap: int = Field(default=0, ge=0, le=2**32)
    delete: int = Field(default=0, ge=0, le=2**32)
