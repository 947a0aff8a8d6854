"""What settled budgets, batches and rows cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from procdsl.compiler.budgets import Budget, stretch
from procdsl.compiler.findings import Finding, Path, told
from procdsl.compiler.names import phases, procedural
from procdsl.compiler.study import Address
from procdsl.errors import Severity
from procdsl.language.corpora.base import TextCorpus
from procdsl.language.curricula import PhaseSpec
from procdsl.language.sources.base import Procedural
from procdsl.language.study import ExperimentSpec

Settled = Mapping[Address, Budget]


def budgets_fill_a_step(spec: ExperimentSpec, settled: Settled) -> Iterator[Finding]:
    """P403: a phase is at least one step."""
    for at, path, phase in phases(spec):
        budget = settled[at]
        if budget.asked < budget.step_tokens:
            message = (
                f"{'.'.join(at)}: {phase.told_budget} is {float(budget.asked):,.0f} tokens, "
                f"less than one step of {budget.batch_rows:,} rows × {budget.context:,} = "
                f"{budget.step_tokens:,} tokens"
            )
            help = f"at least {budget.step_tokens:,} tokens, or a smaller batch"
            yield Finding("P403", (*path, phase.budget_key), message, help)


def contexts_fit_the_model(spec: ExperimentSpec, settled: Settled) -> Iterator[Finding]:
    """P404: a phase's rows are no longer than the model's."""
    for at, path, _ in phases(spec):
        budget = settled[at]
        if budget.context > budget.model.context:
            message = (
                f"{'.'.join(at)} has rows of {budget.context:,}, the model reads {budget.model.context:,}"
            )
            yield Finding(
                "P404", (*path, "context"), message, "a smaller context here, or a larger one in [model]"
            )


def batches_hold_a_row(spec: ExperimentSpec, settled: Settled) -> Iterator[Finding]:
    """P405: a batch told in tokens holds at least one row."""
    for at, path, _ in phases(spec):
        budget = settled[at]
        batch = budget.training.batch_tokens
        if batch is not None and batch < budget.context:
            message = f"{'.'.join(at)}: a batch of {batch:,} tokens holds no whole row of {budget.context:,}"
            yield Finding(
                "P405", _batch_path(spec, at, path), message, f"batch_tokens = {budget.context:_} or more"
            )


def warmups_end(spec: ExperimentSpec, settled: Settled) -> Iterator[Finding]:
    """P406: the learning rate has risen before the phase ends."""
    for at, path, phase in phases(spec):
        budget = settled[at]
        warmup = stretch(budget.training.schedule.warmup, budget.steps, budget.step_tokens)
        if warmup > budget.steps:
            own = phase.training is not None and phase.training.schedule is not None
            here = (*path, "training", "schedule", "warmup") if own else ("training", "schedule", "warmup")
            message = f"the rate rises for {warmup:,} steps, {'.'.join(at)} has {budget.steps:,}"
            yield Finding("P406", here, message, 'a share fits every phase: warmup = "5%"')


def rows_hold_their_words(spec: ExperimentSpec, settled: Settled) -> Iterator[Finding]:
    """What grammars and sources say of rows of the contexts they are used in."""
    made = procedural(spec)
    for name, context in sorted(_contexts(spec, settled, made)):
        table = "sources" if name in spec.sources else "grammars"
        for problem in made[name].problems(context):
            yield told((table, name), problem)


def copies_change_what_they_name(spec: ExperimentSpec, settled: Settled) -> Iterator[Finding]:
    """P407: a copy by `like` changes no phase that it does not name, as through a relative budget."""
    for at, path, phase in phases(spec):
        like = spec.curricula[at[0]].like
        original = next((other for other in _phases_of(spec, like) if other.name == phase.name), None)
        if like is None or original != phase:
            continue
        here, there = settled[at].tokens, settled[like, at[1]].tokens
        if here != there:
            message = f"{'.'.join(at)} is as {like} writes it, but of {here:,} tokens, not {there:,}"
            help = f"name the phase in {at[0]} with the budget that is meant; {phase.budget} follows it"
            yield Finding("P407", (*path, "tokens"), message, help, Severity.WARNING)


def texts_are_long_enough(spec: ExperimentSpec, settled: Settled) -> Iterator[Finding]:
    """P408: what can be known before binding: no text has more tokens than bytes."""
    for at, path, phase in phases(spec):
        for name in phase.data:
            corpus = spec.corpora.get(name)
            most = corpus.most_tokens() if isinstance(corpus, TextCorpus) and len(phase.data) == 1 else None
            if most is not None and settled[at].tokens > most:
                message = f"{'.'.join(at)} reads {settled[at].tokens:,} tokens, {name} has at most {most:,}"
                help = f"more megabytes of {name}, more max_epochs, or fewer tokens"
                yield Finding("P408", (*path, "tokens"), message, help)


def _contexts(spec: ExperimentSpec, settled: Settled, made: Mapping[str, Procedural]) -> set[tuple[str, int]]:
    """Grammars and sources with the contexts of their phases, or where no phase reads them, their own.

    Of a source, what it is made of is read in its rows; of a grammar, not.
    """
    found = set[tuple[str, int]]()
    queue = [
        (name, settled[at].context) for at, _, phase in phases(spec) for name in phase.data if name in made
    ]
    while queue:
        name, context = queue.pop()
        found.add((name, context))
        if name in spec.sources:
            queue += [(part, context) for part in spec.sources[name].names().values()]
    idle = made.keys() - {name for name, _ in found}
    return found | {(name, made[name].longest()) for name in idle}


def _phases_of(spec: ExperimentSpec, curriculum: str | None) -> tuple[PhaseSpec, ...]:
    found = spec.curricula.get(curriculum or "")
    return found.phases if found else ()


def _batch_path(spec: ExperimentSpec, at: Address, path: Path) -> Path:
    phase = next(phase for other, _, phase in phases(spec) if other == at)
    own = phase.training is not None and phase.training.batch_tokens is not None
    return (*path, "training", "batch_tokens") if own else ("training", "batch_tokens")
