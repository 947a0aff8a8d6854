# ruff: noqa: F401
"""The plan: the frozen, content-keyed, ordered operations of a study, and everything identity means here.

An operation names its inputs by `id`, a readable name inside this plan. Its *key* is the digest of its
content with those ids replaced by the keys they stand for, without the fields that say how much rather
than what. So a change reaches all that follows, and two arms that begin alike share what they share.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Annotated, Any, Literal

from procdsl.kinds import ByKind, Node, later
from procdsl.plan.base import Operation, OperationT, canonical, digest
from procdsl.plan.generate import GenerateOperation
from procdsl.plan.measure import MeasureOperation
from procdsl.plan.models import COMPONENTS, PARTS, Component, ModelShape, Part, Vocabulary
from procdsl.plan.prepare import (
    AnyTokenizer,
    Binding,
    BpeTokenizer,
    BytesTokenizer,
    CharactersTokenizer,
    HubTokenizer,
    PrepareOperation,
)
from procdsl.plan.sources.base import AnySource
from procdsl.plan.train import Feed, Mastery, Optimiser, Schedule, Shape, Stage, Stop, Thaw, TrainOperation
from procdsl.plan.transfer import Action, TransferOperation, TransferRule

AnyOperation = Annotated[
    PrepareOperation | GenerateOperation | TransferOperation | TrainOperation | MeasureOperation,
    ByKind(),
]


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

    @property
    def name(self) -> str:
        """What it is called wherever a person reads it."""
        return f"{self.curriculum}/s{self.seed}"


class Comparison(Node):
    """What the study compares: `metric` is "<evaluation>/<metric>", and seeds are timed to its `threshold`.

    `curricula` are those in it, each behind what it is called there: the same in all comparisons of a study,
    so that these make a matrix. `name` is empty where the study has one comparison.
    """

    name: str = ""
    metric: str
    baseline: str
    lower_is_better: bool = True
    curricula: tuple[tuple[str, str], ...] = ()
    threshold: float | None = later(None)


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

    def measures(self, train: str) -> tuple[MeasureOperation, ...]:
        """The measurements of a train operation, in order."""
        return tuple(one for one in self.of_kind(MeasureOperation) if one.train == train)

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


# The fields that hold the id of another operation.
_REFERENCES = frozenset({"source", "start", "text", "train"})


def _keyed(operation: Operation, keys: dict[str, str]) -> dict[str, Any]:
    """An operation's content as it is hashed: ids replaced by keys, fields without identity left out."""
    names = {id: keys[id] for id in operation.inputs()}
    return {name: _reference(name, part, names) for name, part in operation.identity().items()}


def _reference(name: str, value: Any, names: dict[str, str]) -> Any:
    """A field's value, with every reference to an operation in it replaced by that operation's key."""
    if isinstance(value, str) and name in _REFERENCES:
        return names.get(value, value)
    if isinstance(value, dict):
        return {inner: _reference(inner, part, names) for inner, part in value.items()}
    if isinstance(value, list):
        return [_reference(name, part, names) for part in value]
    return value
