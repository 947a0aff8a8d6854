"""Words that repeat themselves. Fixed slots: word i gives symbol i of the first part."""

from __future__ import annotations

from procdsl.programs.echo import EchoProgram
from procdsl.streams import Stream


def word(program: EchoProgram, stream: Stream, length: int) -> list[int]:
    """A word of exactly `length` symbols."""
    parts = len(program.parts)
    size = (length - program.mark * (parts - 1)) // parts
    drawn = [stream.below(program.count, first) for first in stream.words(size)]
    word = list[int]()
    for place, part in enumerate(program.parts):
        if program.mark and place:
            word.append(program.symbols - 1)
        word += [part.shift + symbol for symbol in (reversed(drawn) if part.backward else drawn)]
    return word
