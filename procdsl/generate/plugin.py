"""Words that a plug-in draws."""

from __future__ import annotations

from procdsl.plugins import drawn
from procdsl.programs.plugin import PluginProgram
from procdsl.streams import Stream


def word(program: PluginProgram, stream: Stream, length: int) -> list[int]:
    """A word of exactly `length` symbols."""
    return drawn(program, stream, length)
