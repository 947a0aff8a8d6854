"""What types cannot say: one small function a rule, each with its code.

Every public function of these modules is a rule. Its parameters say when it is asked: once there is what it
takes. P2xx names that stand for nothing; P3xx what cannot be meant; P4xx what the plan would come to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from procdsl.compiler.budgets import Budget
from procdsl.compiler.checks import (
    cost,
    curricula,
    evaluations,
    grammars,
    mixtures,
    names,
    replays,
    searches,
    sizes,
    steering,
    training,
    transfers,
)
from procdsl.compiler.findings import Finding
from procdsl.compiler.study import Address, Study
from procdsl.language.study import ExperimentSpec
from procdsl.plan import Plan

MODULES = (
    *(names, curricula, mixtures, training, grammars, sizes),
    *(transfers, evaluations, replays, steering, searches, cost),
)


def meaning(spec: ExperimentSpec) -> Iterator[Finding]:
    """What can be found in the spec as written."""
    return _found(MODULES, spec=spec)


def laid_out(spec: ExperimentSpec) -> Iterator[Finding]:
    """What can be found once what changes over a phase stands for several things that do not."""
    return _found((grammars, mixtures, steering), spec=spec)


def sized(spec: ExperimentSpec, settled: Mapping[Address, Budget]) -> Iterator[Finding]:
    """What can be found once budgets are settled."""
    return _found(MODULES, spec=spec, settled=settled)


def fitness(study: Study) -> Iterator[Finding]:
    """What can be found once every phase has its ids and its rows."""
    return _found(MODULES, study=study)


def planned(study: Study, plan: Plan) -> Iterator[Finding]:
    """What can be found once floors are known."""
    return _found(MODULES, study=study, plan=plan)


def _found(modules: tuple[ModuleType, ...], **known: Any) -> Iterator[Finding]:
    """What the rules find that take just this."""
    for module in modules:
        for rule in vars(module).values():
            own = isinstance(rule, FunctionType) and rule.__module__ == module.__name__
            if own and rule.__name__[0] != "_" and _parameters(rule) == tuple(known):
                yield from rule(**known)


def _parameters(function: FunctionType) -> tuple[str, ...]:
    return function.__code__.co_varnames[: function.__code__.co_argcount]
