"""What a search cannot find: names that stand for nothing, and stretches that run the wrong way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from procdsl.compiler import measures
from procdsl.compiler.budgets import Budget
from procdsl.compiler.findings import Finding, unknown
from procdsl.compiler.probes import compared, extent
from procdsl.compiler.study import Address, Phase, Study
from procdsl.language.searches import SearchSpec
from procdsl.language.study import ExperimentSpec


def searched_is_known(spec: ExperimentSpec) -> Iterator[Finding]:
    """P219: a search names a curriculum and one of its phases, a baseline, and an evaluation's metric."""
    for name, search in spec.searches.items():
        path = ("searches", name)
        for key, curriculum in {"curriculum": search.curriculum, "baseline": search.baseline}.items():
            if curriculum is not None and curriculum not in spec.curricula:
                yield from unknown("P219", (*path, key), curriculum, spec.curricula, "curriculum")
        own = spec.curricula.get(search.curriculum)
        if own and search.phase not in (known := [phase.name for phase in own.phases]):
            what = f"phase of {search.curriculum}"
            yield from unknown("P219", (*path, "phase"), search.phase, known, what)
        evaluation = (search.metric or "").partition("/")[0]
        if search.metric is not None and evaluation not in spec.evaluations:
            yield from unknown("P219", (*path, "metric"), evaluation, spec.evaluations, "evaluation")


def searches_compare(spec: ExperimentSpec) -> Iterator[Finding]:
    """P306: there is a metric to decide by, and another curriculum as the baseline."""
    flagged = [name for name, curriculum in spec.curricula.items() if curriculum.baseline]
    for name, search in spec.searches.items():
        asked = compared(spec, search)
        baseline = (asked.baseline if asked else None) or next(iter(flagged), None)
        if asked is None:
            message, help = f"nothing says by which metric {name} is decided", 'metric = "c4/loss"'
        elif baseline is None:
            message, help = f"nothing says which curriculum {name} is to reach", "baseline = …"
        elif baseline == search.curriculum:
            message, help = f"{name} searches the baseline itself", "name another curriculum"
        else:
            continue
        yield Finding("P306", ("searches", name), message, help, key=True)


def searches_run_upwards(spec: ExperimentSpec, settled: Mapping[Address, Budget]) -> Iterator[Finding]:
    """P307: from less to more, at most the phase's own budget, in steps that can be told apart."""
    for name, search in spec.searches.items():
        own = settled[search.curriculum, search.phase]
        low, high, tolerance = extent(search, own)
        if not low < high <= own.steps:
            message = f"{name} searches from {low:,} to {high:,} steps of a phase that has {own.steps:,}"
            help = 'from less to more, at most all of it: between = ["30%", "100%"]'
            yield Finding("P307", ("searches", name, "between"), message, help)
        elif tolerance < 1:
            message = f"{search.tolerance} of {own.steps:,} steps is no whole step"
            yield Finding("P307", ("searches", name, "tolerance"), message, 'tolerance = "2.5%"')


def searched_is_measured(study: Study) -> Iterator[Finding]:
    """P308: the metric that decides is one that both curricula end with."""
    spec = study.spec
    for name, search in spec.searches.items():
        asked = compared(spec, search)
        assert asked is not None, "checked: there is a metric"
        evaluation, _, metric = asked.metric.partition("/")
        known = measures.metrics(study, spec.evaluations[evaluation])
        if measures.lower_is_better(study, spec.evaluations[evaluation], metric) is None:
            help = f"it gives {', '.join(f'{evaluation}/{one}' for one in known)}"
            yield Finding("P308", ("searches", name), f'{evaluation} gives no "{metric}"', help, key=True)
        elif not any(evaluation == one for one, _ in measures.applying(study, _last(study, search))):
            message = f"{evaluation} is not made at the end of {search.curriculum}, which {name} decides by"
            yield Finding("P308", ("searches", name), message, "name another metric", key=True)


def _last(study: Study, search: SearchSpec) -> Phase:
    return study.curricula[search.curriculum][-1]
