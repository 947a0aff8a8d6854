"""Text from local files."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, Literal, Self

from pydantic import Field

from procdsl.plan.sources.base import CorpusSource


class FilesSource(CorpusSource):
    """An explicit list of local files (jsonl, parquet, text, each perhaps gzipped)."""

    kind: Literal["files"] = "files"
    paths: tuple[str, ...] = Field(min_length=1)
    format: Literal["jsonl", "parquet", "text"]
    column: str = "text"

    def files(self) -> tuple[str, ...]:
        return self.paths

    def moved(self, *places: str) -> Self:
        return self.model_copy(update={"paths": places})

    @property
    def local(self) -> bool:
        return True

    def identity(self, *, repeats: bool) -> Self:
        return self.moved(*(PurePath(path).name for path in self.paths))

    def spelt(self) -> str:
        return self.paths[0] + (f" and {len(self.paths) - 1} more" if self.paths[1:] else "")

    def dataset(self, revision: str | None) -> tuple[str, dict[str, Any]]:
        return "local", {"uri": self.paths[0], "files": len(self.paths)}
