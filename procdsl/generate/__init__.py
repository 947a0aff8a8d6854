"""What generator programs mean: rows, one by one, in plain Python.

The kernels in `runner.generators` give the same numbers much faster; a law holds them to that. A program
of kind *x* is interpreted by `procdsl.generate.x`, which holds either ``word(program, stream, length)``,
for a word program, or ``row(program, address)``.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from procdsl.generate.address import Address, Row
from procdsl.programs.base import Program, SplitName, WordProgram
from procdsl.splits import spelling

if TYPE_CHECKING:
    from procdsl.plan import GenerateOperation

__all__ = ["Address", "Row", "row", "rows"]


def rows(
    operation: GenerateOperation, *, seed: int, split: SplitName, start: int, count: int
) -> tuple[list[list[int]], list[list[int]]]:
    """Rows start .. start + count - 1: their ids, and which of these are scored (0 or 1).

    RunError where a part of the language that was asked for holds nothing that can be found.
    """
    operation.settled()
    spelt = tuple(map(spelling, operation.tokens))
    made = [
        row(operation.program, Address(seed, operation.name, split, start + i, operation.row - 1, spelt))
        for i in range(count)
    ]
    return [ids for ids, _ in made], [scored for _, scored in made]


def row(program: Program, address: Address) -> Row:
    """The one row at an address."""
    module = interpreter(program)
    if isinstance(program, WordProgram):
        from procdsl.generate.words import word_row

        return word_row(program, module.word, address)
    made: Row = module.row(program, address)
    return made


def interpreter(program: Program) -> ModuleType:
    """The module that says what this kind of program means."""
    return importlib.import_module(f"procdsl.generate.{program.kind}")
