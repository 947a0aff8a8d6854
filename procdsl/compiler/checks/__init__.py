"""What types cannot say: one small function a rule, each with its code, all of them gathered.

P2xx names that stand for nothing; P3xx what cannot be meant; P4xx what the plan would come to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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

_MEANING = (
    *names.RULES,
    *curricula.RULES,
    *mixtures.RULES,
    *training.RULES,
    *grammars.RULES,
    *evaluations.RULES,
    *replays.RULES,
    *steering.RULES,
    *searches.RULES,
)
_FITNESS = (
    *transfers.RULES,
    *evaluations.FITNESS,
    *replays.FITNESS,
    *steering.FITNESS,
    *searches.FITNESS,
    *cost.RULES,
)


def meaning(spec: ExperimentSpec) -> Iterator[Finding]:
    """What can be found in the spec as written."""
    for rule in _MEANING:
        yield from rule(spec)


def laid_out(spec: ExperimentSpec) -> Iterator[Finding]:
    """What can be found once what changes over a phase stands for several things that do not."""
    for rule in (*grammars.RULES, *mixtures.LAID_OUT, *steering.RULES):
        yield from rule(spec)


def sized(spec: ExperimentSpec, budgets: Mapping[Address, Budget]) -> Iterator[Finding]:
    """What can be found once budgets are settled."""
    for rule in (*sizes.RULES, *searches.SIZES):
        yield from rule(spec, budgets)


def fitness(study: Study) -> Iterator[Finding]:
    """What can be found once every phase has its ids and its rows."""
    for rule in _FITNESS:
        yield from rule(study)


def planned(study: Study, plan: Plan) -> Iterator[Finding]:
    """What can be found once floors are known."""
    for rule in steering.PLANNED:
        yield from rule(study, plan)
