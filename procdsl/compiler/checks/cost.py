"""What nobody can carry out: slips of a key, found by what they would cost."""

from __future__ import annotations

from collections.abc import Iterator

from procdsl.compiler import layouts
from procdsl.compiler.findings import Finding, told
from procdsl.compiler.measures import applying, row_context, steps, text_needs
from procdsl.compiler.names import origins
from procdsl.compiler.resolve import end
from procdsl.compiler.study import Phase, Study
from procdsl.errors import Severity
from procdsl.language.corpora.base import TextCorpus

# What an H100 does in a year: 4e14 operations a second in bf16, and at most about 1e8 tokens of a tiny model.
_YEAR = 365 * 86_400
_FLOPS, _TOKENS = 4e14 * _YEAR, 1e8 * _YEAR
_MOST_YEARS = 100
_MOST_PARAMETERS = 10**12
_MOST_TRIALS = 10_000


def models_can_be_held(study: Study) -> Iterator[Finding]:
    """P430."""
    largest = max(study.phases(), key=lambda phase: _parameters(study, phase))
    count = _parameters(study, largest)
    if count > _MOST_PARAMETERS:
        message = f"the model of {'.'.join(largest.address)} has {count:,} parameters"
        yield Finding(
            "P430", ("model",), message, "look at width and layers: no machine here holds it", key=True
        )


def phases_can_be_finished(study: Study) -> Iterator[Finding]:
    """P431."""
    for phase in study.phases():
        size = _parameters(study, phase)
        years = max(6 * size * phase.tokens / _FLOPS, phase.tokens / _TOKENS)
        if years > _MOST_YEARS:
            message = (
                f"{'.'.join(phase.address)} feeds {phase.tokens:.3g} tokens to {size:.3g} parameters: "
                f"{years:,.0f} years of an H100"
            )
            yield Finding(
                "P431", (*phase.path, phase.spec.budget_key), message, "fewer tokens, or a smaller model"
            )


def trials_can_be_counted(study: Study) -> Iterator[Finding]:
    """P432."""
    count = len(study.curricula) * len(study.spec.seeds)
    if count > _MOST_TRIALS:
        message = f"{len(study.curricula):,} curricula × {len(study.spec.seeds):,} seeds are {count:,} trials"
        yield Finding("P432", ("seeds",), message, f"at most {_MOST_TRIALS:,}")


def evaluations_cost_less_than_training(study: Study) -> Iterator[Finding]:
    """P433: a row evaluated costs a third of a row trained on."""
    for phase in study.phases():
        for name, evaluation in applying(study, phase):
            text = evaluation.on in study.spec.corpora
            rows = (evaluation.text_rows() if text else evaluation.rows) * len(steps(phase, evaluation))
            fed = rows * row_context(study, phase, evaluation)
            if fed > 3 * phase.tokens:
                here = ".".join(phase.address)
                message = f"{name} reads {fed:,} tokens in {here}, which trains on {phase.tokens:,}"
                path = ("evaluations", name)
                help = "fewer rows, or less often: it takes longer than the training"
                yield Finding("P433", path, message, help, Severity.WARNING, key=True)


def rows_are_new(study: Study) -> Iterator[Finding]:
    """P411: what a phase starts from, in another curriculum, has not read the phase's text already."""
    for phase in study.phases():
        for origin in _lineage(study, phase):
            for feed in set(phase.feeds) & set(origin.feeds) & set(study.spec.corpora):
                if origin.address[0] != phase.address[0] and _overlap(study, phase, origin, feed):
                    here, there = ".".join(phase.address), ".".join(origin.address)
                    message = f"{here} reads rows of {feed} that {there}, which it comes of, has read"
                    help = f"make {there} a phase of {phase.address[0]}: phases of one curriculum read apart"
                    yield Finding("P411", (*phase.path, "start"), message, help, Severity.WARNING)


def texts_are_read_with_sense(study: Study) -> Iterator[Finding]:
    """What corpora say of how much is read of them; binding counts for sure."""
    for name, needs in text_needs(study).items():
        corpus = study.spec.corpora[name]
        for problem in corpus.problems(needs) if isinstance(corpus, TextCorpus) else ():
            yield told(("corpora", name), problem)


def _parameters(study: Study, phase: Phase) -> int:
    return phase.model.parameters(layouts.size(study.spec, phase.layout))


def _lineage(study: Study, phase: Phase) -> Iterator[Phase]:
    """The phases whose parameters have come down to this one."""
    for at in set(origins(study.spec, phase.address, phase.spec).values()):
        yield study.by_address[at]
        yield from _lineage(study, study.by_address[at])


def _overlap(study: Study, one: Phase, other: Phase, feed: str) -> bool:
    starts, ends = [], []
    for phase in (one, other):
        starts.append(phase.offsets[feed])
        ends.append(phase.offsets[feed] + end(study, phase, feed))
    return max(starts) < min(ends)
