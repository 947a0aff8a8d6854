"""What cellular automata do: neighbourhoods, changes, and frames as tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from procdsl.programs.cellular import CellularProgram

Cells = Sequence[Sequence[int]]


def changed(program: CellularProgram, cells: Cells, rule: int) -> list[list[int]]:
    """The next frame."""
    return [
        [rule >> neighbourhood(program, cells, y, x) & 1 for x in range(program.width)]
        for y in range(program.height)
    ]


def later(program: CellularProgram, cells: Cells, rule: int) -> Cells:
    """The next frame that is shown."""
    for _ in range(program.ahead):
        cells = changed(program, cells, rule)
    return cells


def neighbourhood(program: CellularProgram, cells: Cells, y: int, x: int) -> int:
    """Which bit of a rule says what becomes of a cell."""
    if program.shape == "line":
        return 4 * _cell(program, cells, y, x - 1) + 2 * cells[y][x] + _cell(program, cells, y, x + 1)
    around = sum(_cell(program, cells, y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
    return 8 * cells[y][x] + around


def _cell(program: CellularProgram, cells: Cells, y: int, x: int) -> int:
    if program.wraps:
        return cells[y % program.height][x % program.width]
    inside = 0 <= y < program.height and 0 <= x < program.width
    return cells[y][x] if inside else 0


def patches(program: CellularProgram, cells: Cells) -> Iterator[int]:
    """The ids of a frame, patch by patch."""
    high, wide = program.patch
    for top in range(0, program.height, high):
        for left in range(0, program.width, wide):
            id = 0
            for line in cells[top : top + high]:
                for cell in line[left : left + wide]:
                    id = 2 * id + cell
            yield id
