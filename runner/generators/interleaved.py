"""The words of `procdsl.generate.interleaved`: the parts' one after another, then parted and put in turn."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64

from procdsl import interleaving
from procdsl.programs.interleaved import InterleavedProgram
from procdsl.trees import flattened, tilt
from runner.generators.compiling import kernel
from runner.generators.philox import NEXT, S32, below_from, slots
from runner.generators.rows import Prepared, sampler
from runner.generators.tree import prepare_shapes, too_unlikely, write_tree

_mixed = kernel(interleaving.mixed)
TWO = np.uint64(2)


class InterleavedTables(NamedTuple):
    """All parts' trees and where each begins; rows[places[i, n]] says how much of n part i takes."""

    trees: Any
    starts: Any
    rows: Any
    places: Any


def prepare(program: InterleavedProgram) -> Prepared:
    """The parts' tables, and a row for every length that is shared out."""
    longest, last = program.lengths.values[-1], len(program.parts) - 1
    made = interleaving.joined(program.parts)
    trees = prepare_shapes(made.shapes, flattened(made.shapes), made.tilts, longest)
    own = [
        interleaving.divided(trees.tables.alpha[start].tolist(), tilt(part))
        for start, part in zip(made.starts, program.parts, strict=True)
    ]
    rows, places = _rows(own, program.lengths.values, longest)
    tables = InterleavedTables(trees.tables, np.array(made.starts, np.int64), rows, places)
    return Prepared(
        tables,
        slots=max(trees.slots, 2 * last + longest),
        scratch=trees.scratch + 2 * longest + 2 * (last + 1),
    )


def _rows(own: list[Any], lengths: tuple[int, ...], longest: int) -> tuple[Any, Any]:
    """Part 0 shares out only words' lengths. RunError for one whose words are too unlikely."""
    last = len(own) - 1
    rows = np.zeros((len(lengths) + (last - 1) * (longest + 1), longest + 1), np.int64)
    places, halves = np.zeros((last, longest + 1), np.int64), np.array(interleaving.HALVES)
    behind, used = _arrays(own[last]), 0
    for part in range(last - 1, -1, -1):
        found = list[tuple[float, int]]()
        for length in range(longest + 1) if part else lengths:
            places[part, length] = used
            found.append(_mixed(*_arrays(own[part]), *behind, length, halves, rows[used]))
            used += 1
        if part:
            behind = _arrays(tuple(zip(*found, strict=True)))
        elif lost := [n for n, (weight, _) in zip(lengths, found, strict=True) if not weight]:
            raise too_unlikely(lost[0])
    return rows, places


def _arrays(weights: Any) -> tuple[Any, Any]:
    return np.array(weights[0], np.float64), np.array(weights[1], np.int64)


@sampler(InterleavedTables)
@kernel
def _word(tables, draws, scratch, out):
    starts, rows, places, length = tables.starts, tables.rows, tables.places, out.size
    parts, longest = starts.size, rows.shape[1] - 1
    turns, written = scratch[:longest], scratch[longest : 2 * longest]
    sizes, first = scratch[2 * longest : 2 * longest + parts], 2 * longest + 2 * parts
    begins, room = scratch[2 * longest + parts : first], scratch[first:]
    slots(draws, 2 * (parts - 1) + length)
    words, left = draws.buffer, length
    for part in range(parts - 1):
        drawn = int64((uint64(words[2 * part]) << S32 | uint64(words[2 * part + 1])) >> TWO)
        sizes[part] = np.searchsorted(rows[places[part, left], : left + 1], drawn, side="right")
        left -= sizes[part]
    sizes[parts - 1] = left
    begins[0] = 0
    for part in range(1, parts):
        begins[part] = begins[part - 1] + sizes[part - 1]
    for t in range(length):
        place, part = below_from(draws, length - t, words[2 * (parts - 1) + t]), 0
        while place >= sizes[part]:
            place -= sizes[part]
            part += 1
        sizes[part] -= 1
        turns[t] = part
    read = draws.at[NEXT]
    for part in range(parts):
        end = begins[part + 1] if part + 1 < parts else length
        if end > begins[part]:
            read = write_tree(tables.trees, starts[part], read, draws, room, out[begins[part] : end])
    for t in range(length):
        written[t] = out[t]
    for t in range(length):
        out[t] = written[begins[turns[t]]]
        begins[turns[t]] += 1
