"""Corpora as written to the operations that prepare them."""

from __future__ import annotations

from typing import NamedTuple

from procdsl import plan
from procdsl.language.corpora import (
    AnyTokenizerSpec,
    BpeTokenizerSpec,
    BytesTokenizerSpec,
    CharactersTokenizerSpec,
    FilesCorpus,
    HubCorpus,
    HubTokenizerSpec,
    LikenessCorpus,
    MathCorpus,
    NgramCorpus,
    TextCorpus,
)

# Sizes of published tokenizers, so that a spec need not write what cannot be otherwise.
KNOWN_SIZES = {"gpt2": 50_257, "openai-community/gpt2": 50_257}


class Needs(NamedTuple):
    """How many tokens of a corpus a study reads, at most."""

    train: int = 0
    validation: int = 0


def prepare(name: str, corpus: TextCorpus | MathCorpus, needs: Needs) -> plan.PrepareOperation:
    """The operation that makes a corpus' shards."""
    return plan.PrepareOperation(
        id=f"prepare/{name}",
        name=name,
        source=_source(corpus),
        tokenizer=tokenizer(corpus.tokenizer),
        fallback=_fallback(corpus),
        validation_share=corpus.validation,
        max_epochs=corpus.max_epochs,
        train_tokens=needs.train,
        validation_tokens=needs.validation,
    )


def likeness(
    name: str, corpus: LikenessCorpus, text: plan.PrepareOperation, needs: Needs
) -> plan.PrepareOperation:
    """The same for a corpus made of the tokens of `text`: with its tokenizer, its parts and its passes."""
    return text.model_copy(
        update={
            "id": f"prepare/{name}",
            "name": name,
            "source": _likeness(corpus, text.id),
            "fallback": None,
            "train_tokens": needs.train,
            "validation_tokens": needs.validation,
        }
    )


def known_size(spec: HubTokenizerSpec) -> int | None:
    """The number of ids of a published tokenizer, written or known."""
    return spec.size or KNOWN_SIZES.get(spec.name)


def tokenizer(spec: AnyTokenizerSpec | CharactersTokenizerSpec) -> plan.AnyTokenizer:
    match spec:
        case CharactersTokenizerSpec():
            return plan.CharactersTokenizer(size=100 if spec.end else 99)
        case BytesTokenizerSpec():
            return plan.BytesTokenizer()
        case BpeTokenizerSpec():
            return plan.BpeTokenizer(size=spec.size)
    size = known_size(spec)
    assert size is not None, "checked: the size is written or known"
    return plan.HubTokenizer(name=spec.name, revision=spec.revision, size=size)


def _fallback(corpus: TextCorpus | MathCorpus) -> plan.BuiltinSource | plan.ProblemsSource | None:
    match corpus:
        case HubCorpus(fallback=fallback) if fallback:
            return plan.BuiltinSource(name=fallback.name, megabytes=fallback.megabytes)
        case MathCorpus() if corpus.fallback:
            return _problems(corpus, None)
    return None


def _problems(corpus: MathCorpus, path: str | None) -> plan.ProblemsSource:
    fields = corpus.model_dump(include={"parts", "modules", "row", "pack"})
    return plan.ProblemsSource(path=path, revision=corpus.revision if path else None, **fields)


def _likeness(corpus: LikenessCorpus, text: str) -> plan.NgramSource | plan.ShuffledSource:
    if isinstance(corpus, NgramCorpus):
        return plan.NgramSource(text=text, order=corpus.order, tokens=corpus.tokens, seed=corpus.seed)
    return plan.ShuffledSource(text=text, seed=corpus.seed)


def _source(corpus: TextCorpus | MathCorpus) -> plan.AnySource:
    match corpus:
        case MathCorpus():
            return _problems(corpus, corpus.path)
        case HubCorpus():
            fields = {"path", "config", "split", "column", "revision", "documents"}
            return plan.HubSource(**corpus.model_dump(include=fields))
        case FilesCorpus():
            return plan.FilesSource(**corpus.model_dump(include={"paths", "format", "column"}))
    return plan.BuiltinSource(name=corpus.name, megabytes=corpus.megabytes)
