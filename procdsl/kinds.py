"""Open families of spec nodes: one file per kind.

A family is an abstract `Node`; a kind is a subclass of it whose ``kind`` field is a one-value ``Literal``
and whose file, in the family's package, is named for it. Writing the file is all it takes.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Node(BaseModel):
    """A frozen, strict value: what every part of a spec, a program and a plan is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)
