"""Recognisers: programs' words read symbol by symbol, and what may follow.

They say what belongs to a language, whatever its words' lengths; as everywhere, the empty word does not.
"""

from __future__ import annotations

from typing import Protocol

from procdsl.programs.automaton import AutomatonProgram
from procdsl.programs.base import AnyProgram, Program
from procdsl.programs.dyck import DyckProgram
from procdsl.programs.interleaved import InterleavedProgram
from procdsl.programs.shuffle_dyck import ShuffleDyckProgram
from procdsl.programs.tree import TreeProgram
from procdsl.recognisers import automaton, earley
from procdsl.recognisers.brackets import Brackets, Dyck, ShuffleDyck
from procdsl.recognisers.interleaved import Interleaved

__all__ = ["Brackets", "Recogniser", "nests", "reads", "recogniser"]


class Recogniser(Protocol):
    """What was read so far: the beginning of some word, of no symbols at first."""

    def legal(self) -> frozenset[int]:
        """The symbols that some word goes on with."""

    def ends(self) -> bool:
        """Whether it is a word."""

    def read(self, symbol: int) -> bool:
        """Reads one symbol more. False where no word begins so: then nothing was read."""


def reads(program: Program) -> bool:
    """Whether there is a recogniser of a program's words."""
    if isinstance(program, TreeProgram):
        return all(len(shape.yields) == 1 for shape in program.shapes)
    return isinstance(program, AutomatonProgram | DyckProgram | InterleavedProgram | ShuffleDyckProgram)


def nests(program: Program) -> bool:
    """Whether its recogniser knows of depths and of partners (`Brackets`)."""
    return isinstance(program, DyckProgram | ShuffleDyckProgram)


def recogniser(program: AnyProgram) -> Recogniser:
    """A recogniser that has read nothing yet, of a program that `reads` says has one."""
    match program:
        case DyckProgram():
            return Dyck(program.k, program.depth)
        case ShuffleDyckProgram():
            return ShuffleDyck(program.k, program.depth, closed=program.closed)
        case AutomatonProgram():
            return automaton.Walks(program)
        case TreeProgram():
            return earley.Words(program)
        case InterleavedProgram():
            return Interleaved(program)
    raise TypeError(f"nothing recognises the words of a {program.kind} program")
