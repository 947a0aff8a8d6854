"""Where a program's language stands among formal languages, and how exact its sampler is.

The class is that of the language with its lengths left free: any law of lengths makes it finite. What is
said is an upper bound with its reason; a simpler description of the same language may always exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from procdsl.grammars.rules.ambiguity import Verdict, derived_once, verdict
from procdsl.grammars.rules.findings import longest_word, together, writing
from procdsl.grammars.rules.trees import referred
from procdsl.programs.automaton import AutomatonProgram
from procdsl.programs.base import Program
from procdsl.programs.cellular import CellularProgram
from procdsl.programs.corrupted import CorruptedProgram
from procdsl.programs.dependencies import DependencyProgram
from procdsl.programs.dyck import DyckProgram
from procdsl.programs.echo import EchoProgram
from procdsl.programs.iid import IidProgram
from procdsl.programs.interleaved import InterleavedProgram
from procdsl.programs.machine import MachineProgram
from procdsl.programs.markov import MarkovProgram
from procdsl.programs.ngram import NgramProgram
from procdsl.programs.plugin import PluginProgram
from procdsl.programs.shuffle_dyck import ShuffleDyckProgram
from procdsl.programs.task import TaskProgram
from procdsl.programs.tree import TreeProgram, TreeShape


@dataclass(frozen=True)
class Classified:
    """A class of languages, and why the language is of it."""

    name: str
    reason: str


def language_class(program: Program) -> Classified | None:
    """The class of a program's language; None where nobody says."""
    match program:
        case DyckProgram() | ShuffleDyckProgram() if program.depth is not None:
            return Classified("regular", f"at most {program.depth} brackets are open: finitely many states")
        case DyckProgram():
            return Classified("deterministic context-free", "one stack, and each symbol says what it does")
        case ShuffleDyckProgram(k=1):
            return Classified("deterministic context-free", "one counter")
        case ShuffleDyckProgram():
            return Classified("context-sensitive", f"{program.k} counters that run independently: no stack")
        case IidProgram():
            return Classified("regular", "every word over the alphabet (one state)")
        case MarkovProgram():
            return Classified("regular", "every word over the alphabet; what differs is its likelihood")
        case CorruptedProgram():
            return _corrupted_class(program)
        case EchoProgram():
            return _echo_class(program)
        case DependencyProgram():
            return _pairs_class(program)
        case CellularProgram():
            return Classified("context-sensitive", "each frame follows from the frame before it")
        case NgramProgram():
            reason = f"a symbol depends on the {program.order - 1} before it"
            return Classified("regular, strictly local", reason)
        case AutomatonProgram():
            return Classified("regular", f"a finite automaton of {program.states:,} states")
        case TreeProgram():
            return _rules_class(program.shapes)
        case InterleavedProgram():
            reason = f"{len(program.parts)} languages side by side, a stack for each"
            return Classified("context-sensitive", reason)
        case TaskProgram():
            return Classified("finite", f"a task: prompts and answers of at most {program.longest} tokens")
        case MachineProgram():
            steps = program.steps.values[-1]
            return Classified("finite", f"runs of at most {steps} steps and what is left of them")
    return None


def ambiguity(program: Program) -> Verdict | None:
    """Whether words of rules have several derivations; None for what is not made of rules."""
    return verdict(program.shapes) if isinstance(program, TreeProgram) else None


def exactness(program: Program) -> str:
    """What is drawn, in the words of the documentation's page on sampling."""
    if getattr(program, "measure", "") == "process":
        return "process: a random walk as published, not conditioned on its words"
    if isinstance(program, PluginProgram):
        return f"as {program.distribution} draws them"
    if isinstance(program, CorruptedProgram):
        return f"process: errors in rows that are drawn ({exactness(program.of)})"
    trees = program.parts if isinstance(program, InterleavedProgram) else (program,)
    if not all(derived_once(one) for one in trees if isinstance(one, TreeProgram)):
        return "exact over derivations: a word is as likely as all its derivations together"
    if isinstance(program, TaskProgram):
        return _drawn(program)
    if isinstance(program, NgramProgram):
        return "exact for the fitted chain, word by word"
    return "exact"


def _drawn(program: TaskProgram) -> str:
    """What is said of the words of other grammars that are inputs, and of a condition."""
    words = [exactness(draw.words) for draw in program.draws if draw.words is not None]
    said = next((one for one in words if one != "exact"), "")
    inner = f"inputs that are words of a grammar: {said}" if said else "exact"
    return (
        f"{inner}, by rejection of what does not meet the condition" if program.where is not None else inner
    )


def _corrupted_class(program: CorruptedProgram) -> Classified | None:
    inner = language_class(program.of)
    return inner and Classified(inner.name, f"{inner.reason}; then errors, which leave the language")


def _echo_class(program: EchoProgram) -> Classified:
    parts, shifts = program.parts, len({part.shift for part in program.parts})
    if len(parts) == 1 or (program.count == 1 and shifts == 1 and not program.mark):
        return Classified("regular", "nothing has to be remembered")
    if len(parts) == 2 and (program.count == 1 or parts[0].backward != parts[1].backward):
        if program.mark or shifts > 1:
            return Classified("deterministic context-free", "one stack, and the second part shows its start")
        return Classified("context-free", "one stack, but nothing marks the middle")
    reason = f"{len(parts)} parts agree across each other: a multiple context-free grammar of as many"
    return Classified("mildly context-sensitive", reason)


def _pairs_class(program: DependencyProgram) -> Classified:
    if program.crossing:
        return Classified("context-sensitive", "pairs may cross: no stack")
    if program.paired:
        return Classified("deterministic context-free", "pairs nest, and each symbol says what it does")
    return Classified("context-free", "pairs nest")


def _rules_class(shapes: Sequence[TreeShape]) -> Classified:
    fanout = max(len(shape.yields) for shape in shapes)
    longest = longest_word(shapes)
    if longest is not None:
        return Classified("finite", f"no word has over {longest:,} symbols")
    if fanout > 1:
        reason = f"yields are tuples of up to {fanout}: a multiple context-free grammar of fan-out {fanout}"
        return Classified("mildly context-sensitive", reason)
    if not self_embedding(shapes):
        return Classified("regular", "no symbol derives itself with something on both sides")
    reason = "a symbol derives itself with something on both sides"
    if verdict(tuple(shapes)).certain:
        return Classified("deterministic context-free", f"{reason}; LALR(1) without conflicts")
    return Classified("context-free", reason)


def self_embedding(shapes: Sequence[TreeShape]) -> bool:
    """Whether some symbol derives itself between two strings that are not empty (Chomsky 1959).

    Within a strongly connected part one step that leaves something on the left and one that leaves something
    on the right make such a derivation together.
    """
    parts = together(shapes)
    part_of = {a: number for number, part in enumerate(parts) for a in part}
    left, right, writes = set[int](), set[int](), writing(shapes, parts)
    for shape in shapes:
        codes = shape.yields[0]
        for place, code in enumerate(codes):
            if code >= 0 or part_of[child := shape.children[referred(code)[0]]] != part_of[shape.head]:
                continue
            for side, beside in ((left, codes[:place]), (right, codes[place + 1 :])):
                if any(c >= 0 or shape.children[referred(c)[0]] in writes for c in beside):
                    side.add(part_of[child])
    return bool(left & right)
