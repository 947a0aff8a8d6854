"""The plan: the frozen, content-keyed, ordered operations of a study, and everything identity means here.

An operation names its inputs by `id`, a readable name inside this plan. Its *key* is the digest of its
content with those ids replaced by the keys they stand for, without the fields that say how much rather
than what. So a change reaches all that follows, and two arms that begin alike share what they share.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cached_property
from hashlib import blake2b
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import Field

from procdsl.errors import RunError
from procdsl.kinds import ByKind, Grown, Node
from procdsl.programs import AnyMeasurement, AnyProgram, Interval

Component = Literal["embedding", "position", "attention", "mlp", "norm", "head"]
# The fields that hold the id of another operation.
_REFERENCES = frozenset({"source", "start", "text", "train"})

COMPONENTS: tuple[Component, ...] = ("embedding", "position", "attention", "mlp", "norm", "head")

Part = Literal["query", "key", "value", "output", "up", "down", "before_attention", "before_mlp", "final"]
# What the components of a layer are made of; the last norm stands behind all layers.
PARTS: dict[Component, tuple[Part, ...]] = {
    "attention": ("query", "key", "value", "output"),
    "mlp": ("up", "down"),
    "norm": ("before_attention", "before_mlp", "final"),
}


class Operation(Grown):
    """A node of a plan. `unkeyed` names the fields that bear no identity, `inputs` those that hold ids."""

    unkeyed: ClassVar[frozenset[str]] = frozenset({"id"})
    id: str
    semantics: int = 1

    def inputs(self) -> tuple[str, ...]:
        """The ids of the operations whose output this one reads."""
        return ()


OperationT = TypeVar("OperationT", bound=Operation)


# ---------------------------------------------------------------- data


class HubSource(Node):
    """Text from the Hugging Face Hub, streamed in its published order."""

    kind: Literal["hub"] = "hub"
    path: str
    config: str | None = None
    split: str = "train"
    column: str = "text"
    revision: str | None = None
    documents: int | None = Field(default=None, gt=0)


class FilesSource(Node):
    """Text from an explicit list of local files (jsonl, parquet, text, each perhaps gzipped)."""

    kind: Literal["files"] = "files"
    paths: tuple[str, ...] = Field(min_length=1)
    format: Literal["jsonl", "parquet", "text"]
    column: str = "text"


class BuiltinSource(Node):
    """Real text that every machine with Python has: its documentation strings, or its source code."""

    kind: Literal["builtin"] = "builtin"
    name: Literal["pydocs", "pysource"]
    megabytes: float = Field(default=4.0, gt=0)


class ProblemsSource(Node):
    """Questions and answers in the folder layout of DeepMind's mathematics: a file for each part and module.

    Without a path they are made here. Rows begin with a whole problem, each in `row` positions by itself or,
    with `pack`, as many as fit; what is left is padding.
    """

    kind: Literal["problems"] = "problems"
    path: str | None
    revision: str | None = None
    parts: tuple[str, ...] = Field(min_length=1)
    modules: tuple[str, ...] = Field(min_length=1)
    row: int = Field(gt=0)
    pack: bool


AnySource = Annotated[HubSource | FilesSource | BuiltinSource | ProblemsSource, ByKind()]


class BytesTokenizer(Node):
    """UTF-8 bytes, and one id that separates documents: 257 ids."""

    kind: Literal["bytes"] = "bytes"
    size: Literal[257] = 257


class BpeTokenizer(Node):
    """Byte-level BPE trained on the corpus itself, document separator included in `size`."""

    kind: Literal["bpe"] = "bpe"
    size: int = Field(ge=258, le=1_000_000)


class HubTokenizer(Node):
    """A published tokenizer; `size` is checked against the file's when the plan is bound."""

    kind: Literal["hub"] = "hub"
    name: str
    revision: str | None = None
    size: int = Field(gt=0)


class CharactersTokenizer(Node):
    """Padding, the unknown, a question's begin, an answer's begin, 95 characters, perhaps an answer's end."""

    kind: Literal["characters"] = "characters"
    size: Literal[99, 100]


AnyTokenizer = Annotated[BytesTokenizer | BpeTokenizer | HubTokenizer | CharactersTokenizer, ByKind()]


class Binding(Node):
    """What the world decided about a corpus: set by `runner.bind`, part of the key ever after."""

    source: AnySource
    tokenizer: AnyTokenizer
    revision: str
    digest: str
    fallback: bool


class PrepareOperation(Operation):
    """A corpus, tokenised once into shards. How many tokens are needed is not what they are."""

    unkeyed: ClassVar[frozenset[str]] = frozenset(
        {"id", "train_tokens", "spare_tokens", "validation_tokens", "max_epochs"}
        | {"source", "tokenizer", "fallback"}
    )
    kind: Literal["prepare"] = "prepare"
    name: str
    source: AnySource
    tokenizer: AnyTokenizer
    fallback: Annotated[BuiltinSource | ProblemsSource, ByKind()] | None = None
    validation_share: float = Field(default=0.01, gt=0, lt=1)
    max_epochs: float = Field(default=1.0, gt=0)
    train_tokens: int = Field(ge=0)
    # Prepared as well where there is as much: rows are read in permuted blocks, and the last is made whole.
    spare_tokens: int = Field(default=0, ge=0)
    validation_tokens: int = Field(ge=0)
    binding: Binding | None = None


class GenerateOperation(Operation):
    """Procedural rows: `context` + 1 ids each, a pure function of (data seed, name, split, index).

    `tokens` spells each local id: the alphabet, then the specials. A row feeds `context` positions; the
    token at j is scored (a target) where the generator says so. `floor` is the least possible mean loss
    over the scored tokens, in nats; `chance` the accuracy of the best guess that reads no structure. `text`
    is the corpus whose tokens are counted for the law that the program waits for, if it does. With `cells`, a
    position is a frame of so many ids, each 0 or 1, that are fed and asked for together.
    """

    unkeyed: ClassVar[frozenset[str]] = frozenset({"id", "floor", "chance"})
    later: ClassVar[frozenset[str]] = frozenset({"text", "cells"})
    kind: Literal["generate"] = "generate"
    name: str
    program: AnyProgram
    length: int = Field(gt=0)
    context: int = Field(gt=0)
    tokens: tuple[str, ...]
    floor: Interval | None = None
    chance: float | None = None
    text: str | None = None
    cells: int = Field(default=0, ge=0)

    @property
    def row(self) -> int:
        """The ids of a row."""
        return (self.context + 1) * max(self.cells, 1)

    def inputs(self) -> tuple[str, ...]:
        return (self.text,) if self.text else ()

    def settled(self) -> None:
        """RunError where the program waits for what a corpus says: it has no rows yet."""
        if law := self.program.awaited:
            raise RunError(
                f"{self.name!r} is weighed as corpus {law.corpus!r} is, whose tokens nobody has counted here",
                reason="unbound",
                help="a run of the study counts them; to see rows now, give other weights",
            )


# ---------------------------------------------------------------- training


class ModelShape(Node):
    """A GPT-2-shaped decoder: pre-LN, learned positions, GELU (tanh form)."""

    layers: int = Field(gt=0)
    heads: int = Field(gt=0)
    width: int = Field(gt=0)
    context: int = Field(gt=0)
    tied: bool = True
    dropout: float = Field(default=0.0, ge=0, lt=1)


class Vocabulary(Grown):
    """A phase's ids: the text's first (`text_size` of them), then the spelt tokens of its grammars.

    `text` is the prepare operation whose tokenizer gives the text's ids; binding settles `text_size`. Where
    positions are frames there are `cells` instead: a frame is fed as the sum of the rows of the cells that
    are 1, and each cell of the next one is asked for by itself.
    """

    later: ClassVar[frozenset[str]] = frozenset({"cells"})
    text: str | None = None
    text_size: int = Field(default=0, ge=0)
    tokens: tuple[str, ...] = ()
    cells: int = Field(default=0, ge=0)

    @property
    def size(self) -> int:
        """The rows of the embedding."""
        return self.cells or self.text_size + len(self.tokens)


class Feed(Node):
    """A source as one phase reads it: `source` is the id of a prepare or generate operation.

    `offset` is where reading starts: tokens into a corpus, rows into a generator.
    """

    source: str
    offset: int = Field(default=0, ge=0)


class Stage(Node):
    """A stretch of a phase with constant shares, one for each feed of the phase, summing to one."""

    steps: int = Field(gt=0)
    shares: tuple[float, ...]


class Optimiser(Node):
    """AdamW. `clip` bounds the gradient's global norm. `decay` says what is decayed: matrices, or all."""

    kind: Literal["adamw"] = "adamw"
    lr: float = Field(gt=0, le=10)
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = Field(default=1e-8, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    decay: Literal["matrices", "all"] = "matrices"
    clip: float | None = Field(default=1.0, gt=0)


class Schedule(Node):
    """The learning rate over the steps of a phase: linear warm-up, then the shape down to `floor` × lr."""

    kind: Literal["constant", "cosine", "linear"] = "constant"
    warmup: int = Field(default=0, ge=0)
    floor: float = Field(default=0.0, ge=0, le=1)


class Stop(Node):
    """What ends a phase before its budget, or one of its values: `metric` of a measurement, taken after every
    `every` steps, is as good as `threshold` `patience` times in a row. It steers training: the key has it."""

    measurement: AnyMeasurement
    data_seed: int
    every: int = Field(gt=0)
    metric: str
    threshold: float
    lower_is_better: bool
    patience: int = Field(gt=0)

    def met(self, value: float) -> bool:
        """Whether one value is good enough; a number that is none never is."""
        return value <= self.threshold if self.lower_is_better else value >= self.threshold


class Thaw(Node):
    """From `step` on these components are trained, and no others."""

    step: int = Field(gt=0)
    trainable: tuple[Component, ...] = Field(min_length=1)


class Mastery(Node):
    """Feeds of a phase of which one is read at a time, at first the first, which has the share of them all.

    Each but the last has a rule, about held-out rows of its own, that has the next one read from then on.
    """

    feeds: tuple[int, ...] = Field(min_length=2)
    rules: tuple[Stop, ...] = Field(min_length=1)


class TrainOperation(Operation):
    """One phase of training. Every number in it changes the parameters that come out.

    `attention_entropy` times the mean entropy of the scored positions' attention rows (nats; positions, heads
    and layers alike) is added to the loss that is trained, and to none that is told.
    `ended` is the steps that were taken where `stop` ended it: known afterwards, and in no plan to carry out.
    """

    unkeyed: ClassVar[frozenset[str]] = frozenset({"id", "ended"})
    later: ClassVar[frozenset[str]] = frozenset({"attention_entropy", "thaws", "stop", "mastery", "ended"})
    kind: Literal["train"] = "train"
    seed: int
    data_seed: int
    model: ModelShape
    vocabulary: Vocabulary
    start: str | None = None
    context: int = Field(gt=0)
    batch_rows: int = Field(gt=0)
    feeds: tuple[Feed, ...] = Field(min_length=1)
    stages: tuple[Stage, ...] = Field(min_length=1)
    optimiser: Optimiser
    schedule: Schedule
    precision: Literal["fp32", "bf16"] = "fp32"
    trainable: tuple[Component, ...] = COMPONENTS
    thaws: tuple[Thaw, ...] = ()
    attention_entropy: float | None = Field(default=None, gt=0)
    stop: Stop | None = None
    mastery: tuple[Mastery, ...] = ()
    ended: int | None = None

    def inputs(self) -> tuple[str, ...]:
        rules = ([self.stop] if self.stop else []) + [rule for group in self.mastery for rule in group.rules]
        sources = (feed.source for feed in self.feeds)
        named = (self.start, self.vocabulary.text, *sources, *(rule.measurement.source for rule in rules))
        return tuple(dict.fromkeys(id for id in named if id))

    def trainable_at(self, step: int) -> tuple[Component, ...]:
        """The components that are trained in a step, counted from 0."""
        return next((thaw.trainable for thaw in reversed(self.thaws) if thaw.step <= step), self.trainable)

    @property
    def steps(self) -> int:
        """The steps of the budget, or those that were taken where that is known."""
        return sum(stage.steps for stage in self.stages) if self.ended is None else self.ended

    def ends(self, met: int) -> bool:
        """Whether the phase ends where its rule was met so often in a row."""
        return self.stop is not None and met >= self.stop.patience

    @property
    def tokens(self) -> int:
        """Positions fed over the whole phase, prompts and padding included."""
        return self.steps * self.batch_rows * self.context


Action = Literal[
    "take",
    "fresh",
    "mean",
    "partial",
    "first_rows",
    "sample_rows",
    "permute_rows",
    "shuffle",
    "statistics",
    "scale",
]


class TransferRule(Grown):
    """What becomes of one component, in layers `first` .. `last` (embedding, position and head have none).

    take: copied from the source. fresh: from the target's seed. mean: every row is the source's mean row.
    partial: the rows that both have are copied (ids of one meaning, positions of one number), the rest is
    the mean; first_rows: the same by number alone. sample_rows: each row one of the source's, or of `rows`
    drawn from them. permute_rows: the source's rows in another order. shuffle: the source's entries,
    permuted inside each tensor. statistics: drawn anew with the mean and the standard deviation of the
    source's tensor. scale: the fresh tensor times one number, so that its root mean square is the source's.

    `parts` names parts of the component, `heads` heads of an attention: rows of query, key and value (and
    their biases), columns of the output, whose bias is no head's. `of` says which component of the source
    a head is made from, where it is not its own.
    """

    later: ClassVar[frozenset[str]] = frozenset({"parts", "heads", "of", "rows"})
    component: Component
    action: Action
    source: str | None = None
    first: int = 0
    last: int | None = None
    parts: tuple[Part, ...] = ()
    heads: tuple[int, ...] = ()
    of: Literal["embedding"] | None = None
    rows: int | None = None


class TransferOperation(Operation):
    """Initial parameters of a phase, made from those of earlier ones. Unnamed components are fresh."""

    kind: Literal["transfer"] = "transfer"
    seed: int
    model: ModelShape
    vocabulary: Vocabulary
    rules: tuple[TransferRule, ...]

    def inputs(self) -> tuple[str, ...]:
        named = (self.vocabulary.text, *(rule.source for rule in self.rules))
        return tuple(dict.fromkeys(id for id in named if id))


class MeasureOperation(Operation):
    """An evaluation of the parameters a train operation has after some of its steps."""

    unkeyed: ClassVar[frozenset[str]] = frozenset({"id", "steps", "name"})
    kind: Literal["measure"] = "measure"
    name: str
    train: str
    data_seed: int
    measurement: AnyMeasurement
    steps: tuple[int, ...] = Field(min_length=1)

    def inputs(self) -> tuple[str, ...]:
        return (self.train, self.measurement.source)


AnyOperation = Annotated[
    PrepareOperation | GenerateOperation | TransferOperation | TrainOperation | MeasureOperation,
    ByKind(),
]

# ---------------------------------------------------------------- the whole


class TrialPhase(Node):
    """A phase of a trial: which operation trains it, and its budget as fed, text and procedural apart."""

    name: str
    train: str
    text_tokens: int
    procedural_tokens: int


class Trial(Node):
    """One curriculum with one seed: the course of one model."""

    curriculum: str
    seed: int
    phases: tuple[TrialPhase, ...]
    measures: tuple[str, ...]


class Comparison(Grown):
    """What the study compares: `metric` is "<evaluation>/<metric>", and seeds are timed to its `threshold`.

    `curricula` are those in it, each behind what it is called there: the same in all comparisons of a study,
    so that these make a matrix. `name` is empty where the study has one comparison.
    """

    later: ClassVar[frozenset[str]] = frozenset({"threshold"})
    name: str = ""
    metric: str
    baseline: str
    lower_is_better: bool = True
    curricula: tuple[tuple[str, str], ...] = ()
    threshold: float | None = None


class Plan(Node):
    """A study, ready to be bound and carried out. Operations stand after those they read."""

    format: Literal[1] = 1
    study: str
    question: str = ""
    profile: str | None = None
    operations: tuple[AnyOperation, ...]
    trials: tuple[Trial, ...]
    comparisons: tuple[Comparison, ...] = ()

    @property
    def comparison(self) -> Comparison | None:
        """The first of the comparisons: what a study is shown by."""
        return self.comparisons[0] if self.comparisons else None

    @cached_property
    def by_id(self) -> dict[str, AnyOperation]:
        """Operations by id."""
        return {operation.id: operation for operation in self.operations}

    @cached_property
    def keys(self) -> dict[str, str]:
        """The key of every operation, by id."""
        found: dict[str, str] = {}
        for operation in self.operations:
            found[operation.id] = digest(_keyed(operation, found))
        return found

    def key(self, id: str) -> str:
        return self.keys[id]

    def operation(self, id: str, kind: type[OperationT]) -> OperationT:
        """The operation of that id, which is of that kind."""
        found = self.by_id[id]
        assert isinstance(found, kind), f"{id} is no {kind.__name__}"
        return found

    def of_kind(self, kind: type[OperationT]) -> tuple[OperationT, ...]:
        """The operations of a kind, in order."""
        return tuple(operation for operation in self.operations if isinstance(operation, kind))

    def with_operations(
        self, operations: Iterable[AnyOperation], trials: Iterable[Trial] | None = None
    ) -> Plan:
        """This plan with other operations. (`model_copy` would keep the keys computed for the old ones.)"""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        changed = {
            "operations": tuple(operations),
            "trials": tuple(self.trials if trials is None else trials),
        }
        return Plan(**(fields | changed))

    def needed(self, ids: Iterator[str] | tuple[str, ...]) -> tuple[str, ...]:
        """These operations and all they read, in plan order."""
        wanted = set(ids)
        for operation in reversed(self.operations):
            if operation.id in wanted:
                wanted.update(operation.inputs())
        return tuple(operation.id for operation in self.operations if operation.id in wanted)

    def origins(self, train: str) -> tuple[str, ...]:
        """The train operations that its parameters came through, of whichever curriculum; `train` is last."""
        return tuple(id for id in self.needed((train,)) if isinstance(self.by_id[id], TrainOperation))


def canonical(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, no NaN, floats by their shortest representation."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def digest(value: Any) -> str:
    """The key of a JSON value: 128 bits of blake2b over its canonical form, in hexadecimal."""
    return blake2b(canonical(value).encode(), digest_size=16).hexdigest()


def _keyed(operation: Operation, keys: dict[str, str]) -> dict[str, Any]:
    """An operation's content as it is hashed: ids replaced by keys, fields without identity left out."""
    content = operation.model_dump(mode="json", exclude=set(operation.unkeyed))
    if isinstance(operation, PrepareOperation) and operation.binding is None:
        content |= operation.model_dump(mode="json", include={"source", "tokenizer", "fallback"})
    if isinstance(operation, MeasureOperation):
        for name in operation.measurement.unkeyed:
            del content["measurement"][name]
    names = {id: keys[id] for id in operation.inputs()}
    return {name: _reference(name, part, names) for name, part in content.items()}


def _reference(name: str, value: Any, names: dict[str, str]) -> Any:
    """A field's value, with every reference to an operation in it replaced by that operation's key."""
    if isinstance(value, str) and name in _REFERENCES:
        return names.get(value, value)
    if isinstance(value, dict):
        return {inner: _reference(inner, part, names) for inner, part in value.items()}
    if isinstance(value, list):
        return [_reference(name, part, names) for part in value]
    return value
