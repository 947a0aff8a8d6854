"""What the names in a spec stand for."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from procdsl.compiler.findings import Path
from procdsl.compiler.study import Address
from procdsl.grammars.base import Grammar
from procdsl.language.curricula import PhaseSpec, Start
from procdsl.language.sources.base import Procedural
from procdsl.language.study import ExperimentSpec


def address(curriculum: str, name: str) -> Address:
    """A phase's name as read inside a curriculum: "text", or "c4_only.text" from anywhere."""
    first, dot, second = name.partition(".")
    return (first, second) if dot else (curriculum, first)


def phases(spec: ExperimentSpec) -> Iterator[tuple[Address, Path, PhaseSpec]]:
    """Every phase as written, with its address and its path."""
    for name, curriculum in spec.curricula.items():
        for index, phase in enumerate(curriculum.phases):
            yield (name, phase.name), ("curricula", name, "phases", index), phase


def everything(spec: ExperimentSpec) -> tuple[str, ...]:
    """All that `data` and `on` may name."""
    return (*spec.grammars, *spec.sources, *spec.corpora)


def origins(spec: ExperimentSpec, at: Address, phase: PhaseSpec) -> dict[Path, Address]:
    """The phases whose parameters a phase takes, by the path inside its table or its transfer's."""
    if not isinstance(phase.start, Start):
        return {}
    found: dict[Path, Address] = {("start", "from"): address(at[0], phase.start.source)}
    transfer = spec.transfers.get(phase.start.transfer or "")
    for path, rule in transfer.all_rules() if transfer else ():
        if rule.source:
            found[(*path, "from")] = address(at[0], rule.source)
    return found


def made_of(spec: ExperimentSpec) -> dict[str, tuple[str, ...]]:
    """The grammars and sources, each with the grammars and sources it is made of."""
    sources = {name: tuple(source.names().values()) for name, source in spec.sources.items()}
    return {name: grammar.references() for name, grammar in spec.grammars.items()} | sources


def cycle(graph: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """A round of names that lead back to themselves, the first once more at its end; or nothing."""
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return tuple(reversed(error.args[1]))
    return ()


def grammars(spec: ExperimentSpec) -> dict[str, Grammar]:
    """Every grammar, bound to those it is made of. The names are known and run in no circle."""
    found: dict[str, Grammar] = {}
    for name in TopologicalSorter(made_of(spec)).static_order():
        if name in spec.grammars:
            grammar = spec.grammars[name]
            found[name] = grammar.bound({part: found[part] for part in grammar.references()})
    return {name: found[name] for name in spec.grammars}


def procedural(spec: ExperimentSpec, split: str = "train") -> dict[str, Procedural]:
    """Every bound grammar, and every source over what it is made of, as a part of their rows has them."""
    bound = grammars(spec)
    found: dict[str, Procedural] = {
        name: one.tested() if split == "test" else one for name, one in bound.items()
    }
    for name in TopologicalSorter(made_of(spec)).static_order():
        if name in spec.sources:
            source = spec.sources[name]
            found[name] = source.over({key: found[part] for key, part in source.names().items()})
    return {name: found[name] for name in (*spec.grammars, *spec.sources)}
