"""What types cannot say: one small function a rule, each with its code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from procdsl.compiler.budgets import Budget
from procdsl.compiler.findings import Finding
from procdsl.compiler.study import Address, Study
from procdsl.language.study import ExperimentSpec


def meaning(spec: ExperimentSpec) -> Iterator[Finding]:
    yield from ()


def sizes(spec: ExperimentSpec, budgets: Mapping[Address, Budget]) -> Iterator[Finding]:
    yield from ()


def fitness(study: Study) -> Iterator[Finding]:
    yield from ()
