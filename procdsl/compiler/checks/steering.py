"""Rules that steer a phase while it is trained: what they watch is measured there, and can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from procdsl.compiler import measures, schedules
from procdsl.compiler.findings import Finding, Path, unknown
from procdsl.compiler.names import phases
from procdsl.compiler.near import hint
from procdsl.compiler.study import Phase, Study
from procdsl.language.curricula import PhaseSpec
from procdsl.language.study import ExperimentSpec
from procdsl.plan import GenerateOperation, Plan, Stop, TrainOperation


class _Rule(NamedTuple):
    """Something that watches a metric: where its table stands, the key of its value, and what it says.

    `on` is what it must be about: a grammar that changes by mastery; anything, where the phase itself ends.
    """

    path: Path
    key: str
    metric: str
    value: float
    patience: int
    on: str | None = None

    @property
    def evaluation(self) -> str:
        return self.metric.partition("/")[0]


def watched_is_known(spec: ExperimentSpec) -> Iterator[Finding]:
    """P213: a rule names an evaluation of the study."""
    for rule in _all(spec):
        at = (*rule.path, "metric")
        if rule.evaluation not in spec.evaluations:
            yield from unknown("P213", at, rule.evaluation, spec.evaluations, "evaluation")
        elif "/" not in rule.metric:
            message = f'"{rule.metric}" is an evaluation, and a rule watches one of its metrics'
            yield Finding("P213", at, message, f'metric = "{rule.metric}/loss"')


def watched_again_and_again(spec: ExperimentSpec) -> Iterator[Finding]:
    """P440: a rule is looked at when its evaluation is made, on rows that are kept for that."""
    for rule in _all(spec):
        name, at = rule.evaluation, (*rule.path, "metric")
        if (evaluation := spec.evaluations.get(name)) is None:
            continue
        if evaluation.every is None:
            message = f"{name} is made at the end alone: nothing can be steered by it"
            yield Finding("P440", at, message, f'every = "5%" in [evaluations.{name}]')
        if not evaluation.steers:
            message = f"{name} reads files, which are bound after a phase's key is known"
            yield Finding("P440", at, message, "stop by the loss on held-out rows")
        if evaluation.split != "validation":
            message = f"{name} is made on the {evaluation.split} part, which must not steer a phase"
            help = "steer by an evaluation of the validation part, and report on the test part"
            yield Finding("P440", at, message, help)
        if rule.on not in (None, evaluation.on):
            message = f"{name} is made on {evaluation.on}: it does not tell whether {rule.on} is mastered"
            yield Finding("P443", at, message, f'name an evaluation with on = "{rule.on}"')


def watched_is_measured_there(study: Study) -> Iterator[Finding]:
    """P214, P441: the evaluation gives the metric, and is made in the phase that it steers."""
    for phase, rule in _of(study):
        name, _, metric = rule.metric.partition("/")
        evaluation, at = study.spec.evaluations[name], (*rule.path, "metric")
        if measures.lower_is_better(study, evaluation, metric) is None:
            known = measures.metrics(study, evaluation)
            yield Finding("P214", at, f'{name} gives no "{metric}"', hint(metric, known))
        if name not in dict(measures.applying(study, phase)):
            meant = measures.meant(phase, evaluation)
            why = f"the ids of {evaluation.on} are not there" if meant else f"{name} names other phases"
            message = f"{name} is not made in {'.'.join(phase.address)}: {why}"
            yield Finding("P441", at, message, "steer by an evaluation of what the phase is trained on")


def thresholds_can_be_reached(study: Study) -> Iterator[Finding]:
    """P442: no accuracy is over one, no loss under nothing, and the rule is looked at often enough."""
    for phase, rule in _of(study):
        evaluation = study.spec.evaluations[rule.evaluation]
        yield from _beyond((*rule.path, rule.key), rule.metric, rule.value)
        if evaluation.every is None:
            continue
        looks = phase.steps // measures.cadence(phase, evaluation)
        if looks < rule.patience:
            where = ".".join(phase.address)
            message = f"{where} looks at its rule {looks} times, and it must be met {rule.patience} times"
            yield Finding("P442", rule.path, message, "measure more often, or ask for less", key=True)


def compared_thresholds_can_be_reached(spec: ExperimentSpec) -> Iterator[Finding]:
    """P442: the same of the value that a comparison times seeds to."""
    for path, compared in spec.compared().items():
        if compared.threshold is not None:
            yield from _beyond((*path, "threshold"), compared.metric, compared.threshold)


def _beyond(at: Path, watched: str, value: float) -> Iterator[Finding]:
    """A value that no model reaches, or every model has."""
    metric = watched.partition("/")[2]
    if metric.endswith(("accuracy", "match")) and not 0 < value <= 1:
        message = f"{metric} is never {value:g}" if value > 1 else f"{metric} is always over {value:g}"
        yield Finding("P442", at, message, "it is a part of one: 0.97")
    elif metric == "loss" and value <= 0:
        yield Finding("P442", at, f"no loss falls to {value:g}", "losses are in nats, over 0")


def floors_stop_nobody(study: Study, plan: Plan) -> Iterator[Finding]:
    """P442: no loss falls below the least there can be on its rows."""
    for trial in plan.trials:
        for phase, done in zip(study.curricula[trial.curriculum], trial.phases, strict=True):
            operation = plan.operation(done.train, TrainOperation)
            if trial.seed == study.spec.seeds[0]:
                named = list(_rules(phase.path, phase.spec))
                rules = [*([operation.stop] if operation.stop else []), *_waiting(operation)]
                for written, rule in zip(named, rules, strict=True):
                    yield from _under(written, rule, plan)


def _waiting(operation: TrainOperation) -> Iterator[Stop]:
    for group in operation.mastery:
        yield from group.rules


def _under(written: _Rule, rule: Stop, plan: Plan) -> Iterator[Finding]:
    source = plan.by_id[rule.measurement.source]
    if rule.metric != "loss" or not isinstance(source, GenerateOperation) or source.floor is None:
        return
    if rule.threshold < source.floor.low:
        message = f"no model's loss on {source.name} falls to {rule.threshold:g}"
        help = f"the least possible is {source.floor.low:.4g} nats"
        yield Finding("P442", (*written.path, written.key), message, help)


def _all(spec: ExperimentSpec) -> Iterator[_Rule]:
    for _, path, phase in phases(spec):
        yield from _rules(path, phase)


def _of(study: Study) -> Iterator[tuple[Phase, _Rule]]:
    for phase in study.phases():
        for rule in _rules(phase.path, phase.spec):
            yield phase, rule


def _rules(path: Path, phase: PhaseSpec) -> Iterator[_Rule]:
    """The rules of a phase: what ends it, and what its changing grammars wait for."""
    if (stop := phase.stop) is not None:
        yield _Rule((*path, "stop"), "reaches", stop.metric, stop.reaches, stop.patience)
    for name in phase.data:
        if waits := schedules.awaited(phase, name):
            rule = waits.rule
            on = schedules.base(name)
            yield _Rule(waits.path, "threshold", rule.metric, rule.threshold, rule.patience, on)
