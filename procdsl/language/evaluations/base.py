"""Evaluations: what is measured, on which source, and when. One file a kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from procdsl.grammars.base import Problem
from procdsl.kinds import Node
from procdsl.language.base import Name, PhaseName
from procdsl.language.quantities import Cadence
from procdsl.language.sources.base import Procedural
from procdsl.programs.measurements.base import AnyMeasurement


def one_or_more(value: Any) -> Any:
    """A text by itself as a list of one."""
    return (value,) if isinstance(value, str) else value


Phases = Annotated[
    tuple[PhaseName, ...],
    BeforeValidator(one_or_more, json_schema_input_type=str | tuple[PhaseName, ...]),
    Field(min_length=1),
]


class Evaluation(Node):
    """A kind of evaluation. Without `every` it is made after the last step alone.

    `phases` and `after` name phases by themselves ("text": in every curriculum) or in one curriculum
    ("dyck_first.text"); without them it is made wherever the source's vocabulary and a phase fit. `after`
    means once, at the end of those phases. `at` lists other numbers of the grammar, as in
    ``{ length = [64, 128] }``, each measured by an evaluation of its own, called `<name>_length64`.

    `of_frames` says whether it can be made where positions are frames, `of_answers` on a text of questions
    and answers whatever `problems` says of a text, `steers` whether a rule may watch it.
    """

    of_frames: ClassVar[bool] = False
    of_answers: ClassVar[bool] = False
    steers: ClassVar[bool] = True
    kind: str
    on: Name
    at: dict[str, tuple[int | float, ...]] | None = None
    every: Cadence | None = None
    phases: Phases | None = None
    after: Phases | None = None
    rows: int = Field(default=256, ge=1, le=10_000_000)
    split: Literal["train", "validation", "test"] = "validation"

    def measurement(self, source: str, on: Procedural | None) -> AnyMeasurement:
        """The plan's instruction, on the prepare or generate operation `source`; `on` is None for text."""
        raise NotImplementedError

    def metrics(self, on: Procedural | None) -> Mapping[str, bool]:
        """The numbers it gives, each with whether lower is better; `on` is None for text.

        A name that ends in `*` stands for the numbers of many lengths, layers or the like.
        """
        raise NotImplementedError

    def feeds(self) -> int:
        """The positions that rows of its own making feed; 0 where rows are the source's."""
        return 0

    def text_rows(self) -> int:
        """How many rows of a text it reads, where `on` is one."""
        return self.rows

    def problems(self, on: Procedural | None) -> Iterator[Problem]:
        """What it cannot measure there."""
        yield from ()
