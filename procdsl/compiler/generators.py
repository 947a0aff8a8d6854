"""Grammars and sources to the operations that give their rows."""

from __future__ import annotations

from procdsl import analysis, plan
from procdsl.language.sources.base import Procedural
from procdsl.programs.base import Interval


def generate(name: str, made: Procedural, context: int) -> plan.GenerateOperation:
    """Rows of one context, with the floor of their loss and the accuracy of a blind guess."""
    return analysed(bare(name, made, context))


def analysed(rows: plan.GenerateOperation) -> plan.GenerateOperation:
    """The same rows with their floor and chance."""
    place = {"length": rows.length, "context": rows.context}
    floor, chance = analysis.floor(rows.program, **place), analysis.chance(rows.program, **place)
    return rows.model_copy(update={"floor": _told(floor), "chance": chance})


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
