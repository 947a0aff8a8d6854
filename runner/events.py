"""Events: what the runner tells whoever watches; the runner itself draws and prints nothing.

name        operation   facts
bound       prepare id  source, fallback, digest
start       any id      kind; train: step (0, or where it goes on from), steps
progress    train id    step, steps, tokens, loss, tokens_per_second, memory (bytes on the device, or None)
            prepare id  done, total, unit
measured    train id    name, step, metrics
checkpoint  train id    step
note        any id, ""  text: a sentence a person should read (a fallback, a broken checkpoint, a replay)
done        any id      the operation's facts
stopped     any id      step
failed      any id      reason, message, help
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one operation of the plan (`operation` is its id, "" for the whole run)."""

    name: str
    operation: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


Observer = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The observer that looks away."""
