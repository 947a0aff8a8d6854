"""Whether what a transfer takes meets what it is given to."""

from __future__ import annotations

from collections.abc import Iterator

from procdsl.compiler.findings import Finding, Path
from procdsl.compiler.layouts import groups, size, tokenizer_group
from procdsl.compiler.names import address
from procdsl.compiler.study import Layout, Phase, Study
from procdsl.language.transfers import RuleSpec
from procdsl.plan import PARTS

# A layer's own components; the others are there once.
_LAYERED = frozenset(PARTS)
_OF_ROWS = frozenset({"mean", "partial", "first_rows", "sample_rows", "permute_rows"})


def rules_are_separate(study: Study) -> Iterator[Finding]:
    """P332: one thing becomes of each part of a component, in each layer and head."""
    for name, transfer in study.spec.transfers.items():
        seen: list[RuleSpec] = []
        for path, rule in transfer.all_rules():
            for other in seen:
                if rule.component == other.component and _overlap(rule, other):
                    where = f"{rule.component} in the same layers{_within(rule)}"
                    message = f"two rules say what becomes of the {where}"
                    yield Finding(
                        "P332",
                        ("transfers", name, *path),
                        message,
                        "keep one, or divide the layers, parts or heads",
                    )
                    break
            seen.append(rule)


def layers_are_there(study: Study) -> Iterator[Finding]:
    """P333: a rule's layers are layers of both models, and only layered components have them."""
    for phase, path, rule, source in _applied(study):
        if rule.layers is None:
            continue
        least = min(phase.model.layers, source.model.layers)
        if rule.component not in _LAYERED:
            message = f"the {rule.component} is in no layer"
            yield Finding("P333", (*path, "layers"), message, "leave `layers` out")
        elif rule.layers[1] >= least or rule.layers[0] > rule.layers[1]:
            first, last = rule.layers
            message = f"layers {first} to {last} of {least}, for {'.'.join(phase.address)}"
            yield Finding(
                "P333", (*path, "layers"), message, f'layers count from 0: "0..{least - 1}" is all of them'
            )


def shapes_meet(study: Study) -> Iterator[Finding]:
    """P334: tensors that are taken have the shape of those they replace."""
    for phase, path, rule, source in _applied(study):
        if rule.action == "fresh":
            continue
        for what, here, there in _shapes(study, phase, source, rule):
            if here != there:
                message = (
                    f"the {rule.component} of {'.'.join(source.address)} has {what} {there}, "
                    f"that of {'.'.join(phase.address)} {here}"
                )
                yield Finding("P334", path, message, _way_out(rule))


def components_are_there(study: Study) -> Iterator[Finding]:
    """P335: a rule matches parameters: a tied model has no head of its own."""
    for phase, path, rule, _ in _applied(study):
        if rule.component == "head" and phase.model.tied and rule.action != "fresh":
            message = f"{'.'.join(phase.address)} has no head of its own: it is tied to the embedding"
            yield Finding("P335", path, message, 'transfer the "embedding", or set model.tied = false')


def cells_are_no_tokens(study: Study) -> Iterator[Finding]:
    """P349: where positions are frames, embedding and head project cells: there is no row of a token."""
    for phase, path, rule, source in _applied(study):
        at = source if source.layout.cells else phase
        if not at.layout.cells or rule.action == "fresh" or rule.component not in ("embedding", "head"):
            continue
        if _of_one_sort(phase, source) and rule.action not in _OF_ROWS - {"permute_rows"}:
            continue
        message = (
            f"the {rule.component} of {'.'.join(at.address)} projects frames of {at.layout.cells} cells, "
            f"so that {rule.action} is undefined"
        )
        help = f"leave the {rule.component} fresh; attention, mlp, norm and position pass over"
        yield Finding("P349", path, message, help)


def actions_suit_components(study: Study) -> Iterator[Finding]:
    """P336: rows are a thing of embeddings, positions and heads, parts and heads of layers."""
    for name, transfer in study.spec.transfers.items():
        for path, rule in transfer.all_rules():
            for field, message, help in _unsuited(rule):
                yield Finding("P336", ("transfers", name, *path, field), message, help)


def _unsuited(rule: RuleSpec) -> Iterator[tuple[str, str, str]]:
    """The fields of a rule that its component or its action cannot have, with what is wrong and a way out."""
    own = PARTS.get(rule.component, ())
    if rule.action in _OF_ROWS and own:
        message = f"{rule.action} is made of rows, which the {rule.component} does not have"
        yield "action", message, "take, shuffle, statistics, scale or fresh"
    if strangers := [part for part in rule.parts if part not in own]:
        help = f"its parts: {', '.join(own)}" if own else "leave `parts` out"
        yield "parts", f"the {rule.component} has no part called {', '.join(strangers)}", help
    if rule.heads and rule.component != "attention":
        yield "heads", f"the {rule.component} is in no head", "leave `heads` out"
    if rule.of and rule.component != "head":
        yield "of", f"the {rule.component} is made from its own like", "leave `of` out"
    if rule.rows and rule.action != "sample_rows":
        yield "rows", f"{rule.action} draws no rows", 'action = "sample_rows", or leave `rows` out'


def heads_and_rows_are_there(study: Study) -> Iterator[Finding]:
    """P338: a rule names heads, parts and rows that there are."""
    for phase, path, rule, source in _applied(study):
        heads, rows = source.model.heads, _rows(study, source, rule)
        if rule.heads and max(rule.heads) >= heads:
            message = f"head {max(rule.heads)} of {heads}, for {'.'.join(phase.address)}"
            yield Finding("P338", (*path, "heads"), message, f"heads count from 0 to {heads - 1}")
        if rule.rows and rule.rows > rows:
            message = f"{rule.rows:,} rows of {rows:,}, for {'.'.join(phase.address)}"
            yield Finding("P338", (*path, "rows"), message, f"at most {rows:,}, or leave `rows` out for all")
        if "final" in rule.parts and rule.layers is not None:
            message = "the final norm stands behind all layers, and is in none"
            yield Finding("P338", (*path, "layers"), message, "leave `layers` out")


def _rows(study: Study, source: Phase, rule: RuleSpec) -> int:
    """How many rows the source's matrix has, as declared."""
    return source.model.context if rule.component == "position" else size(study.spec, source.layout)


def going_on_needs_the_same_model(study: Study) -> Iterator[Finding]:
    """P337: a start without a transfer takes all parameters as they are."""
    for phase in study.phases():
        if phase.origin is None or phase.origin.transfer is not None:
            continue
        source = study.by_address[phase.origin.phase]
        if source.model != phase.model:
            message = f"{'.'.join(source.address)} has another model than {'.'.join(phase.address)}"
            yield Finding(
                "P337", (*phase.path, "start"), message, "name a transfer that says what passes over"
            )
        elif not _same_ids(study, source.layout, phase.layout):
            message = f"{'.'.join(source.address)} has other ids than {'.'.join(phase.address)}"
            help = 'vocabulary = "shared" in the curriculum, or a transfer with a rule for the embedding'
            yield Finding("P337", (*phase.path, "start"), message, help)


def _applied(study: Study) -> Iterator[tuple[Phase, Path, RuleSpec, Phase]]:
    """Every rule where it is used: the phase it makes, its path, and the phase it takes from."""
    for phase in study.phases():
        if phase.origin is None or phase.origin.transfer is None:
            continue
        for path, rule in study.spec.transfers[phase.origin.transfer].all_rules():
            at = address(phase.address[0], rule.source) if rule.source else phase.origin.phase
            yield phase, ("transfers", phase.origin.transfer, *path), rule, study.by_address[at]


def _shapes(
    study: Study, phase: Phase, source: Phase, rule: RuleSpec
) -> Iterator[tuple[str, object, object]]:
    """What must be equal, here and there, for a rule to be carried out."""
    here, there = phase.model, source.model
    yield "a width of", here.width, there.width
    if rule.component in _LAYERED and rule.layers is None:
        yield "layers:", here.layers, there.layers
    if rule.component == "attention":
        yield "heads:", here.heads, there.heads
    if rule.action in ("take", "shuffle", "permute_rows"):
        if rule.component == "position":
            yield "a context of", here.context, there.context
        if rule.component in ("embedding", "head") and _of_one_sort(phase, source):
            yield "ids:", _ids(study, phase.layout), _ids(study, source.layout)


def _of_one_sort(phase: Phase, source: Phase) -> bool:
    """Whether the positions of both are frames, or of both tokens."""
    return bool(phase.layout.cells) == bool(source.layout.cells)


def _ids(study: Study, layout: Layout) -> str:
    """A layout in words: what must be equal for the rows of an embedding to mean the same.

    Corpora of one tokenizer have one name here, that of the first.
    """
    parts = []
    if layout.text:
        names = groups(study.spec, study.spec.corpora)
        own = tokenizer_group(study.spec, layout.text)
        parts = [f"the text ids of {names[own]}"]
    if layout.cells:
        return f"{layout.cells} cells"
    if layout.tokens:
        parts.append(f"{len(layout.tokens)} symbols ({' '.join(layout.tokens[:3])} …)")
    return " and ".join(parts)


def _same_ids(study: Study, one: Layout, other: Layout) -> bool:
    return one.tokens == other.tokens and _ids(study, one) == _ids(study, other)


def _way_out(rule: RuleSpec) -> str:
    if rule.component in ("embedding", "position", "head"):
        return 'action = "mean", "partial" or "sample_rows" fits any number of rows; or leave it fresh'
    return "take other components, or some layers, or give both phases one model"


def _within(rule: RuleSpec) -> str:
    return f" and the same {'heads' if rule.heads else 'parts'}" if rule.heads or rule.parts else ""


def _overlap(one: RuleSpec, other: RuleSpec) -> bool:
    if one.parts and other.parts and not set(one.parts) & set(other.parts):
        return False
    if one.heads and other.heads and not set(one.heads) & set(other.heads):
        return False
    if one.layers is None or other.layers is None:
        return True
    return one.layers[0] <= other.layers[1] and other.layers[0] <= one.layers[1]
