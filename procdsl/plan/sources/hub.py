"""Text from the Hugging Face Hub."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from procdsl.plan.sources.base import PublishedSource


class HubSource(PublishedSource):
    """A data set, streamed in its published order."""

    kind: Literal["hub"] = "hub"
    path: str
    config: str | None = None
    split: str = "train"
    column: str = "text"
    documents: int | None = Field(default=None, gt=0)

    def spelt(self) -> str:
        return f"{self.path}/{self.config}" if self.config else self.path

    def dataset(self, revision: str | None) -> tuple[str, dict[str, Any]]:
        address = {"path": self.path, "config_name": self.config, "split": self.split}
        return "hugging_face", address | {"revision": revision or self.revision}
