"""Which ids a phase has, and which rows it reads: vocabularies and cursors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from procdsl.compiler.study import Layout
from procdsl.language.corpora.base import LikenessCorpus, TextCorpus
from procdsl.language.curricula import CurriculumSpec, PhaseSpec
from procdsl.language.sources.base import Procedural
from procdsl.language.study import ExperimentSpec
from procdsl.language.tokenizers import BpeTokenizerSpec

# Rows are permuted within blocks of this many, so that disjoint blocks stay disjoint.
BLOCK = 1024


def text_of(spec: ExperimentSpec, name: str) -> str:
    """The corpus whose ids a corpus speaks in: itself, or the one whose tokens it is made of."""
    corpus = spec.corpora[name]
    return corpus.of if isinstance(corpus, LikenessCorpus) else name


def tokenizer_group(spec: ExperimentSpec, name: str) -> tuple[str, ...]:
    """Equal for corpora whose ids mean the same. A trained tokenizer is its corpus' own.

    Empty where a corpus is made of no text: another rule says so.
    """
    text = text_of(spec, name)
    corpus = spec.corpora.get(text)
    if not isinstance(corpus, TextCorpus):
        return ()
    if isinstance(corpus.tokenizer, BpeTokenizerSpec):
        return (text,)
    return tuple(str(part) for part in corpus.tokenizer.model_dump().values())


def groups(spec: ExperimentSpec, names: Iterable[str]) -> dict[tuple[str, ...], str]:
    """The tokenizer groups of the corpora among these names, each with the text of the first corpus of it."""
    found: dict[tuple[str, ...], str] = {}
    for name in names:
        if name in spec.corpora and (group := tokenizer_group(spec, name)):
            found.setdefault(group, text_of(spec, name))
    return found


def spoken(curriculum: CurriculumSpec, phase: PhaseSpec) -> tuple[str, ...]:
    """What a phase has ids for: what it reads, or all that its curriculum does."""
    phases = curriculum.phases if curriculum.vocabulary == "shared" else (phase,)
    return tuple(dict.fromkeys(name for one in phases for name in one.data))


def layout(
    spec: ExperimentSpec, procedural: Mapping[str, Procedural], curriculum: CurriculumSpec, phase: PhaseSpec
) -> Layout:
    """A phase's ids.

    Phases that share a tokenizer share one layout across the study, with the spellings of all that is ever
    mixed with that text, so that their losses are over the same ids and their parameters of one shape.
    """
    own = spoken(curriculum, phase)
    text = groups(spec, own)
    if not text:
        return Layout(None, spellings(procedural, own), max(procedural[name].cells() for name in own))
    ((group, corpus),) = text.items()
    everyone = (spoken(other, one) for other in spec.curricula.values() for one in other.phases)
    mixed = {name for names in everyone if group in groups(spec, names) for name in names}
    return Layout(corpus, spellings(procedural, [name for name in procedural if name in mixed]))


def size(spec: ExperimentSpec, layout: Layout) -> int:
    """How many ids there are, as declared: a fallback corpus may bring a tokenizer of another size."""
    if not layout.text:
        return layout.rows
    corpus = spec.corpora[layout.text]
    assert isinstance(corpus, TextCorpus), "a layout names a text"
    return corpus.tokenizer.lowered().size + layout.rows


def spellings(
    procedural: Mapping[str, Procedural], names: Sequence[str] | Mapping[str, object]
) -> tuple[str, ...]:
    """The tokens of these grammars and sources, each once: equal spelling is one token."""
    parts = (procedural[name].tokens() for name in names)
    return tuple(dict.fromkeys(token for part in parts for token in part))


def extent(rows: Fraction, *, text: bool, context: int) -> int:
    """Where reading this many rows from 0 ends: tokens for a text, rows for a generator; whole blocks."""
    blocks = math.ceil((math.ceil(rows) + 1) / BLOCK)
    return blocks * BLOCK * context if text else blocks * BLOCK
