"""Rows of tasks: the prompt is drawn until it belongs to the part, the answer follows from it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

from procdsl import generate
from procdsl.generate.address import Address, Row
from procdsl.grammars._lengths import drawn_length
from procdsl.grammars._running import run
from procdsl.programs.base import WordProgram
from procdsl.programs.task import Draw, Piece, TaskProgram
from procdsl.streams import ATTEMPTS, WORD_SLOT, Stream


def row(program: TaskProgram, address: Address) -> Row:
    """The format written out, then padding."""
    values = _prompt(program, address)
    longest = program.longest if program.scores_pad else 0
    return written(program.pieces, values, program.pad, address.context, longest)


def written(pieces: Iterable[Piece], values: list[Any], pad: int, context: int, longest: int = 0) -> Row:
    """The pieces, then padding, the first of which is scored in rows shorter than `longest`."""
    ids, scored = list[int](), list[int]()
    for piece in pieces:
        part = values[piece.word] if piece.word is not None else [piece.token or 0]
        ids += [id + piece.shift for id in part]
        scored += [int(piece.scored and place >= piece.skip) for place in range(len(part))]
    blank, ends = context + 1 - len(ids), [1] if len(ids) < longest else []
    return [*ids, *[pad] * blank], [0, *scored[1:], *ends, *[0] * (blank - len(ends))]


def _prompt(program: TaskProgram, address: Address) -> list[Any]:
    """The registers, all filled."""
    for attempt in range(ATTEMPTS):
        values: list[Any] = [None] * (len(program.draws) + len(program.code))
        done = 0
        for slot, one in enumerate(program.draws):
            run(program.code, values, done, one.after)
            if one.words is None:
                values[slot] = drawn(one, address.stream(slot, attempt), values[one.of])
            else:
                values[slot] = _word(one, address, slot, attempt)
            done = one.after
        if program.where is not None:
            judged = program.where - len(program.draws) + 1
            run(program.code, values, done, judged)
            done = judged
            if values[program.where] == [0]:
                continue
        run(program.code, values, done)
        words = (values[register] for register in program.prompt)
        if address.holds(program.split, (id for word in words for id in (*word, program.pad))):
            return values
    raise address.nothing()


def _word(draw: Draw, address: Address, slot: int, attempt: int) -> list[int]:
    """A word of another program: its length by the input's stream, its symbols by one of their own."""
    assert isinstance(draw.words, WordProgram)
    length = drawn_length(draw.lengths, address.stream(slot, attempt))
    stream = address.stream(WORD_SLOT + slot, attempt)
    word: list[int] = generate.interpreter(draw.words).word(draw.words, stream, length)
    return [draw.ids[symbol] for symbol in word]


def drawn(draw: Draw, stream: Stream, of: Any) -> list[int]:
    """A random input: its length by the law, then its symbols."""
    if draw.kind == "choice":
        return [_chosen(draw, stream, of)]
    if draw.kind == "part":
        return _part(draw, stream, of)
    if draw.kind == "shuffle":
        return _in_any_order(of, stream)
    length = drawn_length(draw.lengths, stream)
    match draw.kind:
        case "among":
            return [of[stream.below(len(of))] for _ in range(length)]
        case "uniform":
            return [draw.first + stream.below(draw.count, word) for word in stream.words(length)]
        case "weighted":
            return [draw.first + bisect_right(draw.thresholds, word) for word in stream.words(length)]
        case "runs" | "bag":
            return _runs(draw, stream, length)
        case "number":
            lead = stream.below(10) if length == 1 else 1 + stream.below(9)
            return [lead, *(stream.below(10) for _ in range(length - 1))]
        case "mapping":
            keys = _different(draw, stream, stream.words(length))
            first, count = draw.values
            return [id for key in keys for id in (key, first + stream.below(count))]
    return _different(draw, stream, stream.words(length))


def _runs(draw: Draw, stream: Stream, length: int) -> list[int]:
    """Runs of symbols: first how many, then where each of the others begins, a symbol for each."""
    left, word = stream.below(length), [draw.first + stream.below(draw.count)]
    for place in range(1, length):
        begins = left > 0 and stream.below(length - place) < left
        left -= begins
        word.append(draw.first + stream.below(draw.count) if begins else word[-1])
    return _in_any_order(word, stream) if draw.kind == "bag" else word


def _in_any_order(word: list[int], stream: Stream) -> list[int]:
    """The symbols of a word, shuffled."""
    made = list(word)
    for place in range(len(word) - 1, 0, -1):
        other = stream.below(place + 1)
        made[place], made[other] = made[other], made[place]
    return made


def _part(draw: Draw, stream: Stream, of: list[int]) -> list[int]:
    """Some of the word in one piece, or as many symbols of the pool that are nowhere in it."""
    size = 1 + stream.below(max(len(of) // 2, 1))
    if draw.present == 2**32 or stream.next32() < draw.present:
        start = stream.below(len(of) - size + 1)
        return of[start : start + size]
    starts = range(len(of) - size + 1)
    while True:
        word = [draw.first + stream.below(draw.count) for _ in range(size)]
        if not any(of[start : start + size] == word for start in starts):
            return word


def _different(draw: Draw, stream: Stream, words: list[int]) -> list[int]:
    """Symbols that are all different, by the beginning of a Fisher and Yates shuffle."""
    pool = list(range(draw.first, draw.first + draw.count))
    for place, word in enumerate(words):
        other = place + stream.below(draw.count - place, word)
        pool[place], pool[other] = pool[other], pool[place]
    return pool[: len(words)]


def _chosen(draw: Draw, stream: Stream, of: list[int]) -> int:
    """A symbol of the word, or one of the pool that is not in it."""
    if draw.present == 2**32 or stream.next32() < draw.present:
        return of[stream.below(len(of))]
    while (other := draw.first + stream.below(draw.count)) in of:
        pass
    return other
