"""Attempts at operations: one, or several that train side by side. Whatever comes of each is a result.

Those that train side by side take their steps together: each goes on to its next step, all of these are taken
as one (`runner.replicas.stack`), and each gets its numbers. One that ends, fails or stops leaves the others.
"""

from __future__ import annotations

import traceback
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from procdsl.errors import ProcdslError, Stopped
from procdsl.plan import Plan
from runner.events import Observer
from runner.execution import Execution
from runner.operations import Stopping, course

if TYPE_CHECKING:
    from runner.devices import Later
    from runner.replicas.stack import Stack
    from runner.train import Turn

    Course = Generator[Turn, Later, None]

_OUT_OF_MEMORY = ("OutOfMemoryError", "MemoryError")


@dataclass(frozen=True)
class Result:
    """How an attempt at an operation ended."""

    id: str
    state: Literal["done", "failed", "stopped"]
    reason: str = ""
    message: str = ""
    help: str = ""
    details: str = ""


def attempt(
    plan: Plan, ids: Sequence[str], execution: Execution, observe: Observer, stopping: Stopping
) -> Iterator[Result]:
    """Carry operations out side by side; the result of each as it ends."""
    execution = replace(execution, replicas=len(ids))
    courses = {id: course(plan, id, execution, observe, stopping) for id in ids}
    answers: dict[str, Later | Exception | None] = dict.fromkeys(ids)
    stack: Stack | None = None
    try:
        while courses:
            turns: dict[str, Turn] = {}
            for id, answer in answers.items():
                went = _advance(id, courses[id], answer)
                if isinstance(went, Result):
                    del courses[id]
                    yield went
                else:
                    turns[id] = went
            if turns:
                # PyTorch takes seconds to import; here it is.
                from runner.replicas.stack import Stack

                stack = stack or Stack()
                answers = _stepped(stack, turns)
    finally:
        for left in courses.values():
            left.close()


def _advance(id: str, course: Course, answer: Later | Exception | None) -> Turn | Result:
    """Go on to the next step, or to the end: one that fails stops no other."""
    try:
        if isinstance(answer, Exception):
            return course.throw(answer)
        # The first thing sent to a generator is None.
        return course.send(answer)  # type: ignore[arg-type]
    except StopIteration:
        return Result(id, "done")
    except Stopped as error:
        return Result(id, "stopped", error.reason, str(error))
    except ProcdslError as error:
        return Result(id, "failed", error.reason, str(error), getattr(error, "help", ""))
    except Exception as error:  # the edge of an operation: a bug in one must not end the study
        return _unforeseen(id, error)


def _stepped(stack: Stack, turns: dict[str, Turn]) -> dict[str, Later | Exception | None]:
    """The numbers of each; what goes wrong in a step goes wrong in all that take it."""
    try:
        return dict(zip(turns, stack.step([*turns.values()]), strict=True))
    except Exception as error:  # thrown into each of them, it is met at their edge
        return dict.fromkeys(turns, error)


def _unforeseen(id: str, error: Exception) -> Result:
    details = "".join(traceback.format_exception(error))
    name = type(error).__name__
    if name in _OUT_OF_MEMORY:
        help = "use a smaller micro-batch (--micro-rows), fewer --jobs or --replicas, or a smaller model"
        return Result(id, "failed", "memory", f"out of memory: {error}", help, details)
    if isinstance(error, OSError):
        return Result(id, "failed", "system", str(error), "", details)
    return Result(id, "failed", "bug", f"{name}: {error}", "the details are in failures.json", details)
