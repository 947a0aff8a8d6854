"""Rows of machines: a run is drawn until it belongs to the part, the answer follows from it."""

from __future__ import annotations

from typing import Any

from procdsl.errors import RunError
from procdsl.generate.address import Address, Row
from procdsl.generate.task import written
from procdsl.grammars._lengths import drawn_length
from procdsl.grammars._machines import begun, choices, do
from procdsl.grammars._running import run
from procdsl.programs import MachineProgram
from procdsl.streams import ATTEMPTS, Stream


def row(program: MachineProgram, address: Address) -> Row:
    """The format written out, then padding."""
    for attempt in range(ATTEMPTS):
        trace, held = _ran(program, address.stream(0, attempt), address)
        if address.holds(program.split, trace):
            values: list[Any] = [trace, *held, *([None] * len(program.code))]
            run(program.code, values)
            return written(program.pieces, values, program.pad, address.context)
    raise address.nothing()


def _ran(program: MachineProgram, stream: Stream, address: Address) -> tuple[list[int], list[list[int]]]:
    """What a run writes, and what is remembered in the end."""
    steps, held, trace = drawn_length(program.steps, stream), begun(program), list[int]()
    for t in range(steps):
        possible = list(choices(program, held, t, steps))
        if not possible:
            raise stuck(address.name, address.index, t)
        place = stream.below(sum(one.weight for one in possible))
        for one in possible:
            if place < one.weight:
                break
            place -= one.weight
        symbol = one.symbols[stream.below(len(one.symbols))] if one.symbols else None
        trace += [one.move.token] if one.move.token is not None else []
        trace += [symbol] if symbol is not None else []
        do(program, held, one.move, symbol)
    return trace, held


def stuck(name: str, index: int, step: int) -> RunError:
    """What is raised where no move may be done."""
    return RunError(
        f"row {index} of {name!r}: at step {step} no instruction may be done",
        reason="stuck",
        help="give one that always may: a guard that is the contrary of another's",
    )
