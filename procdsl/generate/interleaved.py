"""Words of several programs between each other: how long each part's is, whose turn it is, the parts' words.

Fixed slots: words 2 i and 2 i + 1 say how much of the length part i takes of what those before it left; as
many words as there are symbols say whose turn it is, each by how many every part has still to write. Behind
them come the parts' words, one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from procdsl.generate import tree
from procdsl.interleaving import HALVES, divided, joined, mixed
from procdsl.programs.interleaved import InterleavedProgram
from procdsl.streams import Stream
from procdsl.trees import flattened, tilt

Weights = tuple[list[float], list[int]]


class Tables(NamedTuple):
    """All parts' trees; the weights of each part's lengths, and of all parts' from each one on."""

    trees: tree.Tables
    starts: list[int]
    own: list[Weights]
    onward: list[Weights]


def word(program: InterleavedProgram, stream: Stream, length: int) -> list[int]:
    """A word of exactly `length` symbols."""
    tables, last = _tables(program), len(program.parts) - 1
    slots = stream.words(2 * last + length)
    sizes, left = list[int](), length
    for part in range(last):
        drawn = (slots[2 * part] << 32 | slots[2 * part + 1]) >> 2
        row, _ = _row(tables, part, left)
        sizes.append(next(k for k in range(left + 1) if drawn < row[k]))
        left -= sizes[-1]
    sizes.append(left)
    turns = _turns(sizes, slots[2 * last :], stream)
    words = [
        iter(tree.drawn(tables.trees, start, stream, size) if size else ())
        for start, size in zip(tables.starts, sizes, strict=True)
    ]
    return [next(words[part]) for part in turns]


def _turns(sizes: Sequence[int], slots: Sequence[int], stream: Stream) -> list[int]:
    """Whose turn it is, symbol by symbol: every order alike."""
    to_write, turns = list(sizes), list[int]()
    for t, slot in enumerate(slots):
        place, part = stream.below(len(slots) - t, slot), 0
        while place >= to_write[part]:
            place -= to_write[part]
            part += 1
        to_write[part] -= 1
        turns.append(part)
    return turns


def _row(tables: Tables, part: int, length: int) -> tuple[list[int], tuple[float, int]]:
    """Thresholds for how much of a length a part takes of itself and all that follow; what these weigh."""
    row = [0] * (length + 1)
    return row, mixed(*tables.own[part], *tables.onward[part + 1], length, HALVES, row)


@lru_cache(maxsize=8)
def _tables(program: InterleavedProgram) -> Tables:
    made, longest = joined(program.parts), program.lengths.values[-1]
    trees = tree.tables(made.shapes, flattened(made.shapes), made.tilts, longest)
    own = [
        divided(trees.alpha[start], tilt(part))
        for start, part in zip(made.starts, program.parts, strict=True)
    ]
    tables = Tables(trees, made.starts, own, list(own))
    for part in range(len(own) - 2, 0, -1):
        found = [_row(tables, part, length)[1] for length in range(longest + 1)]
        tables.onward[part] = [value for value, _ in found], [power for _, power in found]
    return tables
