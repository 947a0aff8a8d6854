"""On what a comparison rests, and the reasons for which it would not be one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from procdsl.plan import Comparison as Question
from procdsl.plan import MeasureOperation, Plan, PrepareOperation, TrainOperation
from runner.compare.results import TrialResult, older
from runner.store import Store

# Conditions of training that bear no identity and should still be one for all trials. (How many rows are on
# the device at once is left out: it follows from a phase's context, which may differ.)
_MIXED = {
    "device": "devices",
    "threads": "thread counts",
    "torch": "versions of torch",
    "compile": "compiled and plain steps",
    "processes": "numbers of processes",
    "product": "matrix products",
}


@dataclass(frozen=True)
class Corpus:
    """The text that was really read."""

    name: str
    source: str
    tokenizer: str
    digest: str
    fallback: bool


@dataclass(frozen=True)
class Basis:
    """Profile, text and machines behind the numbers: what the first line of a report says."""

    profile: str | None
    corpora: tuple[Corpus, ...]
    machines: dict[str, tuple[str, ...]]
    tokens_per_second: dict[str, float]


def basis(plan: Plan, results: Sequence[TrialResult]) -> Basis:
    """What the results rest on."""
    return Basis(plan.profile, tuple(_corpora(plan)), _machines(results), _speeds(results))


def warnings(plan: Plan, store: Store, results: Sequence[TrialResult], question: Question) -> tuple[str, ...]:
    """Every reason to read the numbers with care, as sentences."""
    return (
        *_data(plan),
        *_evaluation_sets(plan, question.metric),
        *_precision(plan),
        *_twins(plan),
        *_seeds(results, question),
        *_mixed(results),
        *_inexact(results),
        *_versions(plan, store),
    )


def _corpora(plan: Plan) -> Iterator[Corpus]:
    for operation in plan.of_kind(PrepareOperation):
        bound = operation.binding
        source = bound.source if bound else operation.source
        tokenizer = (bound.tokenizer if bound else operation.tokenizer).model_dump()
        spelt = tokenizer.get("name") or f"{tokenizer['kind']}-{tokenizer['size']}"
        digest = bound.digest if bound else ""
        fallback = bool(bound and bound.fallback and not operation.likeness)
        yield Corpus(operation.name, source.spelt(), spelt, digest, fallback)


def _data(plan: Plan) -> Iterator[str]:
    """A fallback, and text that is not the same for all curricula in their last phase."""
    for corpus in _corpora(plan):
        if corpus.fallback:
            yield f"{corpus.name} could not be read: {corpus.source} was used in its place (fallback)"
    read: dict[tuple[str, ...], list[str]] = {}
    for trial in plan.trials:
        last = plan.operation(trial.phases[-1].train, TrainOperation)
        sources = (plan.by_id[feed.source] for feed in last.feeds)
        digests = tuple(
            source.binding.digest if source.binding else source.id
            for source in sources
            if isinstance(source, PrepareOperation)
        )
        read.setdefault(digests, []).append(trial.curriculum)
    if len(read) > 1:
        groups = "; ".join(", ".join(dict.fromkeys(names)) for names in read.values())
        yield f"the last phases do not read the same text ({groups})"


def _evaluation_sets(plan: Plan, metric: str) -> Iterator[str]:
    """Curricula of one seed must be measured on the same rows."""
    for seed in sorted({trial.seed for trial in plan.trials}):
        found = set()
        for trial in (trial for trial in plan.trials if trial.seed == seed):
            for measure in (plan.operation(id, MeasureOperation) for id in trial.measures):
                if metric.startswith(f"{measure.name}/"):
                    content = measure.measurement.model_dump(exclude={"source"})
                    source = plan.key(measure.measurement.source)
                    found.add((source, measure.data_seed, *content.values()))
        if len(found) > 1:
            name = metric.rpartition("/")[0]
            yield f"seed {seed}: {name} is not measured on the same rows in every curriculum"


def _precision(plan: Plan) -> Iterator[str]:
    found = sorted({operation.precision for operation in plan.of_kind(TrainOperation)})
    if len(found) > 1:
        yield f"precisions are mixed: {', '.join(found)}"


def _seeds(results: Sequence[TrialResult], question: Question) -> Iterator[str]:
    """Seeds that cannot be paired, and seeds too few to say anything."""
    ended: dict[str, set[int]] = {result.curriculum: set() for result in results}
    for result in results:
        if question.metric in result.finals:
            ended[result.curriculum].add(result.seed)
    base = ended[question.baseline]
    for name, seeds in ended.items():
        if seeds and (lone := sorted(seeds ^ base)):
            where = name if set(lone) <= seeds else f"{name} or {question.baseline}"
            yield f"{name}: seeds {', '.join(map(str, lone))} do not pair (only in {where})"
    if len(base) == 1:
        yield "one seed: differences have neither interval nor test"


def _machines(results: Sequence[TrialResult]) -> dict[str, tuple[str, ...]]:
    """The different values of each condition, over all finished phases."""
    found: dict[str, dict[str, None]] = {}
    for conditions in (phase.facts.get("conditions", {}) for result in results for phase in result.phases):
        for name in _MIXED:
            if name in conditions:
                found.setdefault(name, {})[str(conditions[name])] = None
    return {name: tuple(values) for name, values in found.items()}


def _mixed(results: Sequence[TrialResult]) -> Iterator[str]:
    for name, values in _machines(results).items():
        if len(values) > 1:
            yield f"{_MIXED[name]} are mixed: {', '.join(values)}"
    # Phases of one study may differ in these by their sizes, equal phases may not.
    lanes: dict[str, set[bool]] = {}
    alone: dict[str, set[bool]] = {}
    for phase in (phase for result in results for phase in result.phases if phase.finished):
        conditions = phase.facts.get("conditions", {})
        lanes.setdefault(phase.phase, set()).add(bool(conditions.get("lanes")))
        alone.setdefault(phase.phase, set()).add(conditions.get("replicas", 1) == 1)
    if mixed := [name for name, values in lanes.items() if len(values) > 1]:
        yield f"steps by kernels and by PyTorch are mixed in {', '.join(mixed)}"
    if mixed := [name for name, values in alone.items() if len(values) > 1]:
        yield f"models trained alone and side by side, alike to 1e-3, are mixed in {', '.join(mixed)}"


def _inexact(results: Sequence[TrialResult]) -> Iterator[str]:
    for result in results:
        for phase in result.phases:
            if phase.inexact or phase.facts.get("inexact"):
                reasons = "; ".join(phase.facts.get("inexact", ())) or "a replayed step gave another number"
                yield f"{result.curriculum} seed {result.seed}: {phase.phase} went on inexactly ({reasons})"
            if skipped := phase.facts.get("skipped"):
                where = f"{result.curriculum} seed {result.seed}: {phase.phase}"
                yield f"{where} skipped {skipped} steps, whose loss or gradient was not finite"


def _versions(plan: Plan, store: Store) -> Iterator[str]:
    if found := older(plan, store):
        yield f"left out, results of other versions of this study: {'; '.join(found)}"


def _twins(plan: Plan) -> Iterator[str]:
    """Curricula that are one and the same training under two names."""
    by_keys: dict[tuple[str, ...], list[str]] = {}
    for trial in plan.trials:
        keys = tuple(plan.key(phase.train) for phase in trial.phases)
        by_keys.setdefault(keys, []).append(trial.curriculum)
    for names in dict.fromkeys(tuple(names) for names in by_keys.values() if len(names) > 1):
        yield f"{' and '.join(dict.fromkeys(names))} are the same training under two names"


def _speeds(results: Sequence[TrialResult]) -> dict[str, float]:
    """Mean tokens a second of each curriculum's last phase, where it is known."""
    found: dict[str, list[float]] = {}
    for result in results:
        speed = result.phases[-1].facts.get("tokens_per_s") if result.phases else None
        if speed:
            found.setdefault(result.curriculum, []).append(float(speed))
    return {name: sum(values) / len(values) for name, values in found.items()}
