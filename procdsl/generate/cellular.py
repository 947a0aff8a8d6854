"""Rows of cellular automata. Fixed slots: word i gives cell i of the start; what follows chooses the rule."""

from __future__ import annotations

from procdsl.generate.address import Address, Row
from procdsl.grammars._cells import Cells, changed, later, patches
from procdsl.programs.cellular import CellularProgram
from procdsl.streams import ATTEMPTS, Stream


def row(program: CellularProgram, address: Address) -> Row:
    """The start and `steps` frames after it; starts are drawn until one belongs to the part."""
    for attempt in range(ATTEMPTS):
        cells, rule = _start(program, address.stream(0, attempt))
        if address.holds(program.split, patches(program, cells)):
            break
    else:
        raise address.nothing()
    ids = list[int]()
    for _ in range(program.steps + 1):
        ids += patches(program, cells)
        ids += [program.symbols] * program.separated
        cells = later(program, cells, rule)
    blank = address.context + 1 - len(ids)
    first = 1 if program.scores_first else program.frame
    pad = program.symbols + program.separated
    return [*ids, *[pad] * blank], [0] * first + [1] * (len(ids) - first) + [0] * blank


def _start(program: CellularProgram, stream: Stream) -> tuple[Cells, int]:
    """Frame 0 and the row's rule."""
    words = stream.words(program.height * program.width)
    drawn = [int(word < program.density) for word in words]
    rule = program.rules[stream.below(len(program.rules))]
    cells = [drawn[at : at + program.width] for at in range(0, len(drawn), program.width)]
    for _ in range(program.burn_in):
        cells = changed(program, cells, rule)
    return cells, rule
