"""Transfers: what passes from one phase's parameters to the next. Components that are not named are fresh."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from procdsl.language.base import PhaseName, Spec
from procdsl.language.quantities import Layers
from procdsl.plan import Component

Action = Literal["take", "fresh", "mean", "partial", "sample_rows", "shuffle"]


class RuleSpec(Spec):
    """What becomes of one component, in all its layers or some: ``layers = "0..5"``.

    `from` names another phase than the one the transfer starts from: the attention of one model and the
    mlp of another make a mixture of weights.
    """

    component: Component
    action: Action = "take"
    layers: Layers | None = None
    source: PhaseName | None = Field(default=None, alias="from")


class TransferSpec(Spec):
    """``take = ["attention", "mlp", "norm"]``, or `rules` that say more of each component."""

    take: tuple[Component, ...] = ()
    rules: tuple[RuleSpec, ...] = ()

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.take and not self.rules:
            raise ValueError('takes nothing over; name components: take = ["attention", "mlp", "norm"]')
        return self

    def all_rules(self) -> tuple[tuple[tuple[str | int, ...], RuleSpec], ...]:
        """Every rule with its path inside the transfer's table; `take` is a list of the shortest ones."""
        taken = ((("take", i), RuleSpec(component=name)) for i, name in enumerate(self.take))
        return (*taken, *((("rules", i), rule) for i, rule in enumerate(self.rules)))
