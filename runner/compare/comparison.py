"""A study's comparison: each curriculum against the baseline, seed by seed, in one metric."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from procdsl.errors import UsageError
from procdsl.plan import Comparison as Question
from procdsl.plan import GenerateOperation, MeasureOperation, Plan
from procdsl.programs.task import TaskProgram
from runner.colours import curriculum_colours
from runner.compare.amounts import Line, lines
from runner.compare.checks import Basis, basis, warnings
from runner.compare.results import TrialResult, gather
from runner.compare.savings import Saving, crossing, reach, saving, value_at
from runner.compare.statistics import Estimate, Paired, estimate, holm, paired
from runner.compare.thresholds import Threshold, threshold
from runner.endings import as_run
from runner.store import Store

# Words in a metric's name that say that less of it is better.
_LOWER = ("loss", "perplexity", "bits", "entropy", "error", "nll")


@dataclass(frozen=True)
class ToTarget:
    """Text and total tokens until the common target is reached for good; only seeds that get there count."""

    reached: int
    n: int
    text: Estimate | None
    total: Estimate | None


@dataclass(frozen=True)
class Arm:
    """A curriculum beside the baseline; `label` is what it is called in all comparisons of the study.

    `at_own_end` is there for one that is given less text: its end less the baseline's curve at that many text
    tokens, where the baseline's learning rate is not yet annealed.
    """

    curriculum: str
    label: str
    colour: str
    text_tokens: int
    procedural_tokens: int
    trials: tuple[TrialResult, ...]
    finals: dict[int, float]
    final: Estimate | None
    difference: Paired | None
    at_own_end: Paired | None
    saving: Saving | None
    to_target: ToTarget | None
    to_threshold: Threshold | None


@dataclass(frozen=True)
class Comparison:
    """All that a report shows.

    `threshold` is the value that seeds are timed to, where the study or the caller names one.
    `floor` is the least loss there can be, where it is known and the metric is one; `chances` the accuracy of
    a guess that reads no structure, by metric, where it is known.
    """

    study: str
    name: str
    question: str
    metric: str
    baseline: str
    lower_is_better: bool
    target: float | None
    threshold: float | None
    floor: float | None
    chances: dict[str, float]
    arms: tuple[Arm, ...]
    lines: tuple[Line, ...]
    others: dict[str, dict[str, Estimate]]
    basis: Basis
    warnings: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def chance(self) -> float | None:
        """That of the metric that is compared."""
        return self.chances.get(self.metric)

    @property
    def finished(self) -> int:
        return sum(trial.finished for arm in self.arms for trial in arm.trials)

    @property
    def trials(self) -> int:
        return sum(len(arm.trials) for arm in self.arms)


def compare(
    plan: Plan,
    store: Store,
    *,
    asked: Question | None = None,
    metric: str | None = None,
    target: float | None = None,
    timed: float | None = None,
) -> Comparison:
    """Carry out one of the study's comparisons (default: that of the `metric`, or else the first).

    Another metric than its own is judged by its name, and between all curricula unless one was asked for.

    Without `target`, tokens are counted to the worst final value of the baseline, which all its seeds reach;
    seeds are `timed` to that value, or the study's threshold.
    """
    plan = as_run(plan, store)
    results = gather(plan, store)
    question = _question(plan, asked, metric, results)
    labels = {name: label for label, name in question.curricula}
    results = tuple(result for result in results if not labels or result.curriculum in labels)
    by_curriculum = {name: tuple(r for r in results if r.curriculum == name) for name in _names(results)}
    baseline = {trial.seed: trial for trial in by_curriculum[question.baseline]}
    ends = [trial.finals[question.metric] for trial in baseline.values() if question.metric in trial.finals]
    if target is None and ends:
        target = max(ends) if question.lower_is_better else min(ends)
    timed = question.threshold if timed is None else timed
    colours = curriculum_colours(plan)
    arms = [
        _arm(labels.get(name, name), colours[name], trials, baseline, question, target, timed)
        for name, trials in by_curriculum.items()
    ]
    others = _others(by_curriculum)
    return Comparison(
        study=plan.study,
        name=question.name,
        question=plan.question,
        metric=question.metric,
        baseline=question.baseline,
        lower_is_better=question.lower_is_better,
        target=target,
        threshold=timed,
        floor=_bound(plan, question.metric, _floor),
        chances=_chances(plan, {question.metric, *others}),
        arms=_adjusted(arms),
        lines=tuple(line for line in lines(plan) if set(line.curricula) <= set(by_curriculum)),
        others=others,
        basis=basis(plan, results),
        warnings=warnings(plan, store, results, question),
        missing=tuple(f"{r.curriculum} seed {r.seed}: {'; '.join(r.missing)}" for r in results if r.missing),
    )


def _names(results: Iterable[TrialResult]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(result.curriculum for result in results))


def _question(
    plan: Plan, asked: Question | None, metric: str | None, results: Sequence[TrialResult]
) -> Question:
    """What is compared, and how."""
    own = asked or next((one for one in plan.comparisons if one.metric == metric), plan.comparison)
    known = sorted({name for result in results for name in result.curves})
    metric = metric or (own.metric if own else None)
    if metric is None:
        listed = ", ".join(known) or "none is measured yet"
        raise UsageError("the study names no metric to compare", help=f"use --metric with one of: {listed}")
    names = {operation.name for operation in plan.of_kind(MeasureOperation)}
    pending = {name for name in names if not any(one.startswith(f"{name}/") for one in known)}
    if metric not in known and not any(metric.startswith(f"{name}/") for name in pending):
        raise UsageError(
            f"nothing measures {metric!r}", help=f"there is: {', '.join(known) or 'nothing yet'}"
        )
    if own and metric == own.metric:
        return own
    baseline = own.baseline if own else plan.trials[0].curriculum
    lower = any(word in metric.partition("/")[2] for word in _LOWER)
    named = {"name": asked.name, "curricula": asked.curricula} if asked else {}
    return Question(metric=metric, baseline=baseline, lower_is_better=lower, **named)


def _arm(
    label: str,
    colour: str,
    trials: tuple[TrialResult, ...],
    baseline: Mapping[int, TrialResult],
    question: Question,
    target: float | None,
    timed: float | None,
) -> Arm:
    name, metric, lower = trials[0].curriculum, question.metric, question.lower_is_better
    finals = {trial.seed: trial.finals[metric] for trial in trials if metric in trial.finals}
    rest = name != question.baseline
    others = {seed: trial.finals[metric] for seed, trial in baseline.items() if metric in trial.finals}
    pairs = [(trial, baseline[trial.seed]) for trial in trials if trial.seed in baseline]
    crossings = [found for pair in pairs if (found := crossing(*pair, metric, lower=lower))]
    return Arm(
        curriculum=name,
        label=label,
        colour=colour,
        text_tokens=_mean([trial.text_tokens for trial in trials]),
        procedural_tokens=_mean([trial.procedural_tokens for trial in trials]),
        trials=trials,
        finals=finals,
        final=estimate(list(finals.values())) if finals else None,
        difference=paired(finals, others) if rest else None,
        at_own_end=_at_own_end(pairs, finals, metric) if rest else None,
        saving=saving(crossings) if rest and crossings else None,
        to_target=None if target is None else _to_target(trials, metric, target, lower=lower),
        to_threshold=None if timed is None else threshold(trials, metric, timed, lower=lower),
    )


def _mean(tokens: Sequence[int]) -> int:
    """What the seeds were fed on average: the same each, unless a rule ended a phase."""
    return round(sum(tokens) / len(tokens))


def _at_own_end(
    pairs: Sequence[tuple[TrialResult, TrialResult]], finals: Mapping[int, float], metric: str
) -> Paired | None:
    there = {
        trial.seed: value
        for trial, other in pairs
        if trial.text_tokens < other.text_tokens
        and (value := value_at(other.curves.get(metric, ()), trial.text_tokens)) is not None
    }
    return paired(finals, there)


def _to_target(trials: Sequence[TrialResult], metric: str, target: float, *, lower: bool) -> ToTarget | None:
    ended = [trial for trial in trials if metric in trial.finals]
    reached = [found for trial in ended if (found := reach(trial, metric, target, lower=lower))]
    text = estimate([text for text, _ in reached]) if reached else None
    total = estimate([total for _, total in reached]) if reached else None
    return ToTarget(len(reached), len(ended), text, total)


def _adjusted(arms: Sequence[Arm]) -> tuple[Arm, ...]:
    """The arms with Holm's p values: one family, all curricula against the baseline."""
    raw = {
        arm.curriculum: arm.difference.p for arm in arms if arm.difference and arm.difference.p is not None
    }
    adjusted = holm(raw)
    return tuple(
        replace(arm, difference=replace(arm.difference, p_holm=adjusted[arm.curriculum]))
        if arm.difference and arm.curriculum in adjusted
        else arm
        for arm in arms
    )


def _others(by_curriculum: Mapping[str, Sequence[TrialResult]]) -> dict[str, dict[str, Estimate]]:
    """The final values of every metric there is, by metric and curriculum."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, trials in by_curriculum.items():
        for trial in trials:
            for metric, value in trial.finals.items():
                found.setdefault(metric, {}).setdefault(name, []).append(value)
    return {
        metric: {name: estimate(values) for name, values in found[metric].items()} for metric in sorted(found)
    }


def _chances(plan: Plan, metrics: set[str]) -> dict[str, float]:
    found = {metric: _bound(plan, metric, _chance) for metric in sorted(metrics)}
    return {metric: chance for metric, chance in found.items() if chance is not None}


def _bound(plan: Plan, metric: str, known: Callable[[GenerateOperation, str], float | None]) -> float | None:
    """What is known of a metric on generated rows, where all curricula share it."""
    found = set()
    for operation in plan.of_kind(MeasureOperation):
        if metric.startswith(f"{operation.name}/"):
            source = plan.by_id[operation.measurement.source]
            name = metric.removeprefix(f"{operation.name}/")
            found.add(known(source, name) if isinstance(source, GenerateOperation) else None)
    return found.pop() if len(found) == 1 else None


def _floor(source: GenerateOperation, metric: str) -> float | None:
    """The least loss there can be, where it is known exactly."""
    return source.floor.low if metric == "loss" and source.floor and source.floor.exact else None


def _chance(source: GenerateOperation, metric: str) -> float | None:
    """What a blind guess gets: of tokens, and of answers where each is one token."""
    single = isinstance(source.program, TaskProgram) and source.program.answers_one
    told = ("accuracy", "token_accuracy", *(("exact_match",) if single else ()))
    return source.chance if metric in told else None
