"""Text from the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from procdsl.errors import Severity
from procdsl.grammars.base import Problem
from procdsl.language.base import Spec
from procdsl.language.corpora.base import Needs, TextCorpus
from procdsl.language.tokenizers import AnyTokenizerSpec
from procdsl.plan.sources.builtin import Builtin, BuiltinSource
from procdsl.plan.sources.hub import HubSource


class FallbackSpec(Spec):
    """The built-in text used, and said, when the Hub cannot be reached; it brings its own tokenizer."""

    name: Builtin
    megabytes: float = Field(default=4.0, gt=0, le=10_000)


def _fallback(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class HubCorpus(TextCorpus):
    """A data set of the Hugging Face Hub, streamed in its published order; `documents` bounds it.

    ```toml
    kind      = "hub"
    path      = "allenai/c4"
    config    = "en"
    tokenizer = { kind = "hub", name = "gpt2" }
    fallback  = "pydocs"
    ```
    """

    kind: Literal["hub"]
    tokenizer: AnyTokenizerSpec
    path: str = Field(min_length=1)
    config: str | None = None
    split: str = "train"
    column: str = "text"
    revision: str | None = None
    documents: int | None = Field(default=None, ge=1)
    fallback: (
        Annotated[FallbackSpec, BeforeValidator(_fallback, json_schema_input_type=Builtin | FallbackSpec)]
        | None
    ) = None

    def source(self) -> HubSource:
        fields = {"path", "config", "split", "column", "revision", "documents"}
        return HubSource(**self.model_dump(include=fields))

    def instead(self) -> BuiltinSource | None:
        return BuiltinSource(**self.fallback.model_dump()) if self.fallback else None

    def problems(self, needs: Needs) -> Iterator[Problem]:
        if self.documents is None:
            return
        each = needs.train / self.documents / self.max_epochs
        if each > 2_000:
            message = (
                f"{needs.train:,} tokens of {self.documents:,} documents are {each:,.0f} from each in a pass"
            )
            help = (
                "more documents, or max_epochs = … if they are to be read again (C4's have about 480 tokens)"
            )
            yield Problem("P410", message, ("documents",), help, Severity.WARNING)
