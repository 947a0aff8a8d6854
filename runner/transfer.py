"""Transfers: the initial parameters of a phase, made from those of earlier ones, every tensor accounted for.

A rule names a component, perhaps in some layers, and what becomes of it. The last rule that names a tensor
counts; a tensor that no rule names is fresh. Nothing is matched by substring and nothing is skipped: a rule
that meets no tensor, or tensors whose shapes cannot meet, are errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from procdsl import streams
from procdsl.errors import RunError
from procdsl.plan import Plan, TrainOperation, TransferOperation, TransferRule, Vocabulary
from runner import checkpoints
from runner.initial import initial
from runner.model import Tag, Transformer, tags
from runner.store import Store, unwritable

Became = Literal["taken", "made", "kept"]


@dataclass(frozen=True)
class Entry:
    """What became of one tensor: taken bit for bit, made from a source, or kept as the seed drew it."""

    name: str
    tag: Tag
    entries: int
    became: Became
    action: str
    source: str | None


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
    chosen = _chosen(operation, target)
    tensors: dict[str, Tensor] = {}
    account = []
    became: Became
    for name, tag in tags(target).items():
        rule, fresh = chosen.get(name), target.get_parameter(name).detach()
        if rule is None or rule.action == "fresh":
            tensors[name], became = fresh, "kept"
        else:
            assert rule.source is not None, f"{rule.action} without a source"
            tensors[name] = _made(plan, operation, rule, name, fresh, sources[rule.source])
            became = "taken" if rule.action == "take" else "made"
        action, source = ("fresh", None) if rule is None else (rule.action, rule.source)
        account.append(Entry(name, tag, fresh.numel(), became, action, source))
    return tensors, account


def _chosen(operation: TransferOperation, target: Transformer) -> dict[str, TransferRule]:
    """The rule that counts for each tensor that has one."""
    chosen: dict[str, TransferRule] = {}
    for rule in operation.rules:
        met = [name for name, tag in tags(target).items() if _names(rule, tag)]
        if not met and rule.component == "head" and operation.model.tied and _follows(rule, operation):
            continue
        if not met:
            raise _error(
                operation,
                f"a rule names {_told(rule)}, and the model has no such tensor",
                "mend the layer range",
            )
        chosen |= dict.fromkeys(met, rule)
    return chosen


def _follows(head: TransferRule, operation: TransferOperation) -> bool:
    """Whether a rule for a tied head says what happens anyway: what the embedding's rule says."""
    rules = [rule for rule in operation.rules if rule.component == "embedding"]
    action, source = (rules[-1].action, rules[-1].source) if rules else ("fresh", None)
    return (head.action, head.source) == (action, source)


def _names(rule: TransferRule, tag: Tag) -> bool:
    if tag.component != rule.component:
        return False
    return tag.layer is None or (rule.first <= tag.layer and (rule.last is None or tag.layer <= rule.last))


def _made(
    plan: Plan,
    operation: TransferOperation,
    rule: TransferRule,
    name: str,
    fresh: Tensor,
    source: dict[str, Tensor],
) -> Tensor:
    """A tensor as its rule makes it."""
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
        case "partial":
            return _partial(old, range(len(old)), range(len(fresh)))
        case "sample_rows":
            return _sample_rows(old, len(fresh), key)
        case "shuffle":
            return _shuffle(old, key)
        case _:
            raise AssertionError(rule.action)


def _met(
    operation: TransferOperation, rule: TransferRule, name: str, fresh: Tensor, source: dict[str, Tensor]
) -> Tensor:
    """The source's tensor that a rule makes a tensor from."""
    old = source.get(name)
    if old is None and name == "head.weight":
        old = source["embedding.weight"]  # a tied source's head
    if old is None:
        raise _error(
            operation, f"{rule.source} has no {name}", "take it from a model of as many layers, or fresh"
        )
    same = (
        old.shape == fresh.shape if rule.action in {"take", "shuffle"} else old.shape[1:] == fresh.shape[1:]
    )
    if not same:
        raise _error(
            operation,
            f"{name} is {_shape(old)} in {rule.source} and {_shape(fresh)} here, "
            f"and {rule.action} cannot make them meet",
            "use fresh, or mean, partial or sample_rows where only the number of rows differs",
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


def _shuffle(old: Tensor, key: int) -> Tensor:
    """The same entries in an order drawn by the key: sorted by 64 random bits each."""
    order = np.argsort(np.random.Philox(key=key).random_raw(old.numel()), kind="stable")
    return old.reshape(-1)[torch.from_numpy(order)].reshape(old.shape)


def _mean_row(old: Tensor) -> Tensor:
    return old.double().mean(0, keepdim=True).float()


def _line(entry: Entry) -> dict[str, Any]:
    return {
        "tensor": entry.name,
        "component": entry.tag.component,
        "layer": entry.tag.layer,
        "entries": entry.entries,
        "became": entry.became,
        "action": entry.action,
        "source": entry.source,
    }


def _totals(account: list[Entry]) -> dict[str, int]:
    became = ("taken", "made", "kept")
    totals = {name: sum(entry.entries for entry in account if entry.became == name) for name in became}
    return totals | {"parameters": sum(entry.entries for entry in account)}


def _told(rule: TransferRule) -> str:
    layers = (
        ""
        if rule.first == 0 and rule.last is None
        else f" in layers {rule.first} to {rule.last or 'the last'}"
    )
    return f"{rule.component}{layers}"


def _shape(tensor: Tensor) -> str:
    return " × ".join(str(size) for size in tensor.shape)


def _error(operation: TransferOperation, message: str, help: str) -> RunError:
    return RunError(f"{operation.id}: {message}", reason="transfer", help=help)
