"""Where and when evaluations are made: which phases they fit, after which steps, on how much text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from procdsl.compiler import layouts, resolve
from procdsl.compiler.budgets import stretch
from procdsl.compiler.study import Phase, Study
from procdsl.language.corpora.base import LikenessCorpus, Needs, TextCorpus
from procdsl.language.evaluations.base import Evaluation


def applying(study: Study, phase: Phase) -> Iterator[tuple[str, Evaluation]]:
    """The evaluations that are made in a phase: it is meant, and the ids of the source are its ids."""
    for name, evaluation in study.spec.evaluations.items():
        if meant(phase, evaluation) and fits(study, phase, evaluation):
            yield name, evaluation


def meant(phase: Phase, evaluation: Evaluation) -> bool:
    """Whether the spec wants it there: no phases named, or this one."""
    named = evaluation.phases or evaluation.after
    return named is None or phase.address[1] in named or ".".join(phase.address) in named


def fits(study: Study, phase: Phase, evaluation: Evaluation) -> bool:
    """Whether a phase's vocabulary has the ids that the source speaks in, and rows as long as its."""
    corpora = study.spec.corpora
    if evaluation.on in corpora:
        text, row = phase.layout.text, problem_row(study, evaluation.on)
        if row is not None and row != phase.context:
            return False
        group = layouts.tokenizer_group
        return text is not None and group(study.spec, text) == group(study.spec, evaluation.on)
    made = study.procedural[evaluation.on]
    return made.cells() == phase.layout.cells and set(made.tokens()) <= set(phase.layout.tokens)


def problem_row(study: Study, name: str) -> int | None:
    """The positions of a row of questions and answers; None where a name means none."""
    corpus = study.spec.corpora.get(name)
    return corpus.problem_row() if isinstance(corpus, TextCorpus) else None


def steps(phase: Phase, evaluation: Evaluation) -> tuple[int, ...]:
    """The steps after which it is made: 0, every so many, and the last; without a cadence the last alone."""
    if evaluation.every is None:
        return (phase.steps,)
    every = cadence(phase, evaluation)
    return (*range(0, phase.steps, every), phase.steps)


def cadence(phase: Phase, evaluation: Evaluation) -> int:
    """The whole steps between two evaluations."""
    assert evaluation.every is not None
    return max(1, stretch(evaluation.every, phase.steps, phase.batch_rows * phase.context))


def row_context(study: Study, phase: Phase, evaluation: Evaluation) -> int:
    """The positions fed by a row it is made on: a procedural row's own, at most the model's."""
    if evaluation.on in study.spec.corpora:
        return phase.context
    made = study.measured(evaluation)
    assert made is not None
    return min(phase.model.context, made.longest())


def metrics(study: Study, evaluation: Evaluation) -> Mapping[str, bool]:
    """The numbers an evaluation gives, each with whether lower is better."""
    return evaluation.metrics(study.measured(evaluation))


def lower_is_better(study: Study, evaluation: Evaluation, metric: str) -> bool | None:
    """Whether less of a number is better; None if the evaluation does not give it."""
    known = metrics(study, evaluation)
    return next((known[name] for name in known if fnmatchcase(metric, name)), None)


def text_needs(study: Study) -> dict[str, Needs]:
    """How much of each corpus the study reads."""
    train = dict.fromkeys(study.spec.corpora, 0)
    validation = dict.fromkeys(study.spec.corpora, 0)
    for made in study.procedural.values():
        if law := made.program().awaited:
            train[law.corpus] = max(train[law.corpus], law.tokens)
    for phase in study.phases():
        for feed in set(phase.feeds) & set(train):
            rows = math.ceil(resolve.rows_read(phase, feed))
            train[feed] = max(train[feed], phase.offsets[feed] + rows * phase.context + 1)
        for _, evaluation in applying(study, phase):
            if evaluation.on in validation:
                needed = evaluation.text_rows() * phase.context + 1
                validation[evaluation.on] = max(validation[evaluation.on], needed)
    for name, corpus in study.spec.corpora.items():
        if isinstance(corpus, LikenessCorpus) and (train[name] or validation[name]):
            read = corpus.reads(Needs(train[name], validation[name]))
            train[corpus.of] = max(train[corpus.of], read.train)
            validation[corpus.of] = max(validation[corpus.of], read.validation)
    return {name: Needs(train[name], validation[name]) for name in train}
