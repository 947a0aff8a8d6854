"""Searches in whole steps: copies of a curriculum that differ in one phase's budget, and their plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from procdsl.compiler.budgets import Budget, Budgets, stretch
from procdsl.compiler.lower import lower
from procdsl.compiler.names import procedural
from procdsl.compiler.resolve import resolve
from procdsl.compiler.study import Address
from procdsl.language.curricula import CurriculumSpec
from procdsl.language.evaluations.base import Evaluation
from procdsl.language.quantities import Quantity
from procdsl.language.searches import SearchSpec
from procdsl.language.study import CompareSpec, ExperimentSpec
from procdsl.plan import Plan


class Search(NamedTuple):
    """A search in whole steps of its phase: the budgets tried first, and how close is close enough."""

    name: str
    spec: ExperimentSpec
    profile: str | None
    budgets: Mapping[Address, Budget]
    grid: tuple[int, ...]
    tolerance: int
    whole: int
    step_tokens: int

    @property
    def written(self) -> SearchSpec:
        return self.spec.searches[self.name]

    @property
    def study(self) -> str:
        """The study that its probes are, beside the one that it belongs to."""
        return f"{self.spec.name}.{self.name}"

    def curriculum(self, steps: int) -> str:
        """What the curriculum with so many steps is called."""
        name = f"{self.name}_{steps}"
        return name if name not in self.spec.curricula else f"{name}_"

    def plan(self, steps: Iterable[int]) -> Plan:
        """The plan of the baseline and of a curriculum for each of these budgets."""
        copies = {self.curriculum(count): self._copy(count) for count in sorted(steps)}
        spec = self.spec.model_copy(
            update={
                "curricula": {**self.spec.curricula, **copies},
                "evaluations": {n: self._widened(e, copies) for n, e in self.spec.evaluations.items()},
                "compare": compared(self.spec, self.written),
                "comparisons": {},
            }
        )
        whole = lower(resolve(spec, Budgets(spec, procedural(spec)).all()), profile=self.profile)
        assert whole.comparison, "a search compares"
        wanted = (whole.comparison.baseline, *copies)
        trials = tuple(trial for trial in whole.trials if trial.curriculum in wanted)
        ids = (id for trial in trials for id in (*trial.measures, *(phase.train for phase in trial.phases)))
        needed = set(whole.needed(tuple(ids)))
        chosen = whole.comparison.model_copy(update={"curricula": tuple((name, name) for name in wanted)})
        return Plan(
            study=self.study,
            question=f"How little {self.written.phase} of {self.written.curriculum} is enough?",
            profile=whole.profile,
            operations=tuple(operation for operation in whole.operations if operation.id in needed),
            trials=trials,
            comparisons=(chosen,),
        )

    def _copy(self, steps: int) -> CurriculumSpec:
        """The curriculum with so many steps of the phase; what is a share of that phase stays as it was."""
        at = self.written.curriculum
        own = self.spec.curricula[at]
        phases = (
            phase.model_copy(
                update={
                    "tokens": None,
                    "match": None,
                    "steps": _steps(
                        steps if phase.name == self.written.phase else self.budgets[at, phase.name].steps
                    ),
                }
            )
            for phase in own.phases
        )
        return own.model_copy(update={"baseline": False, "phases": tuple(phases)})

    def _widened(self, evaluation: Evaluation, copies: Iterable[str]) -> Evaluation:
        """An evaluation that names the curriculum's phases, made in those of its copies as well."""
        update = {}
        for key in ("phases", "after"):
            named = getattr(evaluation, key) or ()
            own = [name.partition(".")[2] for name in named if name.startswith(f"{self.written.curriculum}.")]
            if own:
                update[key] = (*named, *(f"{copy}.{phase}" for copy in copies for phase in own))
        return evaluation.model_copy(update=update) if update else evaluation


def compared(spec: ExperimentSpec, search: SearchSpec) -> CompareSpec | None:
    """The comparison that decides a search: its own metric and baseline, or those of the study's first."""
    first = next(iter(spec.compared().values()), None)
    metric = search.metric or (first.metric if first else None)
    if metric is None:
        return None
    return CompareSpec(metric=metric, baseline=search.baseline or (first.baseline if first else None))


def searches(spec: ExperimentSpec, profile: str | None) -> dict[str, Search]:
    """Every search of a study that compiles, in whole steps."""
    budgets = Budgets(spec, procedural(spec)).all()
    found = {}
    for name, written in spec.searches.items():
        own = budgets[written.curriculum, written.phase]
        low, high, tolerance = extent(written, own)
        last = written.grid - 1
        grid = tuple(dict.fromkeys(low + (high - low) * i // last for i in range(last + 1)))
        found[name] = Search(name, spec, profile, budgets, grid, tolerance, own.steps, own.step_tokens)
    return found


def extent(search: SearchSpec, own: Budget) -> tuple[int, int, int]:
    """The least and the most budget, and the tolerance, in steps of the phase."""
    low, high = (stretch(bound, own.steps, own.step_tokens) for bound in search.between)
    return max(1, low), high, stretch(search.tolerance, own.steps, own.step_tokens)


def _steps(count: int) -> Quantity:
    return Quantity.model_validate({"amount": count, "unit": "steps"})
