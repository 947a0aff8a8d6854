# ruff: noqa: F401
"""The closed set of things the machine can do: generator programs and measurements, as frozen types.

Grammars, sources and evaluations are open families; each of their kinds lowers to these. Plans contain
programs, `procdsl.generate` says slowly what they mean, `runner.generators` says it fast, and the runner
knows nothing else. A program speaks in *ids*: the alphabet's ids come first, 0 .. A-1, then the specials.
`semantics` numbers live in the operations that hold programs.

Two shapes of row. A *word program* draws words of a length law: a row is ``<bos>`` and one word that fills
it, or as many whole words as fit, each followed by ``<end>``; its specials are always `SPECIALS`, in that
order. Any other program lays out its own rows. Everything a program compares when it samples is a whole
number, so that every backend decides alike.

To add a program of kind *x*: its type in `procdsl/programs/x.py`; its meaning in `procdsl/generate/x.py`;
its kernel in `runner/generators/x.py`. All are found by name; `docs/decisions/0010-generator-programs.md`
says what they must hold. A measurement's type is likewise a file in `measurements`. A file is imported when
a plan, or a module, names what is in it: a study makes the classes that it uses.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from procdsl.programs.base import (
    LONGEST,
    SPECIALS,
    AnyProgram,
    Interval,
    Lengths,
    Program,
    Rank,
    Split,
    SplitName,
    Unigrams,
    WordProgram,
    fillable,
)

if TYPE_CHECKING:
    from procdsl.programs.automaton import AutomatonProgram, Letters
    from procdsl.programs.cellular import CellularProgram
    from procdsl.programs.corrupted import CorruptedProgram
    from procdsl.programs.dependencies import DependencyProgram
    from procdsl.programs.dyck import DyckProgram
    from procdsl.programs.echo import EchoPart, EchoProgram
    from procdsl.programs.iid import IidProgram
    from procdsl.programs.interleaved import InterleavedProgram
    from procdsl.programs.lsystem import LsystemProgram
    from procdsl.programs.machine import MachineProgram, Memory, Move, Taken, Trace
    from procdsl.programs.markov import MarkovProgram
    from procdsl.programs.measurements.answer import AnswerMeasurement
    from procdsl.programs.measurements.attention import AttentionMeasurement
    from procdsl.programs.measurements.base import AnyMeasurement, HeldOutMeasurement, Measurement
    from procdsl.programs.measurements.grammaticality import GrammaticalityMeasurement
    from procdsl.programs.measurements.loss import LossMeasurement
    from procdsl.programs.measurements.minimal_pairs import MinimalPairsMeasurement
    from procdsl.programs.measurements.retrieval import RetrievalMeasurement
    from procdsl.programs.neural import NeuralProgram, Pool
    from procdsl.programs.ngram import Fit, NgramProgram
    from procdsl.programs.plugin import PluginProgram
    from procdsl.programs.random_automaton import RandomAutomatonProgram
    from procdsl.programs.shuffle_dyck import ShuffleDyckProgram
    from procdsl.programs.shuffled import ShuffledProgram
    from procdsl.programs.task import Draw, Formula, Instruction, Piece, TaskProgram
    from procdsl.programs.tree import TreeProgram, TreeShape

# Where the names above are, which are looked up when they are asked for.
_FILES = {
    "automaton": ("AutomatonProgram", "Letters"),
    "cellular": ("CellularProgram",),
    "corrupted": ("CorruptedProgram",),
    "dependencies": ("DependencyProgram",),
    "dyck": ("DyckProgram",),
    "echo": ("EchoPart", "EchoProgram"),
    "iid": ("IidProgram",),
    "interleaved": ("InterleavedProgram",),
    "lsystem": ("LsystemProgram",),
    "machine": ("MachineProgram", "Memory", "Move", "Taken", "Trace"),
    "markov": ("MarkovProgram",),
    "measurements.answer": ("AnswerMeasurement",),
    "measurements.attention": ("AttentionMeasurement",),
    "measurements.base": ("AnyMeasurement", "HeldOutMeasurement", "Measurement"),
    "measurements.grammaticality": ("GrammaticalityMeasurement",),
    "measurements.loss": ("LossMeasurement",),
    "measurements.minimal_pairs": ("MinimalPairsMeasurement",),
    "measurements.retrieval": ("RetrievalMeasurement",),
    "neural": ("NeuralProgram", "Pool"),
    "ngram": ("Fit", "NgramProgram"),
    "plugin": ("PluginProgram",),
    "random_automaton": ("RandomAutomatonProgram",),
    "shuffle_dyck": ("ShuffleDyckProgram",),
    "shuffled": ("ShuffledProgram",),
    "task": ("Draw", "Formula", "Instruction", "Piece", "TaskProgram"),
    "tree": ("TreeProgram", "TreeShape"),
}


def __getattr__(name: str) -> Any:
    for file, names in _FILES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{file}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
