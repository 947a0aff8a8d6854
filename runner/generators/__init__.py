"""Fast kernels for generator programs: the rows that `procdsl.generate` defines, bit for bit.

A program of kind *x* is carried out by `runner.generators.x`. For a word program it registers a sampler of
words (`rows.sampler`) and holds ``prepare(program)``; any other holds ``fill(program, address, ids,
scored)``. Kernels are specialised by data, never compiled for one grammar.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import numpy as np

from procdsl.errors import RunError
from procdsl.plan import GenerateOperation
from procdsl.programs.base import Program, WordProgram
from procdsl.programs.plugin import PluginProgram
from runner.generators.address import Address
from runner.generators.rows import fill_words


def fill(operation: GenerateOperation, *, seed: int, split: str, start: int, ids: Any, scored: Any) -> None:
    """Writes rows start .. start + B - 1 into ids (B, T + 1) int32 and scored (B, T + 1) uint8.

    Where positions are frames, each is as many ids as it has cells.

    RunError where a part of the language that was asked for holds nothing that can be found.
    """
    _check(operation, ids, scored)
    operation.settled()
    address = Address(seed, operation.name, split, start, operation.tokens)
    fill_program(operation.program, address, ids, scored)


def fill_program(program: Program, address: Address, ids: Any, scored: Any) -> None:
    """As `fill`, for any program at any address: programs that hold programs call it."""
    module = kernels(program)
    if isinstance(program, WordProgram) and not isinstance(program, PluginProgram):
        fill_words(program, module.prepare, address, ids, scored)
    else:
        module.fill(program, address, ids, scored)


def kernels(program: Program) -> ModuleType:
    """The module that carries out this kind of program."""
    return importlib.import_module(f"runner.generators.{program.kind}")


def _check(operation: GenerateOperation, ids: Any, scored: Any) -> None:
    shape = (len(ids), operation.row)
    if ids.shape != shape or scored.shape != shape or ids.dtype != np.int32 or scored.dtype != np.uint8:
        raise RunError(
            f"rows of {operation.name!r} are int32 ids and uint8 flags of shape {shape}, "
            f"not {ids.dtype} {ids.shape} and {scored.dtype} {scored.shape}"
        )
