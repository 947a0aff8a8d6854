"""What a mixture cannot mean: shares below nothing, of nothing, or that cannot be laid out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from procdsl.compiler.findings import Finding, Path
from procdsl.compiler.layouts import groups, spoken
from procdsl.compiler.mixtures import corners, percent, share_at
from procdsl.compiler.names import phases
from procdsl.compiler.study import Study
from procdsl.language.curricula import AnyShare, Constant, PhaseSpec, Piecewise, Ramp, Windowed
from procdsl.language.study import ExperimentSpec

# What a byte can number.
_SOURCES = 255


def shares_are_not_negative(spec: ExperimentSpec) -> Iterator[Finding]:
    """P317."""
    for _, path, phase in phases(spec):
        for name, share in phase.data.items():
            for inner, value in _values(share):
                if value < 0:
                    message = f"{name} has a share of {value:g}, less than nothing"
                    yield Finding("P317", (*path, "data", name, *inner), message, "a share is 0 or more")


def shares_are_of_something(spec: ExperimentSpec) -> Iterator[Finding]:
    """P318: every source is read at some point, and at every point some source."""
    for at, path, phase in phases(spec):
        if not _laid_out(phase):
            continue
        here = (*path, "data")
        silent = [name for name, share in phase.data.items() if not any(value for _, value in _values(share))]
        for name in silent if len(silent) < len(phase.data) else ():
            message = f"{name} has a share of zero all through {'.'.join(at)}"
            yield Finding("P318", (*here, name), message, "leave it out, or give it a share", key=True)
        points = sorted(corners(tuple(phase.data.values())))
        for first, last in pairwise(points):
            middle = (first + last) / 2
            if sum(share_at(share, middle) for share in phase.data.values()) == 0:
                message = f"nothing is read from {float(first):.0%} to {float(last):.0%} of {'.'.join(at)}"
                yield Finding("P318", here, message, "give a source a share there")


def points_run_forward(spec: ExperimentSpec) -> Iterator[Finding]:
    """P319: the points of a phase are percentages, the first 0%, each after the one before."""
    for _, path, phase in phases(spec):
        for name, share in phase.data.items():
            if isinstance(share, Piecewise):
                yield from _forward(name, share.steps, (*path, "data", name, "steps"))
        if "freeze" in phase.model_fields_set:
            yield from _forward("freeze", phase.freeze.steps, (*path, "freeze", "steps"))


def _forward(name: str, steps: Iterable[str], here: Path) -> Iterator[Finding]:
    points = [(text, percent(text)) for text in steps]
    for text, point in points:
        if point is None:
            help = 'points are percentages of the phase: "0%", "25%"'
            yield Finding("P319", (*here, text), f'"{text}" is no point of a phase', help, key=True)
    found = [point for _, point in points if point is not None]
    if len(found) == len(points) and (found[0] != 0 or found != sorted(set(found))):
        message = f"{name}'s points do not run forward from 0%"
        yield Finding("P319", here, message, '"0%" first, then later ones')


def one_tokenizer_in_a_phase(spec: ExperimentSpec) -> Iterator[Finding]:
    """P321: the texts of a phase, or of a curriculum with one vocabulary, speak in the same ids."""
    for at, path, phase in phases(spec):
        corpora = tuple(groups(spec, phase.data).values())
        if len(corpora) > 1:
            message = f"{'.'.join(at)} mixes {' and '.join(corpora)}, which are tokenised differently"
            yield Finding("P321", (*path, "data"), message, "give them one published tokenizer, or bytes")
    for name, curriculum in spec.curricula.items():
        if curriculum.vocabulary == "shared":
            corpora = tuple(groups(spec, (n for phase in curriculum.phases for n in phase.data)).values())
            if len(corpora) > 1 and all(len(groups(spec, phase.data)) < 2 for phase in curriculum.phases):
                message = f"{name} reads {' and '.join(corpora)}, which are tokenised differently"
                help = "give them one published tokenizer, or bytes, or phases their own vocabulary"
                yield Finding("P321", ("curricula", name, "vocabulary"), message, help)


def rows_are_kept_apart(spec: ExperimentSpec) -> Iterator[Finding]:
    """P452: a phase tells the rows of so many sources from each other."""
    for at, path, phase in phases(spec):
        if len(phase.data) > _SOURCES:
            message = f"{'.'.join(at)} reads {len(phase.data)} sources, each value that changes being one"
            yield Finding("P452", (*path, "data"), message, f"at most {_SOURCES}: let less change at once")


def positions_are_of_one_sort(study: Study) -> Iterator[Finding]:
    """P347: the positions of a phase are frames of as many cells, or tokens, in whatever it has ids for."""
    for phase in study.phases():
        names = spoken(study.spec.curricula[phase.address[0]], phase.spec)
        cells = {name: study.procedural[name].cells() if name in study.procedural else 0 for name in names}
        least, most = min(cells, key=cells.__getitem__), max(cells, key=cells.__getitem__)
        if cells[least] != cells[most]:
            other = f"frames of {cells[least]}" if cells[least] else "tokens"
            where = f"{'.'.join(phase.address)} has one vocabulary"
            message = f"{where} for {most}, in frames of {cells[most]} cells, and {least}, in {other}"
            help = 'give them phases, and vocabularies, of their own, or encode = "tokens"'
            yield Finding("P347", (*phase.path, "data"), message, help)


def _values(share: AnyShare) -> Iterator[tuple[tuple[str, ...], float]]:
    """The numbers a share is written with, each with its path inside the share."""
    match share:
        case Constant():
            yield (), share.value
        case Ramp():
            yield ("from",), share.start
            yield ("to",), share.to
        case Piecewise():
            yield from ((("steps", text), value) for text, value in share.steps.items())


def _laid_out(phase: PhaseSpec) -> bool:
    """Whether the shares can be laid out at all; where not, another rule says why."""
    shares = phase.data.values()
    begun = all(percent(next(iter(one.steps))) == 0 for one in shares if isinstance(one, Piecewise))
    return begun and not any(isinstance(share, Windowed) for share in shares)
