"""Spec to Study: names bound, budgets settled, mixtures laid out, vocabularies and cursors given.

Everything here may assume that the checks of `checks.meaning` found no error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from procdsl.compiler import budgets, layouts, mixtures, schedules
from procdsl.compiler.budgets import Budget
from procdsl.compiler.names import address, phases, procedural
from procdsl.compiler.study import Address, Origin, Phase, Study
from procdsl.language.curricula import PhaseSpec, Start
from procdsl.language.study import ExperimentSpec
from procdsl.plan import ModelShape


def resolve(spec: ExperimentSpec, settled: Mapping[Address, Budget]) -> Study:
    """The study, with every phase settled to these budgets."""
    made = procedural(spec)
    curricula: dict[str, list[Phase]] = {name: [] for name in spec.curricula}
    for at, path, phase in phases(spec):
        budget = settled[at]
        curricula[at[0]].append(
            Phase(
                address=at,
                path=path,
                spec=phase,
                training=budget.training,
                schedule=budgets.schedule(budget.training, budget.steps, budget.step_tokens),
                model=ModelShape.model_validate(budget.model.model_dump()),
                context=budget.context,
                batch_rows=budget.batch_rows,
                stages=mixtures.stages(phase.data, budget.steps),
                layout=layouts.layout(spec, made, spec.curricula[at[0]], phase),
                offsets={},
                origin=_origin(at, phase),
            )
        )
    sorts = any(grammar.held_out.sorts for grammar in spec.grammars.values())
    tested = procedural(spec, "test") if sorts else made
    study = Study(spec, made, tested, {name: tuple(found) for name, found in curricula.items()})
    return replace(study, curricula={name: _placed(study, found) for name, found in study.curricula.items()})


def _origin(at: Address, phase: PhaseSpec) -> Origin | None:
    if not isinstance(phase.start, Start):
        return None
    return Origin(address(at[0], phase.start.source), phase.start.transfer)


def rows_read(phase: Phase, feed: str) -> Fraction:
    """The rows of one of its feeds that a phase reads."""
    index = phase.feeds.index(feed)
    parts = (Fraction(str(stage.shares[index])) * stage.steps for stage in phase.stages)
    return sum(parts, Fraction(0)) * phase.batch_rows


def end(study: Study, phase: Phase, feed: str) -> int:
    """Where a phase's reading of a feed would end if it began at 0; at most, where it waits for mastery."""
    text = feed in study.spec.corpora
    while waits := schedules.awaited(phase.spec, feed):
        feed = waits.before
    return layouts.extent(rows_read(phase, feed), text=text, context=phase.context)


def _placed(study: Study, course: tuple[Phase, ...]) -> tuple[Phase, ...]:
    """A curriculum's phases with the offsets they read from.

    The last phase to read a source begins at its first row, in every curriculum: compared phases see the
    same rows in the same order. Earlier ones read what lies behind the longest of those. A replay reads
    where the phase it replays did, and bears on nobody else's rows.
    """
    fresh = _fresh(course)
    offsets = {
        phase.spec.name: {feed: _offset(study, fresh, index, feed) for feed in phase.feeds}
        for index, phase in enumerate(fresh)
    }
    return tuple(phase._replace(offsets=offsets[phase.spec.replay or phase.spec.name]) for phase in course)


def _fresh(course: tuple[Phase, ...]) -> tuple[Phase, ...]:
    return tuple(phase for phase in course if phase.spec.replay is None)


def _offset(study: Study, course: tuple[Phase, ...], index: int, feed: str) -> int:
    if not any(feed in later.feeds for later in course[index + 1 :]):
        return 0
    behind = max(end(study, last, feed) for other in study.curricula.values() for last in _last(other, feed))
    return behind + sum(end(study, earlier, feed) for earlier in course[:index] if feed in earlier.feeds)


def _last(course: tuple[Phase, ...], feed: str) -> tuple[Phase, ...]:
    """The last phase of a curriculum that reads a feed for itself, if any does."""
    readers = tuple(phase for phase in _fresh(course) if feed in phase.feeds)
    return readers[-1:]
