"""Corpora: text that is read, and what is made of its tokens. One file a kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from procdsl import plan
from procdsl.grammars.base import Problem
from procdsl.kinds import Node
from procdsl.language.base import Name
from procdsl.language.quantities import Seed
from procdsl.language.tokenizers import AnyTokenizerSpec, CharactersTokenizerSpec


class Needs(NamedTuple):
    """How many tokens of a corpus a study reads, at most."""

    train: int = 0
    validation: int = 0


class Corpus(Node):
    """A kind of corpus. `kind` names it, and its file."""

    kind: str


class TextCorpus(Corpus):
    """Text that is read, from wherever it is. `validation` is the part of its documents that is held out."""

    validation: float = Field(default=0.01, gt=0, lt=1)
    max_epochs: float = Field(default=1.0, gt=0, le=10_000)
    # A kind has the field, or knows its own.
    if TYPE_CHECKING:

        @property
        def tokenizer(self) -> AnyTokenizerSpec | CharactersTokenizerSpec: ...

    def source(self) -> plan.AnySource:
        """Where its documents come from."""
        raise NotImplementedError

    def instead(self) -> plan.AnySource | None:
        """What is read, and said, where that cannot be reached."""
        return None

    def problem_row(self) -> int | None:
        """Of questions and answers: the positions of a row. They are laid out once, whoever reads them."""
        return None

    def most_tokens(self) -> int | None:
        """More than these no study can read, as far as that is known before it is bound."""
        return None

    def problems(self, needs: Needs) -> Iterator[Problem]:
        """What is doubtful about reading so much of it; paths are inside its own table."""
        yield from ()

    def prepare(self, name: str, needs: Needs) -> plan.PrepareOperation:
        """The operation that makes its shards."""
        return plan.PrepareOperation(
            id=f"prepare/{name}",
            name=name,
            source=self.source(),
            tokenizer=self.tokenizer.lowered(),
            fallback=self.instead(),
            validation_share=self.validation,
            max_epochs=self.max_epochs,
            train_tokens=needs.train,
            validation_tokens=needs.validation,
        )


class LikenessCorpus(Corpus):
    """A control for text, made of the tokens of the corpus `of`: its tokenizer, its parts, its passes."""

    of: Name
    seed: Seed = 0

    def source(self, text: str) -> plan.AnySource:
        """How its documents are made of those of the prepare operation `text`."""
        raise NotImplementedError

    def reads(self, needs: Needs) -> Needs:
        """What has to be there of the text, where so much of this is read."""
        raise NotImplementedError

    def prepare(self, name: str, needs: Needs, text: plan.PrepareOperation) -> plan.PrepareOperation:
        """The operation that makes its shards of those of `text`."""
        return text.model_copy(
            update={
                "id": f"prepare/{name}",
                "name": name,
                "source": self.source(text.id),
                "fallback": None,
                "train_tokens": needs.train,
                "validation_tokens": needs.validation,
            }
        )
