"""Transfers: what passes from one phase's parameters to the next. Components that are not named are fresh."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from procdsl.language.base import PhaseName, Spec
from procdsl.language.quantities import Layers
from procdsl.plan import Action, Component, Part


class RuleSpec(Spec):
    """What becomes of one component, in all its layers or some: ``layers = "0..5"``.

    `from` names another phase than the one the transfer starts from: the attention of one model and the
    mlp of another make a mixture of weights. `parts` names parts of attention (query, key, value, output),
    mlp (up, down) or norm (before_attention, before_mlp, final), `heads` heads of an attention by number.
    ``of = "embedding"`` makes a head from the source's embedding; `rows` is how many rows of the source
    ``sample_rows`` draws from, if not from all.
    """

    component: Component
    action: Action = "take"
    layers: Layers | None = None
    source: PhaseName | None = Field(default=None, alias="from")
    parts: tuple[Part, ...] = ()
    heads: tuple[Annotated[int, Field(ge=0, lt=4096)], ...] = ()
    of: Literal["embedding"] | None = None
    rows: int | None = Field(default=None, ge=1, le=1_000_000)


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
