"""What a model and its training cannot be."""

from __future__ import annotations

from collections.abc import Iterator

from procdsl.compiler.findings import Finding, Path
from procdsl.compiler.names import phases
from procdsl.language.corpora.base import TextCorpus
from procdsl.language.model import ModelSpec
from procdsl.language.optimiser import changed
from procdsl.language.study import ExperimentSpec
from procdsl.language.tokenizers import HubTokenizerSpec


def heads_divide_the_width(spec: ExperimentSpec) -> Iterator[Finding]:
    """P330: every head has the same whole width."""
    yield from _heads(spec.model, ("model", "heads"))
    for name, curriculum in spec.curricula.items():
        if curriculum.model is not None:
            yield from _heads(changed(spec.model, curriculum.model), ("curricula", name, "model"))


def one_batch(spec: ExperimentSpec) -> Iterator[Finding]:
    """P324: a batch is told in tokens or in rows."""
    training, help = spec.training, "batch_tokens = 65_536, or batch_rows = 32"
    if training.batch_tokens is None and training.batch_rows is None:
        yield Finding("P324", ("training",), "the training does not say how large a batch is", help)
    if training.batch_tokens is not None and training.batch_rows is not None:
        message = "a batch is told twice, in tokens and in rows"
        yield Finding("P324", ("training", "batch_rows"), message, "keep one")
    for at, path, phase in phases(spec):
        change = phase.training
        if change is not None and change.batch_rows is not None and change.batch_tokens is not None:
            message = f"{'.'.join(at)}'s batch is told twice, in tokens and in rows"
            yield Finding("P324", (*path, "training", "batch_rows"), message, "keep one")


def tokenizers_have_a_size(spec: ExperimentSpec) -> Iterator[Finding]:
    """P326: the number of ids of a published tokenizer is known or written, so that a plan has shapes."""
    for name, corpus in spec.corpora.items():
        tokenizer = corpus.tokenizer if isinstance(corpus, TextCorpus) else None
        if isinstance(tokenizer, HubTokenizerSpec) and tokenizer.known_size() is None:
            message = f'the number of ids of the tokenizer "{tokenizer.name}" is not known here'
            help = "add its size: tokenizer = { kind = …, name = …, size = 50_257 }"
            yield Finding("P326", ("corpora", name, "tokenizer", "name"), message, help)


def betas_are_below_one(spec: ExperimentSpec) -> Iterator[Finding]:
    """P327: AdamW's betas are averages' weights."""
    yield from _betas(spec.training.optimiser.betas, ("training", "optimiser", "betas"))
    for _, path, phase in phases(spec):
        if phase.training is not None and phase.training.optimiser is not None:
            yield from _betas(phase.training.optimiser.betas, (*path, "training", "optimiser", "betas"))


def _betas(betas: tuple[float, float], path: Path) -> Iterator[Finding]:
    for index, beta in enumerate(betas):
        if not 0 <= beta < 1:
            yield Finding(
                "P327", (*path, index), f"a beta of {beta:g} is no average", "0 or more, less than 1"
            )


def _heads(model: ModelSpec, path: Path) -> Iterator[Finding]:
    if model.width % model.heads:
        near = [heads for heads in range(1, min(model.width, 1_000) + 1) if model.width % heads == 0]
        best = sorted(near, key=lambda heads: abs(heads - model.heads))[:3]
        message = f"{model.heads} heads do not divide a width of {model.width}"
        yield Finding("P330", path, message, f"nearest that do: {', '.join(map(str, sorted(best)))}")
