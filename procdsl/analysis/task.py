"""Tasks: an answer that follows from its prompt can be predicted without loss."""

from __future__ import annotations

import math
from itertools import pairwise

from procdsl import analysis
from procdsl.grammars._running import hidden
from procdsl.programs.base import Interval, WordProgram
from procdsl.programs.task import Draw, Instruction, Piece, TaskProgram


def floor(program: TaskProgram, context: int) -> Interval | None:
    """0 on the answer; where the prompt is scored too, its entropy over all that is scored.

    Exact where every row is as long as every other: a mean over tokens of rows that are not depends on how
    long rows and hard prompts go together. An answer that hangs on what the prompt does not show may yet
    follow from what it does: then the floor is between 0 and the entropy of what is hidden. None where that
    of a grammar that words are drawn from is not known.
    """
    asked, shown = _asked(program)
    if not asked:
        return Interval(low=0.0, high=0.0)
    found = [_nats(program, program.draws[slot]) for slot in asked]
    known = [nats for nats in found if nats is not None]
    if len(known) < len(found):
        return None
    if not shown:
        nats = math.fsum(nats.high for nats in known) / _least_scored(program)
        return Interval(low=0.0, high=min(nats, math.log(program.pad)))
    first = _first(program) if _draw(program, program.pieces[0]) in asked else Interval(low=0.0, high=0.0)
    least, most = max(program.shortest - 1, 1), max(program.longest - 1, 1)
    # What a condition shuts out is not told, so that it may leave nothing open.
    low = max(math.fsum(nats.low for nats in known) - first.high, 0.0) if program.where is None else 0.0
    return Interval(low=low / most, high=(math.fsum(nats.high for nats in known) - first.low) / least)


def chance(program: TaskProgram) -> float | None:
    """What a guess gets that has not understood the task; None where nobody knows.

    Of an answer looked up in a mapping, one of its values; else one of what the answer's symbols can be.
    """
    made, ids = _made(program), min(max(draw.count for draw in program.draws), program.symbols)
    if made is None:
        return 1 / ids
    if made.function == "lookup" and made.arguments[0] < len(program.draws):
        sizes = program.draws[made.arguments[0]].lengths
        shares = zip(sizes.values, sizes.shares, strict=True)
        return math.fsum(share / n for n, share in shares) / sum(sizes.shares)
    if made.function == "mod" and (by := _constant(program, made.arguments[1])):
        return 1 / by
    return _OF.get(made.function, 1 / ids)


# Answers that are numbers have a law of their own, but in digits each of these is guessed; those of yes and
# no are even at best.
_NUMBERS = ("sum", "count", "length", "find", "plus", "minus", "times", "compare")
_OF: dict[str, float | None] = dict.fromkeys((*_NUMBERS, "prefix_sums", "run_length", "value", "formula"))
_OF |= {"digits": 0.1, "parity": 0.5, "search": 0.5}


def _made(program: TaskProgram) -> Instruction | None:
    """What makes the answer, or the number whose digits it is: the last word of the row that is no draw."""
    words = [piece.word for piece in program.pieces if piece.word is not None]
    made = _instruction(program, words[-1])
    behind = _instruction(program, made.arguments[0]) if made and made.function == "digits" else None
    return behind if behind and behind.function == "formula" else made


def _instruction(program: TaskProgram, register: int) -> Instruction | None:
    """What fills a register, if it is no draw."""
    place = register - len(program.draws)
    return program.code[place] if place >= 0 else None


def _constant(program: TaskProgram, register: int) -> int:
    """The number a register always holds; 0 if it does not."""
    made = _instruction(program, register)
    return made.number if made and made.function == "number" else 0


def _draw(program: TaskProgram, piece: Piece) -> int | None:
    """The draw that a piece writes, as it is, backwards, or by its digits."""
    made = None if piece.word is None else _instruction(program, piece.word)
    if made is None:
        return piece.word
    turned = made.function in ("reverse", "identity", "digits") and made.arguments[0] < len(program.draws)
    return made.arguments[0] if turned else None


def _asked(program: TaskProgram) -> tuple[list[int], bool]:
    """The draws that scored words hang on, if nothing before tells them; whether they are all of the row."""
    known, asked, shown = set[int](), dict[int, None](), set[int | None]()
    for piece in program.pieces:
        if piece.word is None:
            continue
        if piece.scored:
            asked |= dict.fromkeys(sorted(hidden(program.draws, program.code, piece.word, known)))
        shown.add(_draw(program, piece))
        known |= {piece.word, *(slot for slot in (_draw(program, piece),) if slot is not None)}
    whole = all(piece.scored for piece in program.pieces if piece.word is not None)
    return list(asked), whole and shown >= asked.keys()


def _least_scored(program: TaskProgram) -> int:
    """So many tokens at least are scored in every row."""
    unscored = sum(_longest(program, piece) for piece in program.pieces if not piece.scored)
    return max(
        program.shortest - unscored,
        sum(piece.token is not None and piece.scored for piece in program.pieces),
        1,
    )


def _longest(program: TaskProgram, piece: Piece) -> int:
    if piece.word is None:
        return 1
    if piece.word >= len(program.draws):
        return program.code[piece.word - len(program.draws)].longest
    draw = program.draws[piece.word]
    return draw.lengths.values[-1] * (1 + (draw.kind == "mapping"))


def _first(program: TaskProgram) -> Interval:
    """The entropy of a row's first token, which nobody is asked to predict."""
    slot = _draw(program, program.pieces[0])
    if slot is None:
        return Interval(low=0.0, high=0.0)
    draw, made = program.draws[slot], _instruction(program, program.pieces[0].word or 0)
    if draw.kind == "word" or (made and made.function == "digits"):
        return Interval(low=0.0, high=math.log(draw.count if draw.kind == "word" else 10))
    if draw.kind == "weighted":
        nats = _symbol(draw)
    elif draw.kind == "number":
        even = len(draw.lengths.values) == 1 and program.pieces[0].word == slot
        nats = math.log(10 if draw.lengths.values[0] == 1 or not even else 9)
        return Interval(low=nats if even else 0.0, high=nats)
    else:
        nats = math.log(draw.count)
    return Interval(low=nats, high=nats)


def _nats(program: TaskProgram, draw: Draw) -> Interval | None:
    """The entropy of a random input, its length included, given those before it; None where unknown."""
    if draw.words is not None:
        return _word(draw)
    if draw.kind == "choice":
        return _chosen(program, draw)
    if draw.kind == "shuffle":
        return Interval(low=0.0, high=math.lgamma(draw.lengths.values[-1] + 1))
    if draw.kind in ("runs", "bag", "part", "among"):
        longest = draw.lengths.values[-1]
        return Interval(low=0.0, high=math.log(longest) + longest * math.log(draw.count))
    whole, nats = sum(draw.lengths.shares), 0.0
    for length, share in zip(draw.lengths.values, draw.lengths.shares, strict=True):
        if share:
            nats += share / whole * (_ways(draw, length) - math.log(share / whole))
    return Interval(low=nats, high=nats)


def _word(draw: Draw) -> Interval | None:
    """The entropy of a word of another program."""
    assert isinstance(draw.words, WordProgram)
    whole, low, high = sum(draw.lengths.shares), 0.0, 0.0
    for length, share in zip(draw.lengths.values, draw.lengths.shares, strict=True):
        found = analysis.entropy(draw.words, length) if share else Interval(low=0.0, high=0.0)
        if found is None:
            return None
        part = share / whole
        low += part * (found.low - math.log(part)) if share else 0.0
        high += part * (found.high - math.log(part)) if share else 0.0
    return Interval(low=low, high=high)


def _ways(draw: Draw, length: int) -> float:
    """The entropy of an input of this length."""
    match draw.kind:
        case "weighted":
            return length * _symbol(draw)
        case "number":
            return math.log(10) if length == 1 else math.log(9) + (length - 1) * math.log(10)
        case "permutation" | "mapping":
            values = length * math.log(draw.values[1]) if draw.kind == "mapping" else 0.0
            return math.lgamma(draw.count + 1) - math.lgamma(draw.count - length + 1) + values
    return length * math.log(draw.count)


def _symbol(draw: Draw) -> float:
    """The entropy of one weighted symbol."""
    edges = (0, *draw.thresholds, 2**32)
    shares = [(high - low) / 2**32 for low, high in pairwise(edges)]
    return -math.fsum(share * math.log(share) for share in shares if share)


def _chosen(program: TaskProgram, draw: Draw) -> Interval:
    """Exact where the symbols to choose from are all different."""
    of = draw.of
    if of >= len(program.draws) and program.code[of - len(program.draws)].function == "keys":
        of = program.code[of - len(program.draws)].arguments[0]
    source = program.draws[of] if of < len(program.draws) else None
    if source is None or draw.present < 2**32 or source.kind not in ("permutation", "mapping"):
        return Interval(low=0.0, high=math.log(draw.count))
    shares = list(zip(source.lengths.values, source.lengths.shares, strict=True))
    nats = math.fsum(share * math.log(n) for n, share in shares) / sum(source.lengths.shares)
    return Interval(low=nats, high=nats)
