"""Corpora as written to the operations that prepare them."""

from __future__ import annotations

from dataclasses import dataclass

from procdsl import plan
from procdsl.language.corpora import (
    AnyCorpus,
    AnyTokenizerSpec,
    BpeTokenizerSpec,
    BytesTokenizerSpec,
    FilesCorpus,
    HubCorpus,
    HubTokenizerSpec,
)

# Sizes of published tokenizers, so that a spec need not write what cannot be otherwise.
KNOWN_SIZES = {"gpt2": 50_257, "openai-community/gpt2": 50_257}


@dataclass(frozen=True)
class Needs:
    """How many tokens of a corpus a study reads, at most."""

    train: int = 0
    validation: int = 0


def prepare(name: str, corpus: AnyCorpus, needs: Needs) -> plan.PrepareOperation:
    """The operation that makes a corpus' shards."""
    fallback = corpus.fallback if isinstance(corpus, HubCorpus) else None
    return plan.PrepareOperation(
        id=f"prepare/{name}",
        name=name,
        source=_source(corpus),
        tokenizer=tokenizer(corpus.tokenizer),
        fallback=plan.BuiltinSource(name=fallback.name, megabytes=fallback.megabytes) if fallback else None,
        validation_share=corpus.validation,
        max_epochs=corpus.max_epochs,
        train_tokens=needs.train,
        validation_tokens=needs.validation,
    )


def known_size(spec: HubTokenizerSpec) -> int | None:
    """The number of ids of a published tokenizer, written or known."""
    return spec.size or KNOWN_SIZES.get(spec.name)


def tokenizer(spec: AnyTokenizerSpec) -> plan.AnyTokenizer:
    match spec:
        case BytesTokenizerSpec():
            return plan.BytesTokenizer()
        case BpeTokenizerSpec():
            return plan.BpeTokenizer(size=spec.size)
    size = known_size(spec)
    assert size is not None, "checked: the size is written or known"
    return plan.HubTokenizer(name=spec.name, revision=spec.revision, size=size)


def _source(corpus: AnyCorpus) -> plan.AnySource:
    match corpus:
        case HubCorpus():
            fields = {"path", "config", "split", "column", "revision", "documents"}
            return plan.HubSource(**corpus.model_dump(include=fields))
        case FilesCorpus():
            return plan.FilesSource(**corpus.model_dump(include={"paths", "format", "column"}))
    return plan.BuiltinSource(name=corpus.name, megabytes=corpus.megabytes)
