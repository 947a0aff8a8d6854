"""Rows of machines: a run is drawn until it belongs to the part, the answer follows from it."""

from __future__ import annotations

from procdsl.errors import RunError
from procdsl.generate.address import Address, Row
from procdsl.generate.task import written
from procdsl.grammars import _machines as machines
from procdsl.programs.machine import MachineProgram
from procdsl.streams import ATTEMPTS


def row(program: MachineProgram, address: Address) -> Row:
    """The format written out, then padding."""
    for attempt in range(ATTEMPTS):
        try:
            ran = machines.ran(program, address.stream(0, attempt))
        except machines.Stuck as at:
            raise stuck(address.name, address.index, at.step) from None
        if address.holds(program.split, ran.ids):
            values = [ran.ids, *machines.ending(program, ran.held)[1:]]
            ids, scored = written(program.pieces, values, program.pad, address.context)
            for place in range(1, len(ran.ids)):
                scored[place] |= ran.traced[place]
            return ids, scored
    raise address.nothing()


def stuck(name: str, index: int, step: int) -> RunError:
    """What is raised where no move may be done."""
    return RunError(
        f"row {index} of {name!r}: at step {step} no instruction may be done",
        reason="stuck",
        help=machines.ALWAYS,
    )
