"""What goes wrong, and how it is told: findings about a spec, and the exception tree.

ProcdslError
├─ SpecError        the text is wrong: carries every diagnostic of it        (exit 2)
├─ UsageError       the call is wrong: a missing file, a name nobody has     (exit 2)
├─ RunError         a trial, a source or a store failed                      (exit 1)
└─ Stopped          asked to stop; everything is saved and can go on         (exit 3)
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How much a finding matters: only errors stop a study."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Place(NamedTuple):
    """A stretch of one line of a text: line and column count from one, `width` in characters."""

    file: str
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Diagnostic(NamedTuple):
    """One finding about a spec: a code, what is wrong with which value, where, and the way out."""

    code: str
    message: str
    place: Place | None = None
    help: str = ""
    severity: Severity = Severity.ERROR
    source_line: str = ""


class ProcdslError(ValueError):
    """Anything that a user can mend. `reason` is its short machine-readable name in `--json`."""

    reason = "error"
    exit_code = 1


class SpecError(ProcdslError):
    """A spec with at least one error; all its diagnostics, warnings included, in order of place."""

    reason = "spec"
    exit_code = 2

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("; ".join(f"{d.place or ''} {d.code} {d.message}".strip() for d in self.diagnostics))


class UsageError(ProcdslError):
    """The call itself is wrong; `help` says what to type instead."""

    reason = "usage"
    exit_code = 2

    def __init__(self, message: str, *, help: str = "") -> None:
        self.help = help
        super().__init__(message)


class RunError(ProcdslError):
    """Something failed while a plan was carried out; `reason` says what kind, `help` the way out."""

    def __init__(self, message: str, *, reason: str = "failed", help: str = "") -> None:
        self.reason = reason
        self.help = help
        super().__init__(message)


class Stopped(ProcdslError):
    """The run was asked to stop, has saved what it was doing, and goes on when run again."""

    reason = "stopped"
    exit_code = 3
