"""Words of Markov chains that are drawn with them."""

from __future__ import annotations

from procdsl.grammars._urns import urns
from procdsl.programs.markov import MarkovProgram
from procdsl.streams import Stream


def word(program: MarkovProgram, stream: Stream, length: int) -> list[int]:
    """A word of exactly `length` symbols."""
    return urns(program, stream, length)[0]
