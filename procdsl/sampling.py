"""Rows of a grammar or source as people read them: spelt, with what is scored and how deep brackets nest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from procdsl import report
from procdsl.analysis.brackets import brackets, nesting
from procdsl.compiler import Compiled
from procdsl.compiler.generators import generate
from procdsl.compiler.names import procedural
from procdsl.compiler.near import hint
from procdsl.errors import UsageError
from procdsl.grammars._held_out import HeldOut
from procdsl.grammars.base import WordGrammar
from procdsl.plan import GenerateOperation

if TYPE_CHECKING:
    from rich.text import Text

# Colours that can be told apart on dark and on light; a symbol and the bracket that closes it share one.
_COLOURS = ("red", "green", "yellow", "blue", "magenta", "cyan", "bright_red", "bright_green", "bright_blue")


@dataclass(frozen=True)
class Sample:
    """One row: its tokens with their ids, which are scored, and how deep each stands (brackets only)."""

    index: int
    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    scored: tuple[int, ...]
    depths: tuple[int, ...] | None


def operation(compiled: Compiled, name: str, length: int | None, split: str) -> GenerateOperation:
    """The rows that a name of the study stands for, with words of another length if one is given."""
    made = chosen(compiled, name, length, split)
    return generate(name, made, made.longest())


def chosen(compiled: Compiled, name: str, length: int | None, split: str = "train") -> Any:
    """The grammar or source of that name, with words of another length if one is given.

    Of another length too few words may exist to hold some out: nobody trains on these, so none are.
    """
    known = procedural(compiled.spec, split)
    if name not in known:
        raise UsageError(f"the study has no grammar or source called {name!r}", help=hint(name, known))
    made: Any = known[name]
    if length is not None:
        if not isinstance(made, WordGrammar):
            raise UsageError(f"{name!r} has no length of its own", help="it follows from what it is made of")
        held_out = made.held_out if split != "train" else HeldOut(validation=0, test=0)
        made = type(made).model_validate({**made.model_dump(), "length": length, "held_out": held_out})
    errors = [problem for problem in made.problems(length or made.longest()) if problem.severity == "error"]
    if errors:
        raise UsageError(f"{name}: {errors[0].message}", help=errors[0].help)
    return made


def samples(made: GenerateOperation, rows: tuple[Any, Any], start: int) -> Iterator[Sample]:
    """The rows, as samples."""
    known = brackets(made.tokens)
    for place, (ids, scored) in enumerate(zip(*rows, strict=True)):
        tokens = tuple(made.tokens[id] for id in ids)
        depths = nesting(tokens, known) if known else None
        yield Sample(start + place, tokens, tuple(ids), tuple(scored), depths)


def show(sample: Sample, *, ids: bool) -> None:
    """The row, in colour; what is not scored is dim. Under brackets, how deep they stand."""
    spelt = [str(id) for id in sample.ids] if ids else list(sample.tokens)
    depths = [str(depth) for depth in sample.depths] if sample.depths else [""] * len(spelt)
    widths = [max(len(one), len(other)) for one, other in zip(spelt, depths, strict=True)]
    console = report.console()
    console.print(f"row {sample.index}", style="bold")
    for part in _lines(widths, console.width - 2):
        console.print(_coloured(sample, [spelt[j].ljust(widths[j]) for j in part], part))
        if sample.depths:
            below = " ".join(depths[j].ljust(widths[j]) for j in part)
            console.print(f"  {below}".rstrip(), style="dim")


def _coloured(sample: Sample, cells: list[str], part: range) -> Text:
    from rich.text import Text

    line = Text(" ")
    for j, cell in zip(part, cells, strict=True):
        line.append(" ")
        line.append(report.clean(cell), _colour(sample.tokens[j]) if sample.scored[j] else "dim")
    return line


def _colour(token: str) -> str:
    core = token.strip("()")
    return "bold" if token.startswith("<") else _COLOURS[sum(core.encode()) % len(_COLOURS)]


def _lines(widths: list[int], room: int) -> Iterator[range]:
    """Stretches of the row that fit a line each."""
    start, used = 0, 0
    for place, width in enumerate(widths):
        if used + width + 1 > room and place > start:
            yield range(start, place)
            start, used = place, 0
        used += width + 1
    yield range(start, len(widths))
