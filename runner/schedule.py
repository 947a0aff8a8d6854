"""What a run has to do: the trials that are wanted, the operations they lack, and the room these take."""

from __future__ import annotations

from procdsl.errors import UsageError
from procdsl.estimate import disk
from procdsl.plan import GenerateOperation, MeasureOperation, Plan, Trial
from runner.execution import Execution
from runner.operations import finished
from runner.store import Store


def wanted(plan: Plan, execution: Execution) -> tuple[Trial, ...]:
    """The trials that `only` and `seeds` leave; names and seeds that the study has not are refused."""
    curricula = dict.fromkeys(trial.curriculum for trial in plan.trials)
    seeds = dict.fromkeys(trial.seed for trial in plan.trials)
    for name in execution.only:
        if name not in curricula:
            raise UsageError(f"the study has no curriculum {name!r}", help=f"it has {', '.join(curricula)}")
    if execution.seeds and not any(seed in seeds for seed in execution.seeds):
        asked = ", ".join(map(str, execution.seeds))
        raise UsageError(f"the study has no seed {asked}", help=f"it has {', '.join(map(str, seeds))}")
    return tuple(trial for trial in plan.trials if execution.wants(trial))


def pending(plan: Plan, trials: tuple[Trial, ...], store: Store) -> tuple[str, ...]:
    """What is left to do for these trials, in plan order. Inputs of what is finished are not asked for."""
    found: dict[str, bool] = {}
    ahead = [id for trial in trials for id in _ends(plan, trial)]
    while ahead:
        id = ahead.pop()
        if id not in found:
            found[id] = finished(plan, id, store)
            ahead += [] if found[id] else needs(plan, id)
    return tuple(op.id for op in plan.operations if not found.get(op.id, True))


def needs(plan: Plan, id: str) -> tuple[str, ...]:
    """The operations that must be finished before this one: its inputs, and what its measurements read."""
    read = [*plan.by_id[id].inputs(), *(measure.measurement.source for measure in plan.measures(id))]
    made = [operation for id in read if isinstance(operation := plan.by_id[id], GenerateOperation)]
    read += [id for operation in made for id in operation.inputs()]
    return tuple(dict.fromkeys(id for id in read if not isinstance(plan.by_id[id], GenerateOperation)))


def space(plan: Plan, todo: tuple[str, ...]) -> int:
    """Bytes that these take: what is kept of each, and one save ahead."""
    sizes = [disk(plan, plan.by_id[id]) for id in todo]
    return sum(sizes) + max(sizes, default=0)


def _ends(plan: Plan, trial: Trial) -> list[str]:
    """The train operations of a trial: its phases, and whatever else it measures."""
    measured = [
        operation.train for id in trial.measures if isinstance(operation := plan.by_id[id], MeasureOperation)
    ]
    return [*(phase.train for phase in trial.phases), *measured]
