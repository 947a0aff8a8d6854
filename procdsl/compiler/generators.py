"""Grammars and sources to the operations that give their rows."""

from __future__ import annotations

from procdsl import analysis, plan
from procdsl.language.sources.base import Procedural


def generate(name: str, made: Procedural, context: int) -> plan.GenerateOperation:
    """Rows of one context, with the floor of their loss and the accuracy of a blind guess."""
    rows = bare(name, made, context)
    return rows.model_copy(
        update={
            "floor": analysis.floor(rows.program, length=rows.length, context=context),
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
    )
