"""What a plan will cost, from the plan alone: parameters, arithmetic, memory, disk, and what transfers move.

Arithmetic counts training only: six operations a matrix parameter and token, and attention over the half of
the row that a position sees. Memory is float32 parameters, gradients and AdamW's two moments, and what a
backward pass keeps of about 16 activations a layer; estimates, where the rest is exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from procdsl.kinds import Node
from procdsl.plan import (
    COMPONENTS,
    AnyOperation,
    Component,
    ModelShape,
    Plan,
    PrepareOperation,
    TrainOperation,
    TransferOperation,
    TransferRule,
    Vocabulary,
)

_STATE_BYTES = 16
_CHECKPOINT_BYTES = 12
_ACTIVATIONS = 16
# Larger batches are fed in parts of about so many positions.
_PART = 65_536
Part = tuple[Component, int]


class PhaseCost(Node):
    """A phase of a curriculum; `trained` is its operation, `shared` how many trials need that."""

    name: str
    trained: str
    steps: int
    text_tokens: int
    procedural_tokens: int
    parameters: int
    flops: float
    memory_bytes: int
    shared: int


class Moved(Node):
    """What becomes of a component's parameters: taken from the source, made from it, kept as drawn."""

    component: Component
    taken: int = 0
    made: int = 0
    kept: int = 0


class Cost(Node):
    """The whole of a plan: the phases of each curriculum (its first seed), each operation counted once."""

    curricula: dict[str, tuple[PhaseCost, ...]]
    trials: int
    operations: int
    flops: float
    disk_bytes: int
    transfers: dict[str, tuple[Moved, ...]]


class Speed(Node):
    """What training gets done here: arithmetic a second of one operation, how many run at once, and of how
    many models, trained side by side, each of these is."""

    flops: float
    jobs: int
    replicas: int = 1


def left(plan: Plan, built: Collection[str]) -> float:
    """The arithmetic of the training that is not built yet."""
    return sum(flops(plan, train) for train in plan.of_kind(TrainOperation) if train.id not in built)


def cost(plan: Plan) -> Cost:
    """What the plan will cost."""
    users = Counter(phase.train for trial in plan.trials for phase in trial.phases)
    moves = plan.of_kind(TransferOperation)
    curricula: dict[str, tuple[PhaseCost, ...]] = {}
    for trial in plan.trials:
        if trial.curriculum not in curricula:
            curricula[trial.curriculum] = tuple(
                _phase(plan, p.name, p.train, p.text_tokens, p.procedural_tokens, users) for p in trial.phases
            )
    return Cost(
        curricula=curricula,
        trials=len(plan.trials),
        operations=len(plan.operations),
        flops=left(plan, ()),
        disk_bytes=sum(disk(plan, operation) for operation in plan.operations),
        transfers={
            operation.id: tuple(moved(plan, operation))
            for operation in moves
            if operation.seed == min(one.seed for one in moves)
        },
    )


def parameters(model: ModelShape, vocabulary: int) -> dict[Part, int]:
    """Parameters by component and layer; what belongs to no layer is in layer 0, the last norm in L."""
    width = model.width
    own: dict[Part, int] = {("embedding", 0): vocabulary * width, ("position", 0): model.context * width}
    for layer in range(model.layers):
        own["attention", layer] = 4 * width * width + 4 * width
        own["mlp", layer] = 8 * width * width + 5 * width
        own["norm", layer] = 4 * width
    own["norm", model.layers] = 2 * width
    own["head", 0] = 0 if model.tied else vocabulary * width
    return own


def vocabulary_size(plan: Plan, vocabulary: Vocabulary) -> int:
    """How many ids there are; before binding, with as many for text as the tokenizer says it has."""
    text = plan.by_id.get(vocabulary.text or "")
    declared = text.tokenizer.size if isinstance(text, PrepareOperation) else 0
    return vocabulary.cells or (vocabulary.text_size or declared) + len(vocabulary.tokens)


def count(plan: Plan, operation: TrainOperation | TransferOperation) -> int:
    """The parameters of an operation's model."""
    return operation.model.parameters(vocabulary_size(plan, operation.vocabulary))


def flops(plan: Plan, operation: TrainOperation) -> float:
    """The arithmetic of a phase's training."""
    size = vocabulary_size(plan, operation.vocabulary)
    return float(operation.tokens) * flops_per_token(operation.model, size, operation.context)


def flops_per_token(model: ModelShape, vocabulary: int, context: int) -> int:
    """The arithmetic of training on one position."""
    matrices = 12 * model.layers * model.width**2 + vocabulary * model.width
    return 6 * matrices + 6 * model.layers * model.width * context


def memory(plan: Plan, operation: TrainOperation) -> int:
    """About the bytes that training a phase takes on its device."""
    model = operation.model
    held = 2 if operation.precision == "bf16" else 4
    positions = min(operation.batch_rows * operation.context, _PART)
    kept = positions * model.layers * model.width * _ACTIVATIONS * held
    return count(plan, operation) * _STATE_BYTES + kept


def moved(plan: Plan, operation: TransferOperation) -> Iterator[Moved]:
    """For each component, how many parameters are taken, made anew from the source, or kept as drawn."""
    own = parameters(operation.model, vocabulary_size(plan, operation.vocabulary))
    for component in COMPONENTS:
        if not (parts := {part: size for part, size in own.items() if part[0] == component and size}):
            continue
        done: Counter[str] = Counter(kept=sum(parts.values()))
        for (_, layer), size in parts.items():
            for rule in _rules(operation, component, layer):
                done.update(_settled(plan, operation, rule, _named(operation.model, rule, layer, size)))
        yield Moved(component=component, **done)


def _settled(plan: Plan, operation: TransferOperation, rule: TransferRule, size: int) -> Mapping[str, int]:
    """What one rule makes of so many parameters that were kept."""
    if rule.action == "fresh":
        return {}
    taken = size if rule.action == "take" else 0
    if rule.action in ("partial", "first_rows"):
        taken = min(size, _rows(plan, rule) * operation.model.width)
    return {"taken": taken, "made": size - taken, "kept": -size}


def _named(model: ModelShape, rule: TransferRule, layer: int, size: int) -> int:
    """How many of a component's parameters in a layer a rule names: all, or those of parts and heads."""
    if not rule.parts and not rule.heads:
        return size
    width, heads = model.width, len(rule.heads)
    norm, share = 2 * width, width // model.heads * heads if heads else width
    own = {
        "attention": dict.fromkeys(("query", "key", "value"), share * (width + 1))
        | {"output": share * width + (0 if heads else width)},
        "mlp": {"up": 4 * width * width + 4 * width, "down": 4 * width * width + width},
        "norm": {"final": norm} if layer == model.layers else {"before_attention": norm, "before_mlp": norm},
    }[rule.component]
    return sum(entries for part, entries in own.items() if not rule.parts or part in rule.parts)


def _rows(plan: Plan, rule: TransferRule) -> int:
    """How many rows the source's matrix has, of positions or ids."""
    source = plan.operation(rule.source or "", TrainOperation)
    return source.model.context if rule.component == "position" else vocabulary_size(plan, source.vocabulary)


def _rules(operation: TransferOperation, component: Component, layer: int) -> Iterator[TransferRule]:
    for rule in operation.rules:
        last = operation.model.layers if rule.last is None else rule.last
        if rule.component == component and rule.first <= layer <= last:
            yield rule


def _phase(
    plan: Plan, name: str, train: str, text: int, procedural: int, users: Mapping[str, int]
) -> PhaseCost:
    operation = plan.operation(train, TrainOperation)
    return PhaseCost(
        name=name,
        trained=train,
        steps=operation.steps,
        text_tokens=text,
        procedural_tokens=procedural,
        parameters=count(plan, operation),
        flops=flops(plan, operation),
        memory_bytes=memory(plan, operation),
        shared=users[train],
    )


def disk(plan: Plan, operation: AnyOperation) -> int:
    """Bytes of what is kept: the last checkpoint of a phase, transferred parameters, text as ids."""
    if isinstance(operation, TrainOperation):
        return count(plan, operation) * _CHECKPOINT_BYTES
    if isinstance(operation, TransferOperation):
        return count(plan, operation) * 4
    if isinstance(operation, PrepareOperation):
        tokens = operation.train_tokens + operation.spare_tokens + operation.validation_tokens
        return tokens * (4 if operation.tokenizer.size > 1 << 16 else 2)
    return 0
