"""What is hashed can be written in one way only: no sets, no open types, no numbers beyond JSON."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Set
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from procdsl import kinds
from procdsl.plan import Plan
from procdsl.plan.sources.base import CorpusSource
from procdsl.programs.base import Program
from procdsl.programs.measurements.base import Measurement

FAMILIES = (CorpusSource, Measurement, Program)
_ATOMS = (str, int, float, bool, type(None))


def models(start: type[BaseModel]) -> set[type[BaseModel]]:
    """Every model that a plan can hold."""
    found: set[type[BaseModel]] = set()
    queue: list[Any] = [start]
    while queue:
        part = queue.pop()
        if isinstance(part, type) and issubclass(part, BaseModel):
            if part not in found:
                found.add(part)
                part.model_rebuild()
                queue += [field.annotation for field in part.model_fields.values()]
                if part in FAMILIES:
                    queue += [kinds.load(part, kind) for kind in kinds.names(part)]
        else:
            queue += get_args(part)
    return found


MODELS = sorted(models(Plan), key=lambda model: model.__name__)


def leaves(annotation: Any) -> Iterator[Any]:
    """The types an annotation is made of."""
    yield get_origin(annotation) or annotation
    if get_origin(annotation) is not typing.Literal:
        for part in get_args(annotation):
            yield from leaves(part)


def test_plans_reach_programs_and_measurements() -> None:
    assert {"Plan", "TrainOperation", "DyckProgram", "LossMeasurement", "Lengths"} <= {
        m.__name__ for m in MODELS
    }


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_hashed_type_holds_nothing_unordered_open_or_infinite(model: type[BaseModel]) -> None:
    assert model.model_config.get("frozen")
    assert model.model_config.get("extra") == "forbid"
    assert model.model_config.get("allow_inf_nan") is False
    for name, field in model.model_fields.items():
        for part in leaves(field.annotation):
            assert part is not Any, f"{model.__name__}.{name} may be anything"
            assert part not in (set, frozenset, Set, Callable, dict), f"{model.__name__}.{name} holds {part}"
            if isinstance(part, type) and not issubclass(part, BaseModel):
                assert part in _ATOMS or part is tuple or part.__module__ in {"types", "typing"}, (name, part)
