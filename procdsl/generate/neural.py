"""Rows of neural cellular automata.

Fixed slots: a word for each state's share of the start, for each weight, and for each cell, in this order.
"""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

from procdsl.generate.address import Address, Row
from procdsl.programs import NeuralProgram
from procdsl.streams import ATTEMPTS, Stream

Cells = list[list[int]]


class Network(NamedTuple):
    """Weights: around[c][state][3 (dy + 1) + dx + 1], hidden[h][c], out[state][h]."""

    around: list[list[list[int]]]
    hidden: list[list[int]]
    out: list[list[int]]


def row(program: NeuralProgram, address: Address) -> Row:
    """Frames until `steps` changes have been written; all is drawn until it is alive and of the part."""
    for attempt in range(ATTEMPTS):
        network, cells = _drawn(program, address.stream(0, attempt))
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
    ids = [*_patches(program, cells), program.symbols]
    for _ in range(program.steps):
        cells = changed(program, network, cells)
        ids += [*_patches(program, cells), program.symbols]
    blank = address.context + 1 - len(ids)
    first = 1 if program.scores_first else program.frame
    scored = [0] * first + [1] * (len(ids) - first) + [0] * blank
    return [*ids, *[program.symbols + 1] * blank], scored


def _drawn(program: NeuralProgram, stream: Stream) -> tuple[Network, Cells]:
    states, channels, hidden = program.states, program.channels, program.hidden
    edges = list(accumulate(((word >> 16) ** 2 >> 16) + 1 for word in stream.words(states)))
    network = Network(
        [[[_weight(word) for word in stream.words(9)] for _ in range(states)] for _ in range(channels)],
        [[_weight(word) for word in stream.words(channels)] for _ in range(hidden)],
        [[_weight(word) for word in stream.words(hidden)] for _ in range(states)],
    )
    words = stream.words(program.height * program.width)
    drawn = [stream.below(edges[-1], word) for word in words]
    cells = [next(state for state, edge in enumerate(edges) if number < edge) for number in drawn]
    return network, [cells[at : at + program.width] for at in range(0, len(cells), program.width)]


def _weight(word: int) -> int:
    """The sum of four bytes, less its mean: nearly normal, of standard deviation 148."""
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
