"""Names that stand for nothing, for two things, or for themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from procdsl.compiler.findings import Finding, Path, unknown
from procdsl.compiler.names import address, cycle, everything, made_of, origins, phases
from procdsl.compiler.study import Address
from procdsl.language.corpora.base import LikenessCorpus, TextCorpus
from procdsl.language.curricula import Start
from procdsl.language.study import CompareSpec, ExperimentSpec


def data_is_known(spec: ExperimentSpec) -> Iterator[Finding]:
    """P201: `data` names a grammar, a source or a corpus."""
    known = everything(spec)
    for _, path, phase in phases(spec):
        for name in phase.data:
            if name not in known:
                what = "grammar, source or corpus"
                yield from unknown("P201", (*path, "data", name), name, known, what, key=True)


def parts_are_known(spec: ExperimentSpec) -> Iterator[Finding]:
    """P202: a grammar is made of grammars and weighed by corpora, a source made of grammars and sources.

    A corpus that is made of another's tokens is made of text.
    """
    for name, grammar in spec.grammars.items():
        for part in grammar.references():
            if part not in spec.grammars:
                path, span = _mention(part, grammar.model_dump(by_alias=True), ("grammars", name))
                yield from unknown("P202", path, part, spec.grammars, "grammar", span=span)
        for text in grammar.texts():
            if text not in spec.corpora:
                yield from unknown("P202", ("grammars", name, "weights"), text, spec.corpora, "corpus")
    known = (*spec.grammars, *spec.sources)
    for name, source in spec.sources.items():
        for key, part in source.names().items():
            if part in spec.corpora:
                message = f'"{part}" is a corpus, and a source is made of grammars and sources'
                help = f"write it as [corpora.{name}]: what is made of a corpus is a corpus"
                yield Finding("P202", ("sources", name, key), message, help)
            elif part not in known:
                yield from unknown("P202", ("sources", name, key), part, known, "grammar or source")
    texts = tuple(
        name
        for name, corpus in spec.corpora.items()
        if isinstance(corpus, TextCorpus) and not corpus.problem_row()
    )
    for name, corpus in spec.corpora.items():
        if isinstance(corpus, LikenessCorpus) and corpus.of not in texts:
            yield from unknown("P202", ("corpora", name, "of"), corpus.of, texts, "corpus of text")


def measured_is_known(spec: ExperimentSpec) -> Iterator[Finding]:
    """P203: an evaluation is made on a grammar, a source or a corpus."""
    known = everything(spec)
    for name, evaluation in spec.evaluations.items():
        if evaluation.on not in known:
            path = ("evaluations", name, "on")
            yield from unknown("P203", path, evaluation.on, known, "grammar, source or corpus")


def transfers_are_known(spec: ExperimentSpec) -> Iterator[Finding]:
    """P204: a start names a transfer."""
    for _, path, phase in phases(spec):
        transfer = phase.start.transfer if isinstance(phase.start, Start) else None
        if transfer is not None and transfer not in spec.transfers:
            yield from unknown("P204", (*path, "start", "transfer"), transfer, spec.transfers, "transfer")


def origins_are_known(spec: ExperimentSpec) -> Iterator[Finding]:
    """P205: a start, and a transfer's rule, names a phase."""
    for at, path, phase in phases(spec):
        for inner, origin in origins(spec, at, phase).items():
            start = phase.start
            place = (*path, *inner)
            if inner[0] != "start" and isinstance(start, Start):
                place = ("transfers", start.transfer or "", *inner)
            yield from _unknown_phase(spec, "P205", place, at, origin)


def anchors_are_known(spec: ExperimentSpec) -> Iterator[Finding]:
    """P206: a relative budget names a phase."""
    for at, path, phase in phases(spec):
        if phase.tokens is not None and phase.tokens.anchor is not None:
            anchor = address(at[0], phase.tokens.anchor)
            yield from _unknown_phase(spec, "P206", (*path, "tokens"), at, anchor)


def evaluated_phases_are_known(spec: ExperimentSpec) -> Iterator[Finding]:
    """P207: an evaluation's `phases` and `after` name phases that some curriculum has."""
    known = {at for at, _, _ in phases(spec)}
    short = {name for _, name in known}
    for name, evaluation in spec.evaluations.items():
        wanted: dict[str, tuple[str, ...]] = {
            "phases": evaluation.phases or (),
            "after": evaluation.after or (),
        }
        for key, names in wanted.items():
            for index, phase in enumerate(names):
                if phase not in short and tuple(phase.split(".")) not in known:
                    yield from unknown("P207", ("evaluations", name, key, index), phase, short, "phase")


def compared_is_known(spec: ExperimentSpec) -> Iterator[Finding]:
    """P208: a comparison's metric is "<evaluation>/<metric>", of an evaluation that is there.

    P211: what it compares are curricula.
    """
    for path, compared in spec.compared().items():
        evaluation, slash, _ = compared.metric.partition("/")
        if not slash or evaluation not in spec.evaluations:
            yield from unknown("P208", (*path, "metric"), evaluation, spec.evaluations, "evaluation")
        named = {("baseline",): compared.baseline} if compared.baseline else {}
        for inner, name in (*named.items(), *((("curricula", i), n) for i, n in _listed(compared))):
            if name not in spec.curricula:
                yield from unknown("P211", (*path, *inner), name, spec.curricula, "curriculum")


def _listed(compared: CompareSpec) -> Iterator[tuple[int | str, str]]:
    """The curricula of a comparison by where they stand in its list or table."""
    for index, (label, name) in enumerate((compared.curricula or {}).items()):
        yield index if label == name else label, name


def names_are_unique(spec: ExperimentSpec) -> Iterator[Finding]:
    """P210: one name stands for one thing, because `data` and `on` name any of them."""
    tables = {
        "grammars": tuple(spec.grammars),
        "sources": tuple(spec.sources),
        "corpora": tuple(spec.corpora),
    }
    seen: dict[str, str] = {}
    for table, names in tables.items():
        for name in names:
            if name in seen:
                message = f'"{name}" is already the name of one of the {seen[name]}'
                yield Finding("P210", (table, name), message, "give one of them another name", key=True)
            seen.setdefault(name, table)


def phases_are_unique(spec: ExperimentSpec) -> Iterator[Finding]:
    """P211: a curriculum's phases have different names."""
    seen: set[Address] = set()
    for at, path, _ in phases(spec):
        if at in seen:
            yield Finding(
                "P211", (*path, "name"), f'{at[0]} has another phase called "{at[1]}"', "rename one"
            )
        seen.add(at)


def sources_run_in_no_circle(spec: ExperimentSpec) -> Iterator[Finding]:
    """P212: no grammar or source is made of itself."""
    if found := cycle(made_of(spec)):
        message = f"these are made of each other: {' -> '.join(found)}"
        table = "sources" if found[0] in spec.sources else "grammars"
        yield Finding("P212", (table, found[0]), message, "let one stand by itself", key=True)


def _unknown_phase(
    spec: ExperimentSpec, code: str, path: tuple[str | int, ...], at: Address, wanted: Address
) -> Iterator[Finding]:
    curriculum, name = wanted
    if curriculum not in spec.curricula:
        yield from unknown(code, path, curriculum, spec.curricula, "curriculum")
    elif wanted not in (known := {known for known, _, _ in phases(spec)}):
        here = {phase for owner, phase in known if owner == curriculum}
        yield from unknown(code, path, name, here, f"phase of {curriculum}")


def _mention(name: str, value: Any, path: Path) -> tuple[Path, tuple[int, int] | None]:
    """Where a name is first written in the texts of a table, and which characters it is; else the table."""
    if isinstance(value, str) and (found := re.search(rf"\b{re.escape(name)}\b", value)):
        return path, (found.start(), len(name))
    for key, part in value.items() if isinstance(value, dict) else ():
        place, span = _mention(name, part, (*path, key))
        if span is not None and key != "kind":
            return place, span
    return path, None
