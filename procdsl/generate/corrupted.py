"""A row of another program with errors in it. Fixed slots: word t says what befalls position t."""

from __future__ import annotations

from procdsl import generate
from procdsl.generate.address import Address, Row
from procdsl.programs.corrupted import CorruptedProgram
from procdsl.streams import CHANNEL_SLOT


def row(program: CorruptedProgram, address: Address) -> Row:
    """The row at the same address without errors, then these."""
    ids, scored = generate.row(program.of, address)
    stream, size = address.stream(CHANNEL_SLOT), program.alphabet
    words, made, kept, t = stream.words(len(ids)), list[int](), list[int](), 0
    while t < len(ids):
        id, drawn = ids[t], words[t]
        if id >= size:
            made.append(id)
        elif drawn < program.delete:
            t += 1
            continue
        elif drawn < program.delete + program.substitute:
            made.append((id + 1 + stream.below(size - 1)) % size)
        elif _swaps(program, drawn) and t + 1 < len(ids) and ids[t + 1] < size:
            made += [ids[t + 1], id]
            kept.append(scored[t])
            t += 1
        else:
            made.append(id)
        kept.append(scored[t])
        t += 1
    blank = len(ids) - len(made)
    return [*made, *[program.pad] * blank], [*kept, *[0] * blank]


def _swaps(program: CorruptedProgram, drawn: int) -> bool:
    return drawn < program.delete + program.substitute + program.swap
