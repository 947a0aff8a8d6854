"""A finding of the compiler before it is placed: where in the tree, rather than where in the text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from procdsl.compiler.near import hint
from procdsl.errors import Place, Severity
from procdsl.grammars.base import Problem

Path = tuple[str | int, ...]


class Finding(NamedTuple):
    """One finding. `path` leads to the value meant; `key` says that its key is meant instead.

    `span` says which characters of the value, a text, are meant: the first, and how many.
    """

    code: str
    path: Path
    message: str
    help: str = ""
    severity: Severity = Severity.ERROR
    key: bool = False
    span: tuple[int, int] | None = None


def note(code: str, path: Path, message: str, help: str = "") -> Finding:
    """Something that the compiler decided and the reader may want to know."""
    return Finding(code, path, message, help, Severity.NOTE)


def told(prefix: Path, problem: Problem) -> Finding:
    """What a grammar or an evaluation says of itself, as a finding of the table at `prefix`."""
    path = (*prefix, *problem.path)
    note = problem.severity is Severity.NOTE
    # A note is shown without its place.
    message = f"{prefix[-1]}: {problem.message}" if note else problem.message
    return Finding(problem.code, path, message, problem.help, problem.severity, span=problem.span)


def within(place: Place, value: str, span: tuple[int, int], lines: Sequence[str]) -> Place:
    """The place of some characters of a text that stands at `place`; its own where they are escaped."""
    rest = "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]])
    start = rest.find(value)
    if start < 0:
        return _indented(place, value, span, lines)
    before = rest[: start + span[0]]
    line = place.line + before.count("\n")
    column = len(before) - before.rfind("\n") if "\n" in before else place.column + len(before)
    width = max(1, min(span[1], len(lines[line - 1]) - column + 1))
    return Place(place.file, line, column, width)


def _indented(place: Place, value: str, span: tuple[int, int], lines: Sequence[str]) -> Place:
    """As `within`, for a text whose lines stand indented: a block of YAML, begun a line further down."""
    number, before = value.count("\n", 0, span[0]), value.rfind("\n", 0, span[0]) + 1
    text = value[before:].partition("\n")[0]
    for line in (place.line + number + 1, place.line + number):
        found = lines[line - 1].find(text) if line <= len(lines) and text.strip() else -1
        if found >= 0:
            column = found + span[0] - before + 1
            width = max(1, min(span[1], len(lines[line - 1]) - column + 1))
            return Place(place.file, line, column, width)
    return place


def fatal(findings: Iterable[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)


def unknown(
    code: str,
    path: Path,
    value: str,
    known: Iterable[str],
    what: str,
    *,
    key: bool = False,
    span: tuple[int, int] | None = None,
) -> Iterator[Finding]:
    """A name that stands for nothing, with the nearest that does."""
    known = tuple(known)
    help = hint(value, known) if known else f"the spec has no {what} at all"
    yield Finding(code, path, f'no {what} is called "{value}"', help, key=key, span=span)
