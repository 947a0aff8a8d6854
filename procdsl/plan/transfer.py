"""Parameters that pass between models."""

from __future__ import annotations

from typing import Literal

from procdsl.kinds import Node, later
from procdsl.plan.base import Operation
from procdsl.plan.models import Component, ModelShape, Part, Vocabulary

Action = Literal[
    "take",
    "fresh",
    "mean",
    "partial",
    "first_rows",
    "sample_rows",
    "permute_rows",
    "shuffle",
    "statistics",
    "scale",
]


class TransferRule(Node):
    """What becomes of one component, in layers `first` .. `last` (embedding, position and head have none).

    take: copied from the source. fresh: from the target's seed. mean: every row is the source's mean row.
    partial: the rows that both have are copied (ids of one meaning, positions of one number), the rest is
    the mean; first_rows: the same by number alone. sample_rows: each row one of the source's, or of `rows`
    drawn from them. permute_rows: the source's rows in another order. shuffle: the source's entries,
    permuted inside each tensor. statistics: drawn anew with the mean and the standard deviation of the
    source's tensor. scale: the fresh tensor times one number, so that its root mean square is the source's.

    `parts` names parts of the component, `heads` heads of an attention: rows of query, key and value (and
    their biases), columns of the output, whose bias is no head's. `of` says which component of the source
    a head is made from, where it is not its own.
    """

    component: Component
    action: Action
    source: str | None = None
    first: int = 0
    last: int | None = None
    parts: tuple[Part, ...] = later(())
    heads: tuple[int, ...] = later(())
    of: Literal["embedding"] | None = later(None)
    rows: int | None = later(None)


class TransferOperation(Operation):
    """Initial parameters of a phase, made from those of earlier ones. Unnamed components are fresh."""

    kind: Literal["transfer"] = "transfer"
    seed: int
    model: ModelShape
    vocabulary: Vocabulary
    rules: tuple[TransferRule, ...]

    def inputs(self) -> tuple[str, ...]:
        named = (self.vocabulary.text, *(rule.source for rule in self.rules))
        return tuple(dict.fromkeys(id for id in named if id))
