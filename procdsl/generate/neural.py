"""Rows of neural cellular automata.

Fixed slots: a word for each state's share of the start, for each weight, and for each cell, in this order.
Networks of a pool have streams of their own, as rows do; where a row's network is one, its stream has no
words for weights.
"""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

from procdsl import streams
from procdsl.deflate import gzipped
from procdsl.generate.address import Address, Row
from procdsl.programs.neural import NeuralProgram, Pool
from procdsl.splits import empty_pool
from procdsl.streams import ATTEMPTS, Stream
from procdsl.tables import pooled_shares, pooled_weights

Cells = list[list[int]]


class Network(NamedTuple):
    """Weights: around[c][state][3 (dy + 1) + dx + 1], hidden[h][c], out[state][h]."""

    around: list[list[list[int]]]
    hidden: list[list[int]]
    out: list[list[int]]


def row(program: NeuralProgram, address: Address) -> Row:
    """Frames until `steps` changes have been written; all is drawn until it is alive and of the part."""
    pooled = _pooled(program, program.pool, address) if program.pool else None
    for attempt in range(ATTEMPTS):
        network, cells = _drawn(program, address.stream(0, attempt), pooled)
        for _ in range(program.burn_in):
            cells = changed(program, network, cells)
        after = changed(program, network, cells)
        alive = sum(
            a != b for one, other in zip(cells, after, strict=True) for a, b in zip(one, other, strict=True)
        )
        if alive >= program.activity and address.holds(program.split, _patches(program, cells)):
            break
    else:
        raise address.nothing()
    begin = [program.symbols] if program.pool else []
    end = program.symbols + len(begin)
    ids = [*begin, *_patches(program, cells), end]
    for _ in range(program.steps):
        for _ in range(program.ahead):
            cells = changed(program, network, cells)
        ids += [*begin, *_patches(program, cells), end]
    blank = address.context + 1 - program.row
    first = program.unscored
    scored = [0] * first + [1] * (program.row - first) + [0] * blank
    return [*ids[: program.row], *[end + 1] * blank], scored


def _pooled(program: NeuralProgram, pool: Pool, address: Address) -> Network:
    """The network of a row: the first of its number whose frames are as compressible as is asked for."""
    key = streams.key(address.seed, address.name, address.split, "rules")
    rule = address.index % pool.rules
    for attempt in range(ATTEMPTS):
        network, cells = _drawn(program, Stream(key, rule, attempt << 16))
        for _ in range(program.burn_in):
            cells = changed(program, network, cells)
        shown = b""
        for _ in range(pool.frames):
            shown += b"".join(id.to_bytes(4, "little") for id in _patches(program, cells))
            cells = changed(program, network, cells)
        if pool.least <= gzipped(shown) <= pool.most:
            return network
    raise empty_pool(address.name, rule)


def _drawn(program: NeuralProgram, stream: Stream, pooled: Network | None = None) -> tuple[Network, Cells]:
    """A network, unless there is one, and a start."""
    edges = list(accumulate(_share(program, word) for word in stream.words(program.states)))
    network = pooled or _network(program, stream)
    words = stream.words(program.height * program.width)
    drawn = [stream.below(edges[-1], word) for word in words]
    cells = [next(state for state, edge in enumerate(edges) if number < edge) for number in drawn]
    return network, [cells[at : at + program.width] for at in range(0, len(cells), program.width)]


def _network(program: NeuralProgram, stream: Stream) -> Network:
    states, channels, hidden, wrapped = program.states, program.channels, program.hidden, bool(program.pool)
    around = [[[0] * 9 for _ in range(states)] for _ in range(channels)]
    for channel in around:
        for place in range(states + 2 * wrapped):
            seen = channel[(place - wrapped) % states]
            seen[:] = [old + _weight(program, word) for old, word in zip(seen, stream.words(9), strict=True)]
    return Network(
        around,
        [[_weight(program, word) for word in stream.words(channels)] for _ in range(hidden)],
        [[_weight(program, word) for word in stream.words(hidden)] for _ in range(states)],
    )


def _share(program: NeuralProgram, word: int) -> int:
    """How often a state is drawn for a start, to the others."""
    return pooled_shares()[word >> 20] if program.pool else ((word >> 16) ** 2 >> 16) + 1


def _weight(program: NeuralProgram, word: int) -> int:
    """One of a pool's weights, or four bytes' sum, less its mean: nearly normal, of deviation 148."""
    if program.pool:
        return pooled_weights()[word >> 20]
    return (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24) - 510


def changed(program: NeuralProgram, network: Network, cells: Cells) -> Cells:
    """The next frame."""
    return [[_next(network, cells, y, x) for x in range(program.width)] for y in range(program.height)]


def _next(network: Network, cells: Cells, y: int, x: int) -> int:
    height, width = len(cells), len(cells[0])
    around = [cells[(y + dy) % height][(x + dx) % width] for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    sums = [sum(channel[state][at] for at, state in enumerate(around)) for channel in network.around]
    hidden = [max(0, sum(w * s for w, s in zip(one, sums, strict=True))) for one in network.hidden]
    scores = [sum(w * h for w, h in zip(one, hidden, strict=True)) for one in network.out]
    return scores.index(max(scores))


def _patches(program: NeuralProgram, cells: Cells) -> list[int]:
    high, wide = program.patch
    ids = list[int]()
    for top in range(0, program.height, high):
        for left in range(0, program.width, wide):
            id = 0
            for line in cells[top : top + high]:
                for cell in line[left : left + wide]:
                    id = program.states * id + cell
            ids.append(id)
    return ids
