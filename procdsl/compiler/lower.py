"""Study to Plan: corpora to prepare, rows to generate, phases to train, and what is measured on the way.

Operations with equal content are one: curricula that begin alike share their beginning, under the name of
the curriculum that the spec writes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from procdsl import plan
from procdsl.compiler import measures, mixtures, resolve, schedules
from procdsl.compiler.generators import generate
from procdsl.compiler.names import address
from procdsl.compiler.study import Address, Layout, Phase, Study
from procdsl.language.corpora.base import Corpus, LikenessCorpus, TextCorpus
from procdsl.language.evaluations.base import Evaluation
from procdsl.programs.measurements.base import AnyMeasurement


def lower(study: Study, *, profile: str | None) -> plan.Plan:
    """The plan of a study that no check objects to."""
    builder = _Builder(study)
    trials = tuple(
        builder.trial(curriculum, seed) for curriculum in study.curricula for seed in study.spec.seeds
    )
    return plan.Plan(
        study=study.spec.name,
        question=study.spec.question,
        profile=profile,
        operations=builder.operations(),
        trials=trials,
        comparisons=tuple(_comparisons(study)),
    )


class _Builder:
    """Gathers operations, each once; `add` gives the id under which its content stands."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self._by_id: dict[str, plan.AnyOperation] = {}
        self._by_content: dict[plan.AnyOperation, str] = {}
        self._trained: dict[tuple[Address, int], str] = {}
        self._sources: dict[tuple[str, int, bool], str] = {}
        self._needs = measures.text_needs(study)

    def operations(self) -> tuple[plan.AnyOperation, ...]:
        return tuple(self._by_id.values())

    def add(self, operation: plan.AnyOperation) -> str:
        content = operation.model_copy(update={"id": ""})
        if content not in self._by_content:
            assert operation.id not in self._by_id, f"two operations are called {operation.id}"
            self._by_content[content] = operation.id
            self._by_id[operation.id] = operation
        return self._by_content[content]

    def source(self, name: str, context: int, split: str = "train") -> str:
        """The operation that gives the rows of a corpus, a grammar or a source, or of its test part."""
        corpus = self.study.spec.corpora.get(name)
        apart = split == "test" and self.study.tested.get(name) is not self.study.procedural.get(name)
        place = (name, 0 if corpus else context, apart)
        if place not in self._sources:
            made = self._prepared(name, corpus) if corpus else self._rows(name, context, apart)
            self._sources[place] = self.add(made)
        return self._sources[place]

    def _prepared(self, name: str, corpus: Corpus) -> plan.PrepareOperation:
        """A corpus, behind the one whose tokens it is made of where it is no text itself."""
        if isinstance(corpus, TextCorpus):
            return corpus.prepare(name, self._needs[name])
        assert isinstance(corpus, LikenessCorpus)
        text = self._by_id[self.source(corpus.of, 0)]
        assert isinstance(text, plan.PrepareOperation)
        return corpus.prepare(name, self._needs[name], text)

    def _rows(self, name: str, context: int, apart: bool) -> plan.GenerateOperation:
        """Rows of a grammar or a source, or of its test part, behind the corpus whose law they wait for."""
        train, test = self.study.procedural[name], self.study.tested[name]
        made = generate(name, test if apart else train, context)
        if law := made.program.awaited:
            made = made.model_copy(update={"text": self.source(law.corpus, context)})
        if not apart or made.program == train.program():
            return made
        return made.model_copy(update={"id": f"{made.id}-test"})

    def trial(self, curriculum: str, seed: int) -> plan.Trial:
        phases, measured = [], []
        for phase in self.study.curricula[curriculum]:
            train = self.train(phase, seed)
            phases.append(_fed(self.study, phase, train))
            measured += [
                self.measure(phase, train, name, evaluation)
                for name, evaluation in measures.applying(self.study, phase)
            ]
        return plan.Trial(curriculum=curriculum, seed=seed, phases=tuple(phases), measures=tuple(measured))

    def train(self, phase: Phase, seed: int) -> str:
        """The operation that trains a phase, after those it starts from."""
        known = self._trained.get((phase.address, seed))
        if known is None:
            known = self.add(self._training(phase, seed))
            self._trained[phase.address, seed] = known
        return known

    def _training(self, phase: Phase, seed: int) -> plan.TrainOperation:
        spec = self.study.spec
        (_, trainable), *thaws = mixtures.trained(phase.spec.freeze, phase.steps)
        return plan.TrainOperation(
            id=_id(phase, seed),
            seed=seed,
            data_seed=seed if spec.data_seed is None else spec.data_seed,
            model=phase.model,
            vocabulary=self._vocabulary(phase.layout, phase.context),
            start=self._start(phase, seed),
            context=phase.context,
            batch_rows=phase.batch_rows,
            feeds=tuple(
                plan.Feed(source=self.source(feed, phase.context), offset=phase.offsets[feed])
                for feed in phase.feeds
            ),
            stages=phase.stages,
            optimiser=_optimiser(phase),
            schedule=phase.schedule,
            precision=phase.training.precision,
            trainable=trainable,
            thaws=tuple(plan.Thaw(step=step, trainable=parts) for step, parts in thaws),
            attention_entropy=phase.training.attention_entropy or None,
            stop=self._stop(phase),
            mastery=tuple(self._mastery(phase)),
        )

    def _stop(self, phase: Phase) -> plan.Stop | None:
        """The rule that ends a phase, with the measurement it watches."""
        stop = phase.spec.stop
        if stop is None:
            return None
        return self._rule(phase, stop.metric, stop.reaches, stop.patience)

    def _mastery(self, phase: Phase) -> Iterator[plan.Mastery]:
        """The values of a grammar that wait for each other, with what each must reach."""
        for first in phase.feeds:
            after, rules = [first], []
            while found := schedules.following(phase.spec, after[-1]):
                feed, rule = found
                rules.append(self._rule(phase, rule.metric, rule.threshold, rule.patience, on=after[-1]))
                after.append(feed)
            if rules and not schedules.awaited(phase.spec, first):
                feeds = tuple(phase.feeds.index(feed) for feed in after)
                yield plan.Mastery(feeds=feeds, rules=tuple(rules))

    def _rule(
        self, phase: Phase, watched: str, value: float, patience: int, *, on: str | None = None
    ) -> plan.Stop:
        """A rule about an evaluation, made `on` something else than it says where that is given."""
        name, _, metric = watched.partition("/")
        written = self.study.spec.evaluations[name]
        evaluation = written.model_copy(update={"on": on}) if on else written
        return plan.Stop(
            measurement=self._measurement(phase, evaluation),
            data_seed=self.study.spec.data_seed or 0,
            every=measures.cadence(phase, evaluation),
            metric=metric,
            threshold=value,
            lower_is_better=bool(measures.lower_is_better(self.study, evaluation, metric)),
            patience=patience,
        )

    def _vocabulary(self, layout: Layout, context: int) -> plan.Vocabulary:
        text = self.source(layout.text, context) if layout.text else None
        tokens = () if layout.cells else layout.tokens
        return plan.Vocabulary(text=text, tokens=tokens, cells=layout.cells)

    def _start(self, phase: Phase, seed: int) -> str | None:
        if phase.origin is None:
            return None
        source = self.train(self.study.by_address[phase.origin.phase], seed)
        if phase.origin.transfer is None:
            return source
        return self.add(
            plan.TransferOperation(
                id=_id(phase, seed) + "/start",
                seed=seed,
                model=phase.model,
                vocabulary=self._vocabulary(phase.layout, phase.context),
                rules=_rules(self.study, phase, lambda at: self.train(self.study.by_address[at], seed)),
            )
        )

    def measure(self, phase: Phase, train: str, name: str, evaluation: Evaluation) -> str:
        return self.add(
            plan.MeasureOperation(
                id=f"{train}/{name}",
                name=name,
                train=train,
                data_seed=self.study.spec.data_seed or 0,
                measurement=self._measurement(phase, evaluation),
                steps=measures.steps(phase, evaluation),
            )
        )

    def _measurement(self, phase: Phase, evaluation: Evaluation) -> AnyMeasurement:
        context = measures.row_context(self.study, phase, evaluation)
        source = self.source(evaluation.on, context, evaluation.split)
        return evaluation.measurement(source, self.study.measured(evaluation))


def _id(phase: Phase, seed: int) -> str:
    curriculum, name = phase.address
    return f"{curriculum}/s{seed}/{name}"


def _optimiser(phase: Phase) -> plan.Optimiser:
    written = phase.training.optimiser
    return plan.Optimiser.model_validate(written.model_dump() | {"clip": written.clip or None})


def _rules(study: Study, phase: Phase, trained: Callable[[Address], str]) -> tuple[plan.TransferRule, ...]:
    """Every component accounted for: what the transfer says of it, or that it is fresh."""
    origin = phase.origin
    assert origin is not None
    assert origin.transfer is not None
    written = [rule for _, rule in study.spec.transfers[origin.transfer].all_rules()]
    found = []
    for rule in written:
        at = address(phase.address[0], rule.source) if rule.source else origin.phase
        first, last = rule.layers or (0, None)
        source = None if rule.action == "fresh" else trained(at)
        found.append(
            plan.TransferRule(
                component=rule.component,
                action=rule.action,
                source=source,
                first=first,
                last=last,
                parts=rule.parts,
                heads=tuple(sorted(set(rule.heads))),
                of=rule.of,
                rows=rule.rows,
            )
        )
    named = {rule.component for rule in written}
    absent = {"head"} if phase.model.tied else set()
    rest = [name for name in plan.COMPONENTS if name not in named | absent]
    return (*found, *(plan.TransferRule(component=name, action="fresh") for name in rest))


def _fed(study: Study, phase: Phase, train: str) -> plan.TrialPhase:
    """A trial's phase with its budget as fed: text and procedural tokens apart."""
    exact = [resolve.rows_read(phase, feed) for feed in phase.feeds]
    rows = mixtures.apportion(exact, phase.steps * phase.batch_rows)
    texts = {name for name, corpus in study.spec.corpora.items() if isinstance(corpus, TextCorpus)}
    text = sum(count for feed, count in zip(phase.feeds, rows, strict=True) if feed in texts)
    return plan.TrialPhase(
        name=phase.address[1],
        train=train,
        text_tokens=text * phase.context,
        procedural_tokens=(sum(rows) - text) * phase.context,
    )


def _comparisons(study: Study) -> Iterator[plan.Comparison]:
    """What is compared with what. One comparison has all curricula, each of several those it can measure."""
    spec, found = study.spec, study.spec.compared()
    flagged = [name for name, curriculum in spec.curricula.items() if curriculum.baseline]
    for path, compared in found.items():
        evaluation, _, metric = compared.metric.partition("/")
        measured = {
            name: name
            for name, phases in study.curricula.items()
            if len(found) == 1 or evaluation in dict(measures.applying(study, phases[-1]))
        }
        lower_is_better = measures.lower_is_better(study, spec.evaluations[evaluation], metric)
        assert lower_is_better is not None, f"{compared.metric} is not measured"
        yield plan.Comparison(
            name="" if len(found) == 1 else path[-1],
            metric=compared.metric,
            baseline=compared.baseline or flagged[0],
            lower_is_better=lower_is_better,
            threshold=compared.threshold,
            curricula=tuple(
                (label, name) for label, name in (compared.curricula or measured).items() if name in measured
            ),
        )
