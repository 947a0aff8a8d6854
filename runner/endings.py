"""Where phases really ended: a rule may end one before its budget is spent, and readers of results must know.

A plan says the most; what is done says what came of it. `as_run` is the plan as it turned out, under the same
keys. Readers take it (`compare`, `status`, tracking); a phase is carried out by the plan as it was made.
"""

from __future__ import annotations

from procdsl.plan import AnyOperation, MeasureOperation, Plan, TrainOperation, TrialPhase
from runner.shares import text_tokens
from runner.store import Store


def as_run(plan: Plan, store: Store) -> Plan:
    """The plan with the steps taken in finished phases that a rule may end; the same where there are none."""
    ends = {
        operation.id: end
        for operation in plan.of_kind(TrainOperation)
        if (end := ended(plan, operation, store)) is not None
    }
    if not ends:
        return plan
    operations = {operation.id: _ended(operation, ends) for operation in plan.operations}
    trials = (
        trial.model_copy(
            update={"phases": tuple(_fed(plan, phase, operations[phase.train]) for phase in trial.phases)}
        )
        for trial in plan.trials
    )
    return plan.with_operations(operations.values(), trials)


def ended(plan: Plan, operation: TrainOperation, store: Store) -> int | None:
    """The steps a finished phase took, where a rule may have ended it; None while nobody knows."""
    if operation.stop is None:
        return None
    facts = store.done("train", plan.key(operation.id))
    return None if facts is None else int(facts["steps"])


def until(steps: tuple[int, ...], end: int | None) -> tuple[int, ...]:
    """The steps of a measurement in a phase that ended there: what was planned behind falls on the end.

    >>> until((0, 10, 20, 30), 15), until((30,), 15), until((0, 10), None)
    ((0, 10, 15), (15,), (0, 10))
    """
    if end is None or steps[-1] <= end:
        return steps
    return (*(step for step in steps if step < end), end)


def _ended(operation: AnyOperation, ends: dict[str, int]) -> AnyOperation:
    if isinstance(operation, TrainOperation) and operation.id in ends:
        return operation.model_copy(update={"ended": ends[operation.id]})
    if isinstance(operation, MeasureOperation) and operation.train in ends:
        return operation.model_copy(update={"steps": until(operation.steps, ends[operation.train])})
    return operation


def _fed(plan: Plan, phase: TrialPhase, operation: AnyOperation) -> TrialPhase:
    """What a trial's phase was fed, where that is less than planned."""
    assert isinstance(operation, TrainOperation)
    if operation.ended is None:
        return phase
    text = text_tokens(plan, operation, operation.steps)
    return phase.model_copy(update={"text_tokens": text, "procedural_tokens": operation.tokens - text})
