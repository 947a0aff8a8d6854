"""The engine: walks the operations of a bound plan, does what is missing, and says how each trial ended."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from procdsl.plan import Plan, Trial
from runner.attempts import Result
from runner.events import Event, Observer
from runner.execution import Execution
from runner.failures import exhausted, record, told
from runner.followers import follows
from runner.operations import Stopping
from runner.replicas import groups
from runner.schedule import needs, pending, space, wanted
from runner.store import Store, hold
from runner.workers import Inline, Pool, Workers, stop_on_signals


@dataclass(frozen=True)
class Outcome:
    """The trials of a run by how they ended, and why those that are not done are not."""

    done: tuple[str, ...]
    failed: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        return 3 if self.stopped else 1 if self.failed else 0


def run(plan: Plan, execution: Execution, observe: Observer) -> Outcome:
    """Do what is missing of the trials that are wanted; run again, it goes on, until nothing is left."""
    store = Store(execution.store)
    trials = wanted(plan, execution)
    todo = pending(plan, trials, store)
    if not todo:
        store.remember(plan)
        return _outcome(plan, trials, {}, store)
    if follows():
        with stop_on_signals() as stop, Inline(plan, execution, observe, stop.is_set) as alone:
            results = _walk(plan, todo, store, alone, stop.is_set, _Watched(observe), execution)
        return _outcome(plan, trials, results, store)
    store.writable()
    store.remember(plan)
    store.require_space(space(plan, todo))
    unfinished = tuple(trial for trial in trials if pending(plan, (trial,), store))
    with _claims(store, plan, unfinished), stop_on_signals() as stop:
        for trial in unfinished:
            _link(plan, trial, store)
        make = Pool if execution.jobs > 1 and len(todo) > 1 else Inline
        watched = _Watched(observe)
        with make(plan, execution, watched, stop.is_set) as workers:
            results = _walk(plan, todo, store, workers, stop.is_set, watched, execution)
    return _outcome(plan, trials, results, store)


class _Watched:
    """An observer that remembers how far each operation came, which is where it failed if it does."""

    def __init__(self, observe: Observer) -> None:
        self._observe = observe
        self.steps: dict[str, int] = {}

    def __call__(self, event: Event) -> None:
        if "step" in event.facts:
            self.steps[event.operation] = event.facts["step"]
        self._observe(event)


def _walk(
    plan: Plan,
    todo: tuple[str, ...],
    store: Store,
    workers: Workers,
    stopping: Stopping,
    observe: _Watched,
    execution: Execution,
) -> dict[str, Result]:
    """Give out what is ready until nothing is; what depends on a failure is never ready."""
    results: dict[str, Result] = {}
    waiting, running = list(todo), set[str]()
    while True:
        ready = [] if stopping() else _ready(plan, waiting, todo, results)
        for group in groups(plan, ready, waiting, execution)[: workers.free]:
            waiting = [id for id in waiting if id not in group]
            refused = [verdict for id in group if (verdict := exhausted(store, plan, id)) is not None]
            results |= {verdict.id: verdict for verdict in refused}
            for verdict in refused:
                observe(_ended(verdict))
            if started := [id for id in group if id not in results]:
                workers.submit(started)
                running.update(started)
        if not running:
            if stopping() or not _ready(plan, waiting, todo, results):
                return results
            continue
        for result in workers.results():
            running.remove(result.id)
            results[result.id] = result
            if result.state == "failed" and not follows():
                record(store, plan, result, observe.steps.get(result.id, 0))
            if result.state != "done":
                observe(_ended(result))


def _ready(plan: Plan, waiting: list[str], todo: tuple[str, ...], results: dict[str, Result]) -> list[str]:
    unmet = {id for id in todo if id not in results or results[id].state != "done"}
    return [id for id in waiting if not unmet.intersection(needs(plan, id))]


def _ended(result: Result) -> Event:
    facts = {"reason": result.reason, "message": result.message, "help": result.help}
    return Event(result.state, result.id, facts)


def _outcome(plan: Plan, trials: tuple[Trial, ...], results: dict[str, Result], store: Store) -> Outcome:
    """How each trial ended: failed if anything it needs did, stopped if anything is left."""
    done: list[str] = []
    failed: list[str] = []
    stopped: list[str] = []
    reasons: dict[str, str] = {}
    for trial in trials:
        left = pending(plan, (trial,), store)
        causes = [result for id in left if (result := results.get(id)) and result.state == "failed"]
        if causes:
            failed.append(trial.name)
            reasons[trial.name] = "; ".join(told(cause.message, cause.reason, cause.help) for cause in causes)
        else:
            (stopped if left else done).append(trial.name)
    return Outcome(tuple(done), tuple(failed), tuple(stopped), reasons)


@contextlib.contextmanager
def _claims(store: Store, plan: Plan, trials: tuple[Trial, ...]) -> Iterator[None]:
    """Hold the trials to be worked on: a second run of one of them says who holds it, and does nothing."""
    with contextlib.ExitStack() as held:
        for trial in trials:
            claim = store.claim(plan.study, trial.curriculum, trial.seed)
            held.enter_context(hold(claim, f"trial {trial.name}"))
        yield


def _link(plan: Plan, trial: Trial, store: Store) -> None:
    for number, phase in enumerate(trial.phases, start=1):
        target = store.path("train", plan.key(phase.train))
        store.link(plan.study, trial.curriculum, trial.seed, f"{number:02d}-{phase.name}", target)
