"""What every table of a spec is: a strict, frozen value with no key that nobody reads."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, StringConstraints, model_validator

from procdsl.kinds import Node, frozen

NAME = r"[a-z][a-z0-9_]{0,63}"
Name = Annotated[str, StringConstraints(pattern=f"^{NAME}$")]
# "warmup", a phase of the same curriculum, or "dyck_first.warmup", a phase of a named one.
PhaseName = Annotated[str, StringConstraints(pattern=rf"^{NAME}(\.{NAME})?$")]


class Spec(Node):
    """A table as written. Strict: text is never read as a number, nor true as one."""

    model_config = ConfigDict(strict=True)

    @model_validator(mode="before")
    @classmethod
    def _lists_as_tuples(cls, value: Any) -> Any:
        return frozen(value) if isinstance(value, dict) else value
