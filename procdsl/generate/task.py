"""Rows of tasks: the prompt is drawn until it belongs to the part, the answer follows from it."""

from __future__ import annotations

from itertools import accumulate

from procdsl.generate.address import Address, Row
from procdsl.grammars.task import run
from procdsl.programs import Draw, TaskProgram
from procdsl.streams import ATTEMPTS, Stream


def row(program: TaskProgram, address: Address) -> Row:
    """The format written out, then padding."""
    values = run(program.code, _prompt(program, address))
    ids, scored = list[int](), list[int]()
    for piece in program.pieces:
        part = values[piece.word] if piece.word is not None else [piece.token or 0]
        ids += part
        scored += [int(piece.scored)] * len(part)
    blank = address.context + 1 - len(ids)
    return [*ids, *[program.pad] * blank], [0, *scored[1:], *[0] * blank]


def _prompt(program: TaskProgram, address: Address) -> list[list[int]]:
    for attempt in range(ATTEMPTS):
        words = [drawn(one, address.stream(slot, attempt)) for slot, one in enumerate(program.draws)]
        if address.holds(program.split, (id for word in words for id in (*word, program.pad))):
            return words
    raise address.nothing()


def drawn(draw: Draw, stream: Stream) -> list[int]:
    """A random input: its length by the law, then its symbols."""
    length = draw.lengths.values[0]
    if len(draw.lengths.values) > 1:
        place = stream.below(sum(draw.lengths.shares))
        edges = accumulate(draw.lengths.shares)
        length = next(n for n, edge in zip(draw.lengths.values, edges, strict=True) if place < edge)
    if draw.kind == "uniform":
        return [draw.first + stream.below(draw.count, word) for word in stream.words(length)]
    pool = list(range(draw.first, draw.first + draw.count))
    for place, word in enumerate(stream.words(length)):
        other = place + stream.below(draw.count - place, word)
        pool[place], pool[other] = pool[other], pool[place]
    return pool[:length]
