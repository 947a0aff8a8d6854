"""Rows of words, as `procdsl.generate.words` lays them out, whatever draws the words.

`word(tables, draws, scratch, out)` fills `out` with one word. Each kind of word program registers its own
by the type of its tables (`sampler`), so that one kernel serves all, compiled once for each kind.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from procdsl.programs.base import Lengths, Split, WordProgram, fillable
from procdsl.splits import empty_part
from procdsl.streams import ATTEMPTS, ROW_SLOT
from runner.generators.address import Address
from runner.generators.compiling import kernel
from runner.generators.philox import Draws, begin, below, new_streams, stream
from runner.generators.splits import content

# So many words are made side by side by samplers whose every symbol waits for what the last one looked up.
ABREAST = 8
_ABREAST = set[type]()


class Prepared(NamedTuple):
    """What a sampler of words needs: its tables, the slots it reads, the scratch (int64) it wants."""

    tables: Any
    slots: int
    scratch: int = 1


class Layout(NamedTuple):
    """How words become rows: lengths with their shares, which remainders can be filled, the specials.

    With `free` or more positions left every length is possible, and `edges`, the cumulated shares, say which.
    """

    values: Any
    shares: Any
    edges: Any
    free: int
    exact: Any
    filled: int
    single: bool
    by_row: bool
    by_layout: bool
    symbols: int


def word(tables: Any, draws: Any, scratch: Any, out: Any) -> None:
    """Fills `out` with the word of its size that the draws give."""
    raise NotImplementedError("only inside kernels")


def words(tables: Any, streams: Any, scratch: Any, ids: Any, begins: Any, lengths: Any) -> None:
    """Writes words of these lengths into `ids`, flat, where they begin: each by the stream of its place."""
    raise NotImplementedError("only inside kernels")


@overload(words, strict=False)
def _one_by_one(tables: Any, streams: Any, scratch: Any, ids: Any, begins: Any, lengths: Any) -> Any:
    def chosen(tables: Any, streams: Any, scratch: Any, ids: Any, begins: Any, lengths: Any) -> None:
        for r in range(lengths.size):
            draws = Draws(streams.buffer[0], streams.at[r])
            word(tables, draws, scratch, ids[begins[r] : begins[r] + lengths[r]])

    return None if _is(tables, *_ABREAST) else chosen


def sampler(tables_type: type) -> Callable[[Any], Any]:
    """Makes a kernel the `word` of all tables of this type."""

    def register(function: Any) -> Any:
        @overload(word, strict=False)
        def choose(tables: Any, draws: Any, scratch: Any, out: Any) -> Any:
            if _is(tables, tables_type):
                return lambda tables, draws, scratch, out: function(tables, draws, scratch, out)
            return None

        return function

    return register


def sampler_abreast(tables_type: type) -> Callable[[Any], Any]:
    """Makes a kernel the `words` of all tables of this type, which have no `word`."""
    _ABREAST.add(tables_type)

    def register(function: Any) -> Any:
        @overload(words, strict=False)
        def choose(tables: Any, streams: Any, scratch: Any, ids: Any, begins: Any, lengths: Any) -> Any:
            if _is(tables, tables_type):
                return lambda tables, streams, scratch, ids, begins, lengths: function(
                    tables, streams, scratch, ids, begins, lengths
                )
            return None

        return function

    return register


def _is(tables: Any, *tables_types: type) -> bool:
    return isinstance(tables, types.BaseNamedTuple) and tables.instance_class in tables_types


def fill_words(
    program: WordProgram, prepare: Callable[[Any], Prepared], address: Address, ids: Any, scored: Any
) -> None:
    """Rows from the address on. RunError where a part holds nothing that can be found."""
    prepared, laid_out = _prepared(program, prepare, ids.shape[1] - 1)
    streams, scratch = new_streams(prepared.slots, ABREAST), np.empty(prepared.scratch, np.int64)
    lengths, spans = np.empty(ids.shape[1], np.int64), np.empty((2, ABREAST), np.int64)
    place = (address.key, address.start, address.spelt, address.edges(program.split))
    failed = _fill(prepared.tables, laid_out, (streams, scratch, spans, lengths), place, ids, scored)
    if failed >= 0:
        raise empty_part(address.name, address.split, failed)


@lru_cache(maxsize=64)
def _prepared(
    program: WordProgram, prepare: Callable[[Any], Prepared], context: int
) -> tuple[Prepared, Layout]:
    return prepare(program), layout(program.lengths, program.split, program.symbols, context)


def layout(lengths: Lengths, split: Split, symbols: int, context: int) -> Layout:
    """How words of these lengths, over so many symbols, are laid out in rows."""
    exact = fillable(lengths, context)
    return Layout(
        np.array(lengths.values, np.int64),
        np.array(lengths.shares, np.int64),
        np.cumsum(np.array(lengths.shares, np.int64)),
        _free(lengths, exact),
        np.array([exact >> r & 1 for r in range(context + 1)], np.bool_),
        exact.bit_length() - 1,
        lengths.values == (context,),
        split.by in ("row", "layout"),
        split.by == "layout",
        symbols,
    )


def _free(lengths: Lengths, exact: int) -> int:
    """The least number of positions from which on, as far as rows can be filled, any length may follow."""
    free = exact.bit_length()
    while free > lengths.values[-1] + 1:
        left = free - 1
        if exact >> left & 1 and not all(
            exact >> (left - n - 1) & 1
            for n, share in zip(lengths.values, lengths.shares, strict=True)
            if share
        ):
            break
        free -= 1
    return free


@kernel
def _fill(tables, layout, room, place, ids, scored):
    """The index of the first row that cannot be had, or -1."""
    streams, scratch, spans, lengths = room
    context, draws, flat = ids.shape[1] - 1, stream(streams, 0), ids.reshape(-1)
    for b in range(ids.shape[0]):
        index = place[1] + b
        if layout.single and b % ABREAST == 0:
            # The first attempts of rows of one word each.
            rows = min(ABREAST, ids.shape[0] - b)
            for r in range(rows):
                begin(stream(streams, r), place[0], index + r, 0)
                spans[0, r], spans[1, r] = (b + r) * ids.shape[1] + 1, context
            words(tables, streams, scratch, flat, spans[0, :rows], spans[1, :rows])
        ids[b, 0], scored[b, 0], done = layout.symbols, 0, -1
        for attempt in range(ATTEMPTS if layout.by_layout else 1):
            count = plan(layout, draws, place[0], index, attempt, context, lengths)
            done = _write(tables, layout, room, place, index, attempt, count, ids, b)
            if done >= 0:
                break
        if done < 0:
            return index
        scored[b, 1:done] = 1
        scored[b, done:] = 0
        ids[b, done:] = layout.symbols + 2
    return -1


@kernel
def plan(layout, draws, key, index, attempt, context, lengths):
    """The lengths of a row's words; how many."""
    if layout.single:
        lengths[0] = context
        return 1
    begin(draws, key, index, attempt << 16 | ROW_SLOT)
    left, count = layout.filled, 0
    while left > 0:
        if left >= layout.free:
            drawn = below(draws, layout.edges[-1])
            j = np.searchsorted(layout.edges, drawn, side="right")
            lengths[count] = layout.values[j]
            left -= layout.values[j] + 1
            count += 1
            continue
        total = 0
        for j in range(layout.values.size):
            if layout.values[j] < left and layout.exact[left - layout.values[j] - 1]:
                total += layout.shares[j]
        drawn, j = below(draws, total), -1
        while drawn >= 0:
            j += 1
            if layout.values[j] < left and layout.exact[left - layout.values[j] - 1]:
                drawn -= layout.shares[j]
        lengths[count] = layout.values[j]
        left -= layout.values[j] + 1
        count += 1
    return count


@kernel
def _write(tables, layout, room, place, index, once, count, ids, b):
    """Words one after another, each or all of them drawn until they belong; the position behind, or -1.

    Where lengths are drawn again too, words are drawn `once`, by that attempt.
    """
    key, _, spelt, edges = place
    lengths, row = room[3], ids[b]
    at, judged = 1, count if layout.by_row else 1
    if once > 0 or not layout.single:
        _draw(tables, layout, room, (key, index, once), (0, count), ids, b, at)
    for first in range(0, count, judged):
        for attempt in range(once, once + 1 if layout.by_layout else ATTEMPTS):
            if attempt > once:
                _draw(tables, layout, room, (key, index, attempt), (first, judged), ids, b, at)
            behind = at
            for slot in range(first, first + judged):
                behind += lengths[slot] + (not layout.single)
            found = content(spelt, row[at : behind if layout.by_row else at + lengths[first]])
            part = lengths[first] if edges.shape[0] > 1 else 0
            if edges[part, 0] <= found <= edges[part, 1]:
                break
        else:
            return -1
        at = behind
    return at


@kernel
def _draw(tables, layout, room, address, slots, ids, b, at):
    """Some words of a row, from position `at` on, with their ends."""
    streams, scratch, spans, lengths = room
    key, index, attempt = address
    behind = slots[0] + slots[1]
    for first in range(slots[0], behind, ABREAST):
        count = min(ABREAST, behind - first)
        for r in range(count):
            begin(stream(streams, r), key, index, attempt << 16 | (first + r))
            spans[0, r], spans[1, r] = b * ids.shape[1] + at, lengths[first + r]
            at += lengths[first + r]
            if not layout.single:
                ids[b, at] = layout.symbols + 1
                at += 1
        words(tables, streams, scratch, ids.reshape(-1), spans[0, :count], spans[1, :count])
