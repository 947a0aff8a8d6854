"""Text from local files."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.language.corpora.base import TextCorpus
from procdsl.language.tokenizers import AnyTokenizerSpec
from procdsl.plan.sources.files import FilesSource


class FilesCorpus(TextCorpus):
    """Local files, listed, each perhaps gzipped; paths, and globs, are relative to the spec.

    ```toml
    kind      = "files"
    paths     = ["one.jsonl.gz", "two.jsonl.gz"]
    format    = "jsonl"
    tokenizer = { kind = "bpe", size = 4096 }
    ```
    """

    kind: Literal["files"]
    tokenizer: AnyTokenizerSpec
    paths: tuple[str, ...] = Field(min_length=1)
    format: Literal["jsonl", "parquet", "text"]
    column: str = "text"

    def source(self) -> FilesSource:
        return FilesSource(paths=self.paths, format=self.format, column=self.column)
