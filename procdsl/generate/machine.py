"""Rows of machines: a run is drawn until it belongs to the part, the answer follows from it."""

from __future__ import annotations

from typing import NamedTuple

from procdsl.errors import RunError
from procdsl.generate.address import Address, Row
from procdsl.generate.task import written
from procdsl.grammars import _machines as machines
from procdsl.grammars._lengths import drawn_length
from procdsl.programs.machine import MachineProgram
from procdsl.streams import ATTEMPTS, Stream


class Run(NamedTuple):
    """What a run writes, where that is a trace, and what is remembered in the end."""

    ids: list[int]
    traced: list[bool]
    held: list[list[int]]


def row(program: MachineProgram, address: Address) -> Row:
    """The format written out, then padding."""
    for attempt in range(ATTEMPTS):
        ran = _ran(program, address.stream(0, attempt), address)
        if address.holds(program.split, ran.ids):
            values = [ran.ids, *machines.ending(program, ran.held)[1:]]
            ids, scored = written(program.pieces, values, program.pad, address.context)
            for place in range(1, len(ran.ids)):
                scored[place] |= ran.traced[place]
            return ids, scored
    raise address.nothing()


def _ran(program: MachineProgram, stream: Stream, address: Address) -> Run:
    steps, held = drawn_length(program.steps, stream), machines.begun(program)
    ids, traced = list[int](), list[bool]()
    for t in range(steps):
        one = _chosen(list(machines.choices(program, held, t, steps)), stream)
        if one is None:
            raise stuck(address.name, address.index, t)
        symbols = [possible[stream.below(len(possible))] for possible in one.symbols]
        machines.do(program, held, one.move, symbols)
        shown = machines.written(program, held, one.move, symbols)
        said = [*([] if one.move.token is None else [one.move.token]), *symbols]
        ids += [*said, *shown]
        traced += [False] * len(said) + [True] * len(shown)
    return Run(ids, traced, held)


def _chosen(possible: list[machines.Choice], stream: Stream) -> machines.Choice | None:
    """One of the moves by its weight; None where none may be done."""
    if not possible:
        return None
    place = stream.below(sum(one.weight for one in possible))
    for one in possible:
        if place < one.weight:
            return one
        place -= one.weight
    raise AssertionError


def stuck(name: str, index: int, step: int) -> RunError:
    """What is raised where no move may be done."""
    return RunError(
        f"row {index} of {name!r}: at step {step} no instruction may be done",
        reason="stuck",
        help="give one that always may: a guard that is the contrary of another's",
    )
