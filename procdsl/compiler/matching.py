"""What a phase's steps come to in what arms are matched by: tokens, arithmetic, scored tokens."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from procdsl.compiler import layouts, mixtures
from procdsl.compiler.generators import bare
from procdsl.compiler.study import Address
from procdsl.errors import Severity
from procdsl.language.curricula import Measure
from procdsl.language.sources.base import Procedural
from procdsl.language.study import ExperimentSpec
from procdsl.plan import ModelShape

if TYPE_CHECKING:
    from procdsl.compiler.budgets import Budget

# Positions of drawn rows over which scored ones are counted, and of how many rows at the least.
_POSITIONS, _ROWS = 4096, 4
# A phase so long is laid out to find its mean shares.
_STEPS = 10_000


def per_step(
    spec: ExperimentSpec, made: Mapping[str, Procedural], at: Address, size: Budget, *, by: Measure
) -> Fraction:
    """What one step of a phase comes to, on average over the phase where its mixture changes."""
    curriculum = spec.curricula[at[0]]
    (phase,) = (one for one in curriculum.phases if one.name == at[1])
    tokens = Fraction(size.step_tokens)
    if by == "flops":
        from procdsl.estimate import flops_per_token

        shape = ModelShape.model_validate(size.model.model_dump())
        vocabulary = layouts.size(spec, layouts.layout(spec, made, curriculum, phase))
        return tokens * flops_per_token(shape, vocabulary, size.context)
    if by == "scored":
        stages = mixtures.stages(phase.data, _STEPS)
        rows = (_scored(spec, made, name, size.context) for name in phase.data)
        shares = (
            sum((Fraction(str(stage.shares[i])) * stage.steps for stage in stages), Fraction(0)) / _STEPS
            for i in range(len(phase.data))
        )
        return size.batch_rows * sum(
            (row * share for row, share in zip(rows, shares, strict=True)), Fraction(0)
        )
    return tokens


def _scored(spec: ExperimentSpec, made: Mapping[str, Procedural], name: str, context: int) -> Fraction:
    """The scored positions of a row: all of a text's; of rows that are made, the mean over the first few."""
    if name in spec.corpora or any(p.severity is Severity.ERROR for p in made[name].problems(context)):
        return Fraction(context)  # what is wrong with a grammar is told when its rows are checked
    from procdsl import generate

    count = max(_ROWS, _POSITIONS // context)
    _, scored = generate.rows(bare(name, made[name], context), seed=0, split="train", start=0, count=count)
    return Fraction(sum(map(sum, scored)), count * max(made[name].cells(), 1))
