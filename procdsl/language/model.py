"""The model of a study, and what an arm may change of it."""

from __future__ import annotations

from pydantic import Field

from procdsl.language.base import Spec


class ModelSpec(Spec):
    """A GPT-2-shaped decoder: pre-LN, learned positions, GELU. `tied`: the head is the embedding."""

    layers: int = Field(ge=1, le=1_000)
    heads: int = Field(ge=1, le=1_000)
    width: int = Field(ge=1, le=100_000)
    context: int = Field(ge=1, le=1_000_000)
    tied: bool = True
    dropout: float = Field(default=0.0, ge=0, lt=1)


class ModelChange(ModelSpec):
    """What one curriculum's model has otherwise; the keys that are written count, the rest stay."""

    layers: int = Field(default=1, ge=1, le=1_000)
    heads: int = Field(default=1, ge=1, le=1_000)
    width: int = Field(default=1, ge=1, le=100_000)
    context: int = Field(default=1, ge=1, le=1_000_000)
