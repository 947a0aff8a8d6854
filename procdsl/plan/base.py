"""What operations share: how they are named, what they read, and the digest that identity is made of."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any, ClassVar, TypeVar

from procdsl.kinds import Node


class Operation(Node):
    """A node of a plan. `unkeyed` names the fields that bear no identity, `inputs` those that hold ids."""

    unkeyed: ClassVar[frozenset[str]] = frozenset({"id"})
    id: str
    semantics: int = 1

    def inputs(self) -> tuple[str, ...]:
        """The ids of the operations whose output this one reads."""
        return ()

    def identity(self) -> dict[str, Any]:
        """The content that its key is made of, inputs by their ids."""
        return self.model_dump(mode="json", exclude=set(self.unkeyed))


OperationT = TypeVar("OperationT", bound=Operation)


def canonical(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, no NaN, floats by their shortest representation."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def digest(value: Any) -> str:
    """The key of a JSON value: 128 bits of blake2b over its canonical form, in hexadecimal."""
    return blake2b(canonical(value).encode(), digest_size=16).hexdigest()
