"""Independent symbols. Fixed slots: word t gives the symbol at position t."""

from __future__ import annotations

from bisect import bisect_right

from procdsl.programs.iid import IidProgram
from procdsl.streams import Stream


def word(program: IidProgram, stream: Stream, length: int) -> list[int]:
    """`length` symbols, alike or by the thresholds."""
    if program.thresholds:
        return [bisect_right(program.thresholds, word) for word in stream.words(length)]
    return [stream.below(program.count, first) for first in stream.words(length)]
