"""Words of somebody else's making."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from procdsl.programs.base import WordProgram


class PluginProgram(WordProgram):
    """Words that a plug-in draws (`procdsl.plugins`): the one of this distribution, place and digest."""

    kind: Literal["plugin"] = "plugin"
    plugin: str
    distribution: str
    source: str
    digest: str
    options: tuple[tuple[str, bool | int | float | str], ...] = ()
    count: int = Field(ge=1, le=2**20)

    @property
    def symbols(self) -> int:
        return self.count
