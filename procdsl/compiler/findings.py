"""A finding of the compiler before it is placed: where in the tree, rather than where in the text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from procdsl.compiler.near import hint
from procdsl.errors import Severity

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `path` leads to the value meant; `key` says that its key is meant instead."""

    code: str
    path: Path
    message: str
    help: str = ""
    severity: Severity = Severity.ERROR
    key: bool = False


def note(code: str, path: Path, message: str, help: str = "") -> Finding:
    """Something that the compiler decided and the reader may want to know."""
    return Finding(code, path, message, help, Severity.NOTE)


def fatal(findings: Iterable[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)


def unknown(code: str, path: Path, value: str, known: Iterable[str], what: str) -> Iterator[Finding]:
    """A name that stands for nothing, with the nearest that does."""
    known = tuple(known)
    help = hint(value, known) if known else f"the spec has no {what} at all"
    yield Finding(code, path, f'no {what} is called "{value}"', help)
