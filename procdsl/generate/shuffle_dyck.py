"""Words of k-shuffle-Dyck: the published walk; uniform under a bound of depth; uniform without one.

All three read fixed slots, and what comes after them where a word is rejected or a tie is broken.
"""

from __future__ import annotations

from functools import lru_cache

from procdsl.generate.shuffled import permute
from procdsl.programs.shuffle_dyck import ShuffleDyckProgram
from procdsl.streams import Stream
from procdsl.tables import (
    Depths,
    deep_depths,
    deep_walk_thresholds,
    depths,
    move_thresholds,
    split_row,
)


def word(program: ShuffleDyckProgram, stream: Stream, length: int) -> list[int]:
    """A word of exactly `length` symbols."""
    if program.measure == "process":
        return _walk(program, stream, length)
    if program.beyond is not None or (program.depth is not None and program.depth < length // 2):
        return _bounded(program, stream, length)
    return _free(program, stream, length)


def _walk(program: ShuffleDyckProgram, stream: Stream, length: int) -> list[int]:
    """Slots: word t decides whether position t opens, word length + t which type it is of."""
    slots, heights, open_types, word, height = stream.words(2 * length), [0] * program.k, list[int](), [], 0
    yet = None if program.beyond is None else _deep(program.lengths.values[-1], program)
    for t in range(length):
        if program.beyond is not None and height > program.beyond:
            yet = None
        if yet:
            closes = height > 0 and stream.under(yet[length - t][height], slots[t])
        else:
            must_close = height == program.depth or (program.closed and length - t == height)
            closes = height > 0 and (must_close or not stream.under(program.p_open, slots[t]))
        if not closes:
            kind = stream.below(program.k, slots[length + t])
            if not heights[kind]:
                open_types.append(kind)
            heights[kind] += 1
            height += 1
            word.append(kind)
        else:
            place = stream.below(len(open_types), slots[length + t])
            kind = open_types[place]
            heights[kind] -= 1
            height -= 1
            if not heights[kind]:
                last = open_types.pop()
                if last != kind:
                    open_types[place] = last
            word.append(program.k + kind)
    return word


def _bounded(program: ShuffleDyckProgram, stream: Stream, length: int) -> list[int]:
    """Slots: words 2 t and 2 t + 1 choose the move at position t, word 2 length + t which type makes it."""
    longest = program.lengths.values[-1]
    depth = min(program.depth or longest, longest // 2)
    moves, table = _moves(program.k, depth, program.beyond, longest)
    slots, state, word = stream.words(3 * length), moves.start, list[int]()
    # Types in order of height; those of height v begin at first[v].
    types, first = list(range(program.k)), [0] + [program.k] * (depth + 1)
    for t in range(length):
        drawn = (slots[2 * t] << 32 | slots[2 * t + 1]) >> 2
        move = _chosen(moves, table[length - t], state, drawn)
        height = moves.heights[move]
        place = first[height] + stream.below(moves.ways[move], slots[2 * length + t])
        if moves.rises[move]:
            first[height + 1] -= 1
            other = first[height + 1]
        else:
            other = first[height]
            first[height] += 1
        types[place], types[other] = types[other], types[place]
        word.append(types[other] if moves.rises[move] else program.k + types[other])
        state = moves.targets[move]
    return word


def _chosen(moves: Depths, row: list[int], state: int, drawn: int) -> int:
    last = moves.offsets[state + 1] - 1
    return next((m for m in range(moves.offsets[state], last) if drawn < row[m]), last)


def _free(program: ShuffleDyckProgram, stream: Stream, length: int) -> list[int]:
    """How many pairs each type has, then in what order the types come, then a ballot walk for each type.

    Slots: two words for each halving of the types, length - 1 for the order, one for each position.
    """
    k = program.k
    sizes = _sizes(k, length // 2, stream)
    types = [kind for kind, size in enumerate(sizes) for _ in range(2 * size)]
    permute(types, stream)
    slots, heights, left, word = stream.words(length), [0] * k, [2 * size for size in sizes], list[int]()
    for t, kind in enumerate(types):
        height, after = heights[kind], left[kind]
        closes = stream.chance(height * (after + height + 2), 2 * after * (height + 1), slots[t])
        heights[kind] += -1 if closes else 1
        left[kind] -= 1
        word.append(kind + k if closes else kind)
    return word


def _sizes(k: int, pairs: int, stream: Stream) -> list[int]:
    """The numbers of pairs of all types, by halving the types again and again, the first half first."""
    if k == 1:
        return [pairs]
    words = stream.words(2)
    drawn = (words[0] << 32 | words[1]) >> 2
    row = _split(k, pairs)
    ours = next((i for i in range(pairs) if drawn < row[i]), pairs)
    return [*_sizes(k // 2, ours, stream), *_sizes(k - k // 2, pairs - ours, stream)]


@lru_cache(maxsize=4096)
def _split(k: int, pairs: int) -> list[int]:
    row, room = [0] * (pairs + 1), [0.0] * (pairs + 1)
    one = [_scaled(k // 2, i) for i in range(pairs + 1)]
    other = [_scaled(k - k // 2, i) for i in range(pairs + 1)]
    split_row(one, other, (k // 2) / k, pairs, room, row)
    return row


@lru_cache(maxsize=65_536)
def _scaled(k: int, pairs: int) -> float:
    """The words of so many pairs over k types, scaled as `split_row` wants them."""
    if k == 1:
        return 1.0 / (pairs + 1)
    one = [_scaled(k // 2, i) for i in range(pairs + 1)]
    other = [_scaled(k - k // 2, i) for i in range(pairs + 1)]
    return split_row(one, other, (k // 2) / k, pairs, [0.0] * (pairs + 1), [0] * (pairs + 1))


@lru_cache(maxsize=4)
def _moves(k: int, depth: int, beyond: int | None, length: int) -> tuple[Depths, list[list[int]]]:
    moves = depths(k, depth) if beyond is None else deep_depths(k, depth, beyond)
    states = len(moves.offsets) - 1
    table = [[0] * len(moves.targets) for _ in range(length + 1)]
    room = ([0.0] * states, [0.0] * states)
    move_thresholds(length, moves.offsets, moves.targets, moves.ways, *room, table)
    return moves, table


@lru_cache(maxsize=4)
def _deep(length: int, program: ShuffleDyckProgram) -> list[list[int]]:
    """The total depth walks as that of Dyck words does."""
    assert program.beyond is not None
    return deep_walk_thresholds(length, program.beyond, program.p_open / 2**64, closed=program.closed)
