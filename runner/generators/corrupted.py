"""Rows with errors, as `procdsl.generate.corrupted` says, in place: writing never overtakes reading."""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import uint64

from procdsl.programs.corrupted import CorruptedProgram
from procdsl.streams import CHANNEL_SLOT
from runner import generators
from runner.generators.address import Address
from runner.generators.compiling import kernel
from runner.generators.philox import begin, below, new_draws, slots


class Channel(NamedTuple):
    """The program's numbers; of 2**32, cumulated: left out, or another, or with the next one's place."""

    alphabet: int
    pad: int
    deleted: Any
    changed: Any
    swapped: Any


def fill(program: CorruptedProgram, address: Address, ids: Any, scored: Any) -> None:
    """The other program's rows, then errors in them."""
    generators.fill_program(program.of, address, ids, scored)
    changed = program.delete + program.substitute
    edges = map(uint64, (program.delete, changed, changed + program.swap))
    place = (address.key, address.start)
    _corrupt(Channel(program.alphabet, program.pad, *edges), new_draws(ids.shape[1]), place, ids, scored)


@kernel
def _corrupt(channel, draws, place, ids, scored):
    key, start = place
    size, behind = channel.alphabet, ids.shape[1]
    for b in range(ids.shape[0]):
        row, flags, at, t = ids[b], scored[b], 0, 0
        begin(draws, key, start + b, CHANNEL_SLOT)
        slots(draws, behind)
        while t < behind:
            id, flag, drawn = row[t], flags[t], uint64(draws.buffer[t])
            t += 1
            if id < size:
                if drawn < channel.deleted:
                    continue
                if drawn < channel.changed:
                    id = (id + 1 + below(draws, size - 1)) % size
                elif drawn < channel.swapped and t < behind and row[t] < size:
                    other, other_flag = row[t], flags[t]
                    row[at], row[at + 1] = other, id
                    flags[at], flags[at + 1] = flag, other_flag
                    at += 2
                    t += 1
                    continue
            row[at], flags[at] = id, flag
            at += 1
        row[at:] = channel.pad
        flags[at:] = 0
