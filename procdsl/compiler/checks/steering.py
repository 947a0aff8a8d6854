"""Rules that steer a phase while it is trained: what they watch is measured there, and can be reached."""

from __future__ import annotations

from collections.abc import Iterator

from procdsl.compiler import measures
from procdsl.compiler.findings import Finding, Path, unknown
from procdsl.compiler.names import phases
from procdsl.compiler.near import hint
from procdsl.compiler.study import Phase, Study
from procdsl.language.curricula import StopSpec
from procdsl.language.evaluations.base import Evaluation
from procdsl.language.study import ExperimentSpec
from procdsl.plan import GenerateOperation, Plan, TrainOperation


def watched_is_known(spec: ExperimentSpec) -> Iterator[Finding]:
    """P213: a rule names an evaluation of the study."""
    for _, path, phase in phases(spec):
        if phase.stop is not None:
            name, slash, _ = phase.stop.metric.partition("/")
            if name not in spec.evaluations:
                at = (*path, "stop", "metric")
                yield from unknown("P213", at, name, spec.evaluations, "evaluation")
            elif not slash:
                message = f'"{name}" is an evaluation, and a rule watches one of its metrics'
                yield Finding("P213", (*path, "stop", "metric"), message, f'metric = "{name}/loss"')


def watched_again_and_again(spec: ExperimentSpec) -> Iterator[Finding]:
    """P440: a rule is looked at when its evaluation is made, on rows that are kept for that."""
    for _, path, phase in phases(spec):
        name = phase.stop.metric.partition("/")[0] if phase.stop else ""
        if (evaluation := spec.evaluations.get(name)) is None:
            continue
        at = (*path, "stop", "metric")
        if evaluation.every is None:
            message = f"{name} is made at the end alone: nothing can be stopped by it"
            yield Finding("P440", at, message, f'every = "5%" in [evaluations.{name}]')
        if evaluation.split != "validation":
            message = f"{name} is made on the {evaluation.split} part, which a phase must not be stopped by"
            help = "stop by an evaluation of the validation part, and report on the test part"
            yield Finding("P440", at, message, help)


def watched_is_measured_there(study: Study) -> Iterator[Finding]:
    """P214, P441: the evaluation gives the metric, and is made in the phase that it stops."""
    for phase, stop, evaluation in _stops(study):
        name, _, metric = stop.metric.partition("/")
        at = (*phase.path, "stop", "metric")
        if measures.lower_is_better(study, evaluation, metric) is None:
            known = measures.metrics(study, evaluation)
            yield Finding("P214", at, f'{name} gives no "{metric}"', hint(metric, known))
        if name not in dict(measures.applying(study, phase)):
            meant = measures.meant(phase, evaluation)
            why = f"the ids of {evaluation.on} are not there" if meant else f"{name} names other phases"
            message = f"{name} is not made in {'.'.join(phase.address)}: {why}"
            yield Finding("P441", at, message, "stop by an evaluation of what the phase is trained on")


def thresholds_can_be_reached(study: Study) -> Iterator[Finding]:
    """P442: no accuracy is over one, no loss under nothing, and the rule is looked at often enough."""
    for phase, stop, evaluation in _stops(study):
        yield from _beyond((*phase.path, "stop", "reaches"), stop.metric, stop.reaches)
        if evaluation.every is None:
            continue
        looks = phase.steps // measures.cadence(phase, evaluation)
        if looks < stop.patience:
            where = ".".join(phase.address)
            message = f"{where} looks at its rule {looks} times, and it must be met {stop.patience} times"
            yield Finding(
                "P442", (*phase.path, "stop"), message, "measure more often, or ask for less", key=True
            )


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
            operation = plan.by_id[done.train]
            assert isinstance(operation, TrainOperation)
            rule = operation.stop
            if trial.seed != study.spec.seeds[0] or rule is None or rule.metric != "loss":
                continue
            source = plan.by_id[rule.measurement.source]
            if not isinstance(source, GenerateOperation) or (floor := source.floor) is None:
                continue
            if rule.threshold < floor.low:
                at: Path = (*phase.path, "stop", "reaches")
                message = f"no model's loss on {source.name} falls to {rule.threshold:g}"
                yield Finding("P442", at, message, f"the least possible is {floor.low:.4g} nats")


def _stops(study: Study) -> Iterator[tuple[Phase, StopSpec, Evaluation]]:
    for phase in study.phases():
        if (stop := phase.spec.stop) is not None:
            yield phase, stop, study.spec.evaluations[stop.metric.partition("/")[0]]


RULES = (watched_is_known, watched_again_and_again, compared_thresholds_can_be_reached)
FITNESS = (watched_is_measured_there, thresholds_can_be_reached)
PLANNED = (floors_stop_nobody,)
