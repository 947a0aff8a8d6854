"""What a curriculum cannot mean: no phases, no budget, no beginning, or one in itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from procdsl.compiler.findings import Finding, unknown
from procdsl.compiler.names import address, cycle, origins, phases
from procdsl.compiler.study import Address
from procdsl.language.curricula import PhaseSpec
from procdsl.language.study import ExperimentSpec
from procdsl.plan import COMPONENTS


def curricula_have_phases(spec: ExperimentSpec) -> Iterator[Finding]:
    """P310."""
    for name, curriculum in spec.curricula.items():
        if not curriculum.phases:
            help = 'phases = [{ name = "text", data = …, tokens = … }], or leave the curriculum out'
            yield Finding("P310", ("curricula", name, "phases"), f"{name} has no phase", help)


def phases_have_one_budget(spec: ExperimentSpec) -> Iterator[Finding]:
    """P311: `tokens` or `steps`, and not both."""
    for at, path, phase in phases(spec):
        where, help = ".".join(at), 'tokens = "655M", tokens = "55% of baseline.text" or steps = 500'
        given = [key for key in ("tokens", "steps", "match") if getattr(phase, key) is not None]
        if not given:
            yield Finding("P311", path, f"{where} does not say how long it is", help)
        if len(given) > 1:
            message = f"{where} has {len(given)} budgets, {' and '.join(given)}"
            yield Finding("P311", (*path, given[-1]), message, "keep one")


def shares_of_a_budget_are_of_a_phase(spec: ExperimentSpec) -> Iterator[Finding]:
    """P312: "20%" of what?"""
    for _, path, phase in phases(spec):
        tokens = phase.tokens
        if tokens is not None and tokens.unit == "%" and tokens.anchor is None:
            help = f'name the phase it is a share of: "{tokens} of {next(iter(spec.curricula))}.text"'
            yield Finding("P312", (*path, "tokens"), f"{tokens} of what?", help)


def budgets_run_in_no_circle(spec: ExperimentSpec) -> Iterator[Finding]:
    """P313: no budget is a share of itself, however far around."""
    graph: dict[str, tuple[str, ...]] = {}
    paths = {}
    for at, path, phase in phases(spec):
        graph[".".join(at)] = tuple(".".join(other) for other in _measured_by(spec, at, phase))
        paths[".".join(at)] = (*path, phase.budget_key)
    if found := cycle(graph):
        message = f"budgets are shares of each other: {' -> '.join(found)}"
        yield Finding("P313", paths[found[0]], message, 'let one of them be absolute: tokens = "10M"')


def _measured_by(spec: ExperimentSpec, at: Address, phase: PhaseSpec) -> Iterator[Address]:
    """The phases whose budgets this one's follows from."""
    if phase.tokens is not None and phase.tokens.anchor is not None:
        yield address(at[0], phase.tokens.anchor)
    if phase.match is not None:
        here = {at[0], phase.match.curriculum}
        yield from (other for other, _, _ in phases(spec) if other[0] in here and other != at)


def matches_are_of_another(spec: ExperimentSpec) -> Iterator[Finding]:
    """P309: a phase is matched to another curriculum, that there is."""
    for at, path, phase in phases(spec):
        if phase.match is None:
            continue
        where = (*path, "match", "curriculum")
        if phase.match.curriculum not in spec.curricula:
            yield from unknown("P206", where, phase.match.curriculum, spec.curricula, "curriculum")
        elif phase.match.curriculum == at[0]:
            yield Finding("P309", where, f"{at[0]} is matched to itself", "name another curriculum")


def starts_run_in_no_circle(spec: ExperimentSpec) -> Iterator[Finding]:
    """P314: no phase starts from one that comes of it."""
    graph: dict[str, tuple[str, ...]] = {}
    paths = {}
    for at, path, phase in phases(spec):
        graph[".".join(at)] = tuple(".".join(origin) for origin in origins(spec, at, phase).values())
        paths[".".join(at)] = (*path, "start")
    if found := cycle(graph):
        message = f"phases start from each other: {' -> '.join(found)}"
        yield Finding("P314", paths[found[0]], message, 'let one start "fresh"')


def later_phases_say_where_they_start(spec: ExperimentSpec) -> Iterator[Finding]:
    """P315: only a curriculum's first phase is fresh without saying so."""
    for name, curriculum in spec.curricula.items():
        for index, phase in enumerate(curriculum.phases[1:], 1):
            if phase.start is None:
                before = curriculum.phases[index - 1].name
                help = f'start = {{ from = "{before}", transfer = … }}, or start = "fresh"'
                path = ("curricula", name, "phases", index)
                yield Finding("P315", path, f"{name}.{phase.name} does not say where it starts", help)


def starts_come_before(spec: ExperimentSpec) -> Iterator[Finding]:
    """P316: inside a curriculum a phase starts from an earlier one."""
    order = {at: path[-1] for at, path, _ in phases(spec)}
    for at, path, phase in phases(spec):
        for inner, origin in origins(spec, at, phase).items():
            later = origin[0] == at[0] and origin in order and str(order[origin]) > str(order[at])
            if later and inner[0] == "start":
                message = f"{at[1]} starts from {origin[1]}, which comes after it"
                yield Finding("P316", (*path, *inner), message, "change the order of the phases")


def one_baseline(spec: ExperimentSpec) -> Iterator[Finding]:
    """P322: a comparison has one baseline."""
    named = [name for name, curriculum in spec.curricula.items() if curriculum.baseline]
    for name in named[1:]:
        message = f"{name} is a second baseline; {named[0]} is the first"
        yield Finding("P322", ("curricula", name, "baseline"), message, "keep one")
    if not named and any(compared.baseline is None for compared in spec.compared().values()):
        first = next(iter(spec.curricula))
        help = f"baseline = true in one of {', '.join(spec.curricula)}"
        yield Finding(
            "P322", ("curricula", first), "no curriculum is the baseline to compare with", help, key=True
        )


def seeds_differ(spec: ExperimentSpec) -> Iterator[Finding]:
    """P323."""
    for seed, count in Counter(spec.seeds).items():
        if count > 1:
            path = ("seeds", max(i for i, other in enumerate(spec.seeds) if other == seed))
            yield Finding(
                "P323", path, f"seed {seed} is there {count} times", "each seed is one trial of each arm"
            )


def something_is_trained(spec: ExperimentSpec) -> Iterator[Finding]:
    """P325: a phase that freezes all it has trains nothing."""
    for at, path, phase in phases(spec):
        nothing = {"head"} if spec.model.tied else set()
        for point, frozen in phase.freeze.steps.items():
            if set(COMPONENTS) <= {*frozen, *nothing}:
                message = f"{'.'.join(at)} freezes every component from {point} on"
                yield Finding("P325", (*path, "freeze", "steps", point), message, "leave one free")
