"""Grammars and sources to the operations that give their rows."""

from __future__ import annotations

from procdsl import analysis, plan
from procdsl.language.sources.base import Procedural
from procdsl.programs import Interval


def generate(name: str, made: Procedural, context: int) -> plan.GenerateOperation:
    """Rows of one context, with the floor of their loss and the accuracy of a blind guess."""
    rows = bare(name, made, context)
    return rows.model_copy(
        update={
            "floor": _told(analysis.floor(rows.program, length=rows.length, context=context)),
            "chance": analysis.chance(rows.program, length=rows.length, context=context),
        }
    )


def bare(name: str, made: Procedural, context: int) -> plan.GenerateOperation:
    """Rows of one context, and nothing that has to be computed about them."""
    return plan.GenerateOperation(
        id=f"generate/{name}-{context}",
        name=name,
        program=made.program(),
        length=made.longest(),
        context=context,
        tokens=made.tokens(),
        cells=made.cells(),
    )


def _told(floor: Interval | None) -> Interval | None:
    """A floor without its last digits: they hang on the order of a sum, and so on the machine."""
    if floor is None:
        return None
    return floor.model_copy(update={"low": round(floor.low, 10), "high": round(floor.high, 10)})
