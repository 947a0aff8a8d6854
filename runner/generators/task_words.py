"""Words of other programs as inputs of tasks: drawn for all rows of a batch, attempt by attempt.

So the kernel of tasks takes words of whatever kind, and each kind's sampler is compiled by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from procdsl.programs.base import Program, WordProgram
from procdsl.programs.task import Draw, TaskProgram
from procdsl.streams import ATTEMPTS, WORD_SLOT
from runner import generators
from runner.generators.address import Address
from runner.generators.compiling import kernel
from runner.generators.philox import begin, below, new_streams, stream
from runner.generators.rows import Prepared, words


class Held(NamedTuple):
    """Of input s, row b: word `symbols[of[s], b]`, in the task's ids, the first `sizes[of[s], b]` of it."""

    of: Any
    symbols: Any
    sizes: Any


@dataclass(frozen=True)
class Words:
    """The inputs of a task that are words: by slot what draws them, and where their words are held."""

    drawn: tuple[tuple[int, Draw, Prepared], ...]
    held: Held

    def draw(self, address: Address, attempt: int, left: Any) -> None:
        """Words for this attempt at the rows (B,) that are left."""
        for which, (slot, one, made) in enumerate(self.drawn):
            law = np.array(one.lengths.values, np.int64), np.cumsum(np.array(one.lengths.shares, np.int64))
            place = (address.key, address.start, attempt << 16 | slot)
            ids = np.array(one.ids, np.int32)
            room = new_streams(made.slots, 1), np.empty(made.scratch, np.int64), np.zeros((2, 1), np.int64)
            out, sizes = self.held.symbols[which], self.held.sizes[which]
            _words(made.tables, room, law, place, left, ids, out, sizes)


def words_of(program: TaskProgram, rows: int) -> Words:
    """The inputs that are words, with room for so many rows of them."""
    inputs = [(slot, one) for slot, one in enumerate(program.draws) if one.words is not None]
    drawn = tuple((slot, one, _prepared(one.words)) for slot, one in inputs)
    of = np.full(len(program.draws), -1, np.int64)
    of[[slot for slot, _ in inputs]] = np.arange(len(inputs))
    longest = max((one.lengths.values[-1] for _, one in inputs), default=0)
    symbols = np.zeros((len(inputs), rows, longest), np.int32)
    return Words(drawn, Held(of, symbols, np.zeros((len(inputs), rows), np.int64)))


@lru_cache(maxsize=64)
def _prepared(program: Program | None) -> Prepared:
    assert isinstance(program, WordProgram)
    made: Prepared = generators.kernels(program).prepare(program)
    return made


def rounds(words: Words) -> Iterator[tuple[int, int]]:
    """The attempts, in rounds: all in one where no words have to be drawn before each."""
    if not words.drawn:
        yield 0, ATTEMPTS
    for attempt in range(ATTEMPTS if words.drawn else 0):
        yield attempt, attempt + 1


@kernel
def _words(tables, room, law, place, left, ids, out, sizes):
    """A word of each row that is left: its length by the stream of its input, its symbols by their own."""
    key, start, lane = place
    (values, edges), (streams, scratch, spans) = law, room
    draws = stream(streams, 0)
    for b in range(left.size):
        if not left[b]:
            continue
        chosen = 0
        if values.size > 1:
            begin(draws, key, start + b, lane)
            drawn = below(draws, edges[-1])
            while drawn >= edges[chosen]:
                chosen += 1
        row, size = out[b], values[chosen]
        begin(draws, key, start + b, lane + WORD_SLOT)
        spans[0, 0], spans[1, 0] = b * out.shape[1], size
        words(tables, streams, scratch, out.reshape(-1), spans[0], spans[1])
        for t in range(size):
            row[t] = ids[row[t]]
        sizes[b] = size
