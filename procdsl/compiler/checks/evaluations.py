"""What cannot be measured, or not there, or not so often."""

from __future__ import annotations

from collections.abc import Iterator

from procdsl.compiler import measures
from procdsl.compiler.findings import Finding, told
from procdsl.compiler.study import Study
from procdsl.errors import Severity
from procdsl.language.study import ExperimentSpec

# Enough for any curve, and few enough to write down.
_MOST_MEASUREMENTS = 10_000


def once_or_again_and_again(spec: ExperimentSpec) -> Iterator[Finding]:
    """P340: `after` is once, `every` is again and again."""
    for name, evaluation in spec.evaluations.items():
        other = "every" if evaluation.every is not None else "phases" if evaluation.phases else None
        if evaluation.after is not None and other:
            message = f"{name} is made once, `after` a phase, and also has `{other}`"
            help = "phases = … with every = … measures on the way, the end included"
            yield Finding("P340", ("evaluations", name, "after"), message, help, key=True)


def cadences_are_more_than_nothing(spec: ExperimentSpec) -> Iterator[Finding]:
    """P341."""
    for name, evaluation in spec.evaluations.items():
        if evaluation.every is not None and evaluation.every.amount == 0:
            message = f"{name} is to be made every {evaluation.every}"
            yield Finding("P341", ("evaluations", name, "every"), message, 'every = "5%", or leave it out')


def texts_have_two_parts(spec: ExperimentSpec) -> Iterator[Finding]:
    """P342: a corpus has a train and a validation part."""
    for name, evaluation in spec.evaluations.items():
        if evaluation.on in spec.corpora and evaluation.split == "test":
            message = f"{evaluation.on} is a text, which has no test part"
            yield Finding("P342", ("evaluations", name, "split"), message, 'split = "validation"')


def sources_can_be_measured(study: Study) -> Iterator[Finding]:
    """What an evaluation says of its source."""
    for name, evaluation in study.spec.evaluations.items():
        if evaluation.of_answers and measures.problem_row(study, evaluation.on):
            continue
        for problem in evaluation.problems(study.measured(evaluation)):
            yield told(("evaluations", name), problem)


def frames_are_told_by_loss(study: Study) -> Iterator[Finding]:
    """P348: what is no token has no answer, no legal next one, and no id to look at."""
    for name, evaluation in study.spec.evaluations.items():
        made = study.procedural.get(evaluation.on)
        if made is not None and made.cells() and not evaluation.of_frames:
            message = f"{evaluation.on} has frames, not tokens, and {evaluation.kind} is about tokens"
            yield Finding("P348", ("evaluations", name, "kind"), message, 'kind = "loss"')


def rows_of_problems_are_the_phases(study: Study) -> Iterator[Finding]:
    """P345: problems are laid out in rows once, whoever reads them."""
    for phase in study.phases():
        for feed in phase.feeds:
            row = measures.problem_row(study, feed)
            if row is not None and row != phase.context:
                at = ".".join(phase.address)
                message = f"rows of {feed} have {row} positions, those of {at} {phase.context}"
                help = f"row = {phase.context} in {feed}, or context = {row} in the phase"
                yield Finding("P345", (*phase.path, "data"), message, help)


def evaluations_fit_somewhere(study: Study) -> Iterator[Finding]:
    """P420: an evaluation applies where its source's ids are; nowhere is an error."""
    for name, evaluation in study.spec.evaluations.items():
        meant = [phase for phase in study.phases() if measures.meant(phase, evaluation)]
        if any(measures.fits(study, phase, evaluation) for phase in meant):
            continue
        wanted = " or ".join(evaluation.phases or evaluation.after or ("any phase",))
        fitting = [".".join(p.address) for p in study.phases() if measures.fits(study, p, evaluation)]
        help = f"it fits {', '.join(fitting[:4])}" if fitting else f"no phase has {evaluation.on} in its data"
        what = "ids, or rows as long as those," if evaluation.on in study.spec.corpora else "ids"
        message = f"{name} cannot be made in {wanted}: the {what} of {evaluation.on} are not there"
        yield Finding("P420", ("evaluations", name, "on"), message, help)


def rows_fit_the_model(study: Study) -> Iterator[Finding]:
    """What grammars and sources say of the rows that evaluations read."""
    seen = set()
    for phase in study.phases():
        for _, evaluation in measures.applying(study, phase):
            made = study.measured(evaluation)
            context = measures.row_context(study, phase, evaluation)
            place = (evaluation.on, evaluation.split == "test", context)
            if made is None or place in seen:
                continue
            seen.add(place)
            table = "sources" if evaluation.on in study.spec.sources else "grammars"
            for problem in made.problems(context):
                yield told((table, evaluation.on), problem)


def rows_of_its_own_fit(study: Study) -> Iterator[Finding]:
    """P422: what an evaluation writes by itself fits the phases it is made in."""
    for phase in study.phases():
        for name, evaluation in measures.applying(study, phase):
            if evaluation.feeds() > phase.context:
                where = f"{'.'.join(phase.address)} has a context of {phase.context}"
                message = f"{name} feeds {evaluation.feeds()} positions, and {where}"
                yield Finding("P422", ("evaluations", name), message, "make its rows shorter", key=True)


def positions_are_trained(study: Study) -> Iterator[Finding]:
    """P344: positions are learned, and those behind a phase's context are not."""
    told = set()
    for phase in study.phases():
        for name, evaluation in measures.applying(study, phase):
            longest = measures.row_context(study, phase, evaluation)
            if longest > phase.context and name not in told:
                told.add(name)
                where = ".".join(phase.address)
                message = f"{name} feeds {longest} positions; {where} trains only the first {phase.context}"
                help = "give the phase that context, or read this as a measurement of untrained positions"
                yield Finding("P344", ("evaluations", name, "on"), message, help, Severity.WARNING)


def measurements_are_bounded(study: Study) -> Iterator[Finding]:
    """P421: a curve has points that can be counted."""
    for phase in study.phases():
        for name, evaluation in measures.applying(study, phase):
            if evaluation.every is None:
                continue
            count = phase.steps // measures.cadence(phase, evaluation)
            if count > _MOST_MEASUREMENTS:
                message = f"{name} would be made {count:,} times in {'.'.join(phase.address)}"
                help = f'at most {_MOST_MEASUREMENTS:,} times in a phase: every = "1%"'
                yield Finding("P421", ("evaluations", name, "every"), message, help)


def compared_is_measured(study: Study) -> Iterator[Finding]:
    """P209: a comparison's metric names a number that its evaluation gives."""
    for path, compared in study.spec.compared().items():
        evaluation, _, metric = compared.metric.partition("/")
        measured = study.spec.evaluations[evaluation]
        if measures.lower_is_better(study, measured, metric) is None:
            known = measures.metrics(study, measured)
            help = f"it gives {', '.join(f'{evaluation}/{name}' for name in known)}"
            message = f'{evaluation} gives no "{metric}"'
            yield Finding("P209", (*path, "metric"), message, help)
