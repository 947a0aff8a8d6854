"""The minimal study, whole or with values changed as `--set` changes them."""

from __future__ import annotations

from pathlib import Path

from procdsl.compiler import Compiled, compile, source
from procdsl.compiler.budgets import Budgets
from procdsl.compiler.names import procedural
from procdsl.compiler.resolve import resolve
from procdsl.compiler.study import Study
from procdsl.compiler.validate import validate
from procdsl.errors import Diagnostic, Severity, SpecError
from procdsl.language.study import ExperimentSpec

MINIMAL = Path(__file__).with_name("minimal.toml")


def compiled(*sets: str) -> Compiled:
    return compile(MINIMAL, profile=None, sets=sets)


def spec(*sets: str) -> ExperimentSpec:
    return validate(source.read(MINIMAL, profile=None, sets=sets), ExperimentSpec)


def resolved(*sets: str) -> Study:
    written = spec(*sets)
    return resolve(written, Budgets(written, procedural(written)).all())


def errors(*sets: str) -> list[Diagnostic]:
    """What the compiler objects to; nothing where it does not."""
    try:
        compiled(*sets)
    except SpecError as error:
        return [found for found in error.diagnostics if found.severity is Severity.ERROR]
    return []
