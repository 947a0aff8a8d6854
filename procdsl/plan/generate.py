"""Rows of generator programs."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from procdsl.errors import RunError
from procdsl.kinds import later
from procdsl.plan.base import Operation
from procdsl.programs.base import AnyProgram, Interval


class GenerateOperation(Operation):
    """Procedural rows: `context` + 1 ids each, a pure function of (data seed, name, split, index).

    `tokens` spells each local id: the alphabet, then the specials. A row feeds `context` positions; the
    token at j is scored (a target) where the generator says so. `floor` is the least possible mean loss
    over the scored tokens, in nats; `chance` the accuracy of the best guess that reads no structure. `text`
    is the corpus whose tokens are counted for the law that the program waits for, if it does. With `cells`, a
    position is a frame of so many ids, each 0 or 1, that are fed and asked for together.
    """

    unkeyed: ClassVar[frozenset[str]] = frozenset({"id", "floor", "chance"})
    kind: Literal["generate"] = "generate"
    name: str
    program: AnyProgram
    length: int = Field(gt=0)
    context: int = Field(gt=0)
    tokens: tuple[str, ...]
    floor: Interval | None = None
    chance: float | None = None
    text: str | None = later(None)
    cells: int = later(0, ge=0)

    @property
    def row(self) -> int:
        """The ids of a row."""
        return (self.context + 1) * max(self.cells, 1)

    def inputs(self) -> tuple[str, ...]:
        return (self.text,) if self.text else ()

    def settled(self) -> None:
        """RunError where the program waits for what a corpus says: it has no rows yet."""
        if law := self.program.awaited:
            raise RunError(
                f"{self.name!r} is weighed as corpus {law.corpus!r} is, whose tokens nobody has counted here",
                reason="unbound",
                help="a run counts them, or procdsl data fetch; to see rows now, give other weights",
            )
