"""Transfers: the initial parameters of a phase, made from those of earlier ones, every tensor accounted for.

A rule names a component, perhaps in some layers, parts or heads, and what becomes of it. The last rule that
names an entry counts; what no rule names is fresh. Nothing is matched by substring and nothing is skipped: a
rule that meets no tensor, or tensors whose shapes cannot meet, are errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from procdsl import streams
from procdsl.errors import RunError
from procdsl.plan import ModelShape, Plan, TrainOperation, TransferOperation, TransferRule, Vocabulary
from runner import checkpoints
from runner.corpora.order import shuffled
from runner.initial import drawn, initial
from runner.model import Tag, Transformer, tags
from runner.store import Store, unwritable

# Actions that need the source's tensor to be of the target's shape; the others, rows as wide.
_SAME_SHAPE = frozenset({"take", "shuffle", "permute_rows"})
# What became of an entry: kept as the seed drew it, taken bit for bit, made from a source.
_BECAME = ("kept", "taken", "made")


@dataclass(frozen=True)
class Entry:
    """What became of one tensor's entries, and by which rules."""

    name: str
    tag: Tag
    became: dict[str, int]
    rules: tuple[TransferRule, ...]


def transfer(plan: Plan, id: str, *, store: Store, place: Path) -> dict[str, Any]:
    """Carry out a transfer into `place`/model.safetensors; the account of its tensors."""
    operation = plan.by_id[id]
    assert isinstance(operation, TransferOperation)
    sources = {
        source: checkpoints.parameters(store.path(plan.by_id[source].kind, plan.key(source)))
        for source in dict.fromkeys(rule.source for rule in operation.rules)
        if source is not None
    }
    tensors, account = apply(plan, operation, sources)
    try:
        save_file(tensors, place / "model.safetensors")
    except OSError as error:
        raise unwritable(place, error) from error
    return {"account": [_line(entry) for entry in account], **_totals(account)}


def apply(
    plan: Plan, operation: TransferOperation, sources: dict[str, dict[str, Tensor]]
) -> tuple[dict[str, Tensor], list[Entry]]:
    """The target's tensors, and what became of each; `sources` holds the tensors of every source."""
    target = initial(operation.model, operation.vocabulary.size, operation.seed)
    rules = [rule for rule in operation.rules if _met_by(operation, rule, target)]
    made = {
        name: _entry(plan, operation, rules, name, tag, target, sources) for name, tag in tags(target).items()
    }
    return {name: tensor for name, (tensor, _) in made.items()}, [entry for _, entry in made.values()]


def _entry(
    plan: Plan,
    operation: TransferOperation,
    rules: list[TransferRule],
    name: str,
    tag: Tag,
    target: Transformer,
    sources: dict[str, dict[str, Tensor]],
) -> tuple[Tensor, Entry]:
    """One tensor as its rules make it, the last that names an entry."""
    tensor = fresh = target.get_parameter(name).detach()
    became, counted = torch.zeros(fresh.shape, dtype=torch.uint8), []
    for rule in rules:
        named = _named(rule, tag, fresh, operation.model)
        if named is None or not named.any():
            continue
        counted.append(rule)
        made = fresh
        if rule.action != "fresh":
            assert rule.source is not None, f"{rule.action} without a source"
            made = _made(plan, operation, rule, name, fresh, named, sources[rule.source])
        tensor = torch.where(named, made, tensor)
        became.masked_fill_(named, 0 if rule.action == "fresh" else 1 if rule.action == "take" else 2)
    counts = torch.bincount(became.flatten(), minlength=len(_BECAME)).tolist()
    return tensor, Entry(name, tag, dict(zip(_BECAME, counts, strict=True)), tuple(counted))


def _met_by(operation: TransferOperation, rule: TransferRule, target: Transformer) -> bool:
    """Whether a rule names anything: an error where it does not, but for a tied head that is as it says."""
    parts = [
        _named(rule, tag, target.get_parameter(name), operation.model) for name, tag in tags(target).items()
    ]
    if any(part is not None and part.any() for part in parts):
        return True
    if rule.component == "head" and operation.model.tied and _follows(rule, operation):
        return False
    message = f"a rule names {_told(rule)}, and the model has no such tensor"
    raise _error(operation, message, "mend its layers, parts or heads")


def _named(rule: TransferRule, tag: Tag, tensor: Tensor, model: ModelShape) -> Tensor | None:
    """Which entries of a tensor a rule names, if it may name any: flags of the tensor's shape."""
    if tag.component != rule.component:
        return None
    if tag.layer is not None and not rule.first <= tag.layer <= (
        model.layers if rule.last is None else rule.last
    ):
        return None
    parts = torch.tensor([not rule.parts or part in rule.parts for part in tag.parts or (None,)])
    rows = parts.repeat_interleave(len(tensor) // len(parts))
    if rule.heads:
        head = torch.arange(model.width) // (model.width // model.heads)
        chosen = torch.isin(head, torch.tensor(rule.heads))
        if "output" in tag.parts:
            # The bias is added once, whatever the heads: it is none of theirs.
            return rows[:, None] & chosen if tensor.ndim > 1 else torch.zeros_like(rows)
        rows = rows & chosen.repeat(len(parts))
    return rows.reshape(-1, *[1] * (tensor.ndim - 1)).expand(tensor.shape)


def _follows(head: TransferRule, operation: TransferOperation) -> bool:
    """Whether a rule for a tied head says what happens anyway: what the embedding's rule says."""
    rules = [rule for rule in operation.rules if rule.component == "embedding"]
    action, source = (rules[-1].action, rules[-1].source) if rules else ("fresh", None)
    return (head.action, head.source) == (action, source)


def _made(
    plan: Plan,
    operation: TransferOperation,
    rule: TransferRule,
    name: str,
    fresh: Tensor,
    named: Tensor,
    source: dict[str, Tensor],
) -> Tensor:
    """A tensor as a rule makes it, right where the rule names its entries."""
    old = _met(operation, rule, name, fresh, source)
    key = streams.key(operation.seed, "transfer", name)
    match rule.action:
        case "take":
            return old
        case "mean":
            return _mean_row(old).expand_as(fresh).contiguous()
        case "partial" if rule.component in {"embedding", "head"}:
            begun = plan.by_id[str(rule.source)]
            assert isinstance(begun, TrainOperation | TransferOperation)
            return _partial(old, _identities(begun.vocabulary), _identities(operation.vocabulary))
        case "partial" | "first_rows":
            return _partial(old, range(len(old)), range(len(fresh)))
        case "sample_rows":
            pool = old if rule.rows is None else old[shuffled(len(old), key)[: rule.rows]]
            return _sample_rows(pool, len(fresh), key)
        case "permute_rows":
            return old[shuffled(len(old), key)]
        case "shuffle":
            entries = old.masked_select(named)
            return old.masked_scatter(named, entries[shuffled(len(entries), key)])
        case "statistics":
            return _drawn_like(_counted(old, named), fresh, key)
        case "scale":
            return _scaled_like(_counted(old, named), fresh, named)
        case _:
            raise AssertionError(rule.action)


def _met(
    operation: TransferOperation, rule: TransferRule, name: str, fresh: Tensor, source: dict[str, Tensor]
) -> Tensor:
    """The source's tensor that a rule makes a tensor from."""
    of = "embedding.weight" if rule.of == "embedding" else name
    old = source.get(of)
    if old is None and name == "head.weight":
        old = source["embedding.weight"]  # a tied source's head
    if old is None:
        raise _error(
            operation, f"{rule.source} has no {name}", "take it from a model of as many layers, or fresh"
        )
    alike = old.shape == fresh.shape
    if not (alike if rule.action in _SAME_SHAPE else old.shape[1:] == fresh.shape[1:]):
        raise _error(
            operation,
            f"{name} is {_shape(old)} in {rule.source} and {_shape(fresh)} here, "
            f"and {rule.action} cannot make them meet",
            "use fresh, or mean, partial, first_rows or sample_rows where only the number of rows differs",
        )
    return old


def _identities(vocabulary: Vocabulary) -> list[int | str]:
    """What each row stands for: a text's ids for themselves, the other tokens by their spelling."""
    return [*range(vocabulary.text_size), *vocabulary.tokens]


def _partial(old: Tensor, there: Sequence[int | str], here: Sequence[int | str]) -> Tensor:
    """The rows that both have; for the others the mean of all that the source has."""
    place = {identity: row for row, identity in enumerate(there)}
    rows = [place.get(identity, len(old)) for identity in here]
    return torch.cat([old, _mean_row(old).reshape(1, *old.shape[1:])])[torch.tensor(rows)]


def _sample_rows(old: Tensor, rows: int, key: int) -> Tensor:
    """Row r is a source row drawn by (key, r): more rows change none of the others."""
    return old[torch.tensor([streams.Stream(key, row).below(len(old)) for row in range(rows)])]


def _counted(old: Tensor, named: Tensor) -> Tensor:
    """The source's entries that a rule names, or all where it has another number of rows."""
    return (old.masked_select(named) if old.shape == named.shape else old).double()


def _drawn_like(entries: Tensor, fresh: Tensor, key: int) -> Tensor:
    """Normals with the mean and the standard deviation of these entries, row r drawn by (key, r)."""
    mean, deviation = float(entries.mean()), float(entries.std(correction=0))
    rows, columns = (len(fresh), 1) if fresh.ndim == 1 else fresh.shape
    return drawn(key, (rows, columns), scale=deviation, mean=mean).view(fresh.shape)


def _scaled_like(entries: Tensor, fresh: Tensor, named: Tensor) -> Tensor:
    """The fresh tensor with the root mean square of these entries; what is zero, as biases are, stays so."""
    now = float(fresh.masked_select(named).double().square().mean().sqrt())
    return fresh * (float(entries.square().mean().sqrt()) / now) if now else fresh


def _mean_row(old: Tensor) -> Tensor:
    return old.double().mean(0, keepdim=True).float()


def _line(entry: Entry) -> dict[str, Any]:
    rules = [{"action": rule.action, "source": rule.source} for rule in entry.rules]
    where = {"tensor": entry.name, "component": entry.tag.component, "layer": entry.tag.layer}
    return where | entry.became | {"rules": rules}


def _totals(account: list[Entry]) -> dict[str, int]:
    totals = {name: sum(entry.became[name] for entry in account) for name in _BECAME}
    return totals | {"parameters": sum(totals.values())}


def _told(rule: TransferRule) -> str:
    """Which tensors a rule names, in words."""
    parts = f" ({', '.join(rule.parts)})" if rule.parts else ""
    heads = f", heads {', '.join(map(str, rule.heads))}" if rule.heads else ""
    everywhere = rule.first == 0 and rule.last is None
    last = "the last" if rule.last is None else rule.last
    return f"{rule.component}{parts}{heads}{'' if everywhere else f' in layers {rule.first} to {last}'}"


def _shape(tensor: Tensor) -> str:
    return " × ".join(str(size) for size in tensor.shape)


def _error(operation: TransferOperation, message: str, help: str) -> RunError:
    return RunError(f"{operation.id}: {message}", reason="transfer", help=help)
