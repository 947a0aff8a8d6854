"""Text that every machine with Python has."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from pydantic import Field

from procdsl.language.corpora.base import TextCorpus
from procdsl.language.tokenizers import AnyTokenizerSpec
from procdsl.plan.sources.builtin import Builtin, BuiltinSource


class BuiltinCorpus(TextCorpus):
    """The documentation strings of Python and its packages, `pydocs`, or their source code, `pysource`.

    ```toml
    kind      = "builtin"
    name      = "pydocs"
    tokenizer = { kind = "bytes" }
    ```
    """

    kind: Literal["builtin"]
    tokenizer: AnyTokenizerSpec
    name: Builtin
    megabytes: float = Field(default=4.0, gt=0, le=10_000)

    def source(self) -> BuiltinSource:
        return BuiltinSource(name=self.name, megabytes=self.megabytes)

    def most_tokens(self) -> int:
        # No text has more tokens than bytes.
        return int(Fraction(str(self.megabytes)) * 10**6 * Fraction(str(self.max_epochs)))
