"""The compiler: from a text to a plan, pass by pass, each a pure function of the one before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from procdsl.compiler import checks, schedules, source
from procdsl.compiler.budgets import Budgets, notes
from procdsl.compiler.findings import Finding, fatal, within
from procdsl.compiler.lower import lower
from procdsl.compiler.names import procedural
from procdsl.compiler.resolve import resolve
from procdsl.compiler.source import Source
from procdsl.compiler.validate import validate
from procdsl.errors import Diagnostic, Place, SpecError
from procdsl.language.study import ExperimentSpec
from procdsl.plan import Plan


class Compiled(NamedTuple):
    """A plan with what it came from, and what the compiler has to say that is no error."""

    plan: Plan
    spec: ExperimentSpec
    source: Source
    diagnostics: tuple[Diagnostic, ...]


def compile(path: str | Path, *, profile: str | None = "auto", sets: Sequence[str] = ()) -> Compiled:
    """The plan of the study in a file. Raises SpecError with all that the passes found that could run."""
    read, changing = schedules.taken_out(source.read(Path(path), profile=profile, sets=sets))
    spec = validate(read, ExperimentSpec)

    found = list(checks.meaning(spec))
    _stop_at_errors(found, read)

    spec, read = schedules.laid_out(spec, read, changing)
    found += checks.laid_out(spec)
    _stop_at_errors(found, read)

    budgets = Budgets(spec, procedural(spec)).all()
    found += [*notes(spec, budgets), *checks.sized(spec, budgets)]
    _stop_at_errors(found, read)

    study = resolve(spec, budgets)
    found += checks.fitness(study)
    _stop_at_errors(found, read)

    plan = lower(study, profile=read.profile)
    found += checks.planned(study, plan)
    _stop_at_errors(found, read)
    return Compiled(plan, spec, read, read.quote((*read.notes, *_placed(found, read))))


def _stop_at_errors(found: Sequence[Finding], read: Source) -> None:
    if fatal(found):
        raise SpecError(read.quote((*read.notes, *_placed(found, read))))


def _placed(found: Iterable[Finding], read: Source) -> Iterator[Diagnostic]:
    """Findings with the lines they are about."""
    for one, text in schedules.told(found, read):
        yield Diagnostic(one.code, one.message, _place(one, text), one.help, one.severity)


def _place(one: Finding, read: Source) -> Place:
    place = read.places.key_at(one.path) if one.key else read.places.at(one.path)
    written = read.tree.get(one.path)
    if one.span is None or written is None or place.file not in read.files:
        return place
    return within(place, written.value, one.span, read.lines(place.file))
