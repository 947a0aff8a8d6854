"""How plans, their differences and costs, kinds and the machine look, as lines and tables."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from procdsl import report
from procdsl.plan import COMPONENTS, Feed, MeasureOperation, TrainOperation
from procdsl.readable import duration, many, scientific, short, size

if TYPE_CHECKING:
    from rich.table import Table

    from procdsl.differences import Differences
    from procdsl.doctor import Finding
    from procdsl.estimate import Cost, Moved, PhaseCost, Speed
    from procdsl.plan import Plan
    from procdsl.presets import Preset

_MANY = 40
_VALUES = 6
_LEAST_TELLING = ("memory", "parameters", "FLOPs", "steps", "time")
_SEED = re.compile(r"/s\d+(?:/|$)")


def counts(plan: Plan) -> dict[str, int]:
    """How many curricula, seeds, trials and operations a plan has."""
    return {
        "curricula": len({trial.curriculum for trial in plan.trials}),
        "seeds": len({trial.seed for trial in plan.trials}),
        "trials": len(plan.trials),
        "operations": len(plan.operations),
    }


def checked(found: Mapping[str, Any]) -> str:
    """A spec that compiles, in a line."""
    return f"{found['spec']}: {_extent(found)}, {found['operations']:,} operations"


def _extent(found: Mapping[str, Any]) -> str:
    return f"{many(found['curricula'], 'curriculum', 'curricula')} × {many(found['seeds'], 'seed')}"


def plan(
    plan: Plan,
    cost: Cost,
    built: Collection[str],
    speed: Speed | None,
    scored: Mapping[tuple[str, str], int],
) -> None:
    """Every curriculum with its phases and their cost, what is there already, and what transfers move."""
    profile = f", profile {plan.profile}" if plan.profile else ""
    report.line(f"{plan.study}: {_extent(counts(plan))}{profile}", style="bold")
    if plan.question:
        report.line(plan.question)
    report.line()
    report.show(_phases(cost, speed, scored))
    report.line()
    if told := list(_standings(plan, cost, built)):
        report.line("\n".join(told))
        report.line()
    alike: dict[tuple[Moved, ...], list[str]] = {}
    for id, parts in cost.transfers.items():
        alike.setdefault(parts, []).append(_SEED.sub("/", id))
    for parts, ids in alike.items():
        report.line(f"transfer into {', '.join(ids)}: parameters by component", style="bold")
        report.show(_transfer(parts))
        report.line()
    _totals(plan, cost, built, speed)


def _phases(cost: Cost, speed: Speed | None, scored: Mapping[tuple[str, str], int]) -> Table:
    # Said where it says more than the tokens fed do.
    told = any(
        scored[name, phase.name] < 0.999 * (phase.text_tokens + phase.procedural_tokens)
        for name, phases in cost.curricula.items()
        for phase in phases
    )
    rows = [
        {
            "curriculum": "" if number else curriculum,
            "phase": phase.name,
            "steps": f"{phase.steps:,}",
            "text": short(phase.text_tokens),
            "procedural": short(phase.procedural_tokens),
            "scored": short(scored[curriculum, phase.name]) if told else "",
            "parameters": short(phase.parameters),
            "FLOPs": scientific(phase.flops),
            "memory": size(phase.memory_bytes),
            "time": duration(phase.flops / speed.flops) if speed else "",
        }
        for curriculum, phases in cost.curricula.items()
        for number, phase in enumerate(phases)
    ]
    names = _fitting(rows, report.width())
    table = report.table(*names)
    for row in rows:
        table.add_row(*(row[name] for name in names))
    return table


def _fitting(rows: list[dict[str, str]], width: int) -> list[str]:
    """The columns that have something in them and fit, the least telling left out first."""
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) + report.GAP for name in rows[0]}
    names = [name for name in widths if any(row[name] for row in rows)]
    for name in _LEAST_TELLING:
        if sum(widths[kept] for kept in names) > width and name in names:
            names.remove(name)
    return names


def _standings(plan: Plan, cost: Cost, built: Collection[str]) -> Iterator[str]:
    """What is shared between curricula, and what is built."""
    for curriculum, phases in cost.curricula.items():
        for phase in phases:
            if told := _standing(plan, curriculum, phase, built):
                yield f"{curriculum}.{phase.name}: {told}"


def _standing(plan: Plan, curriculum: str, phase: PhaseCost, built: Collection[str]) -> str:
    """What is frozen in a phase, whether other curricula use it too, and how much of it is built."""
    told = [*_frozen(plan, phase.trained), *_replays(plan, curriculum, phase.trained)]
    users = {trial.curriculum for trial in plan.trials for p in trial.phases if p.train == phase.trained} - {
        curriculum
    }
    if users:
        told.append(f"shared with {', '.join(sorted(users))}")
    own = {
        p.train
        for trial in plan.trials
        if trial.curriculum == curriculum
        for p in trial.phases
        if p.name == phase.name
    }
    if rule := stops(plan, phase.trained):
        told.append(rule)
    told += changes(plan, phase.trained)
    if done := len(own & set(built)):
        told.append("built" if done == len(own) else f"built for {done} of {len(own)} seeds")
    return "; ".join(told)


def stops(plan: Plan, id: str) -> str:
    """What ends a phase before its budget, if anything does.

    "at most; ends once brackets/closer_accuracy is at least 0.97 at 2 evaluations in a row"
    """
    if (rule := plan.operation(id, TrainOperation).stop) is None:
        return ""
    watched = (id, rule.measurement, rule.data_seed)
    measures = plan.of_kind(MeasureOperation)
    named = (one.name for one in measures if (one.train, one.measurement, one.data_seed) == watched)
    side = "at most" if rule.lower_is_better else "at least"
    times = f" at {rule.patience} evaluations in a row" if rule.patience > 1 else ""
    return f"at most; ends once {next(named)}/{rule.metric} is {side} {rule.threshold:g}{times}"


def _frozen(plan: Plan, trained: str) -> Iterator[str]:
    """What a phase does not train, and until when."""
    operation = plan.operation(trained, TrainOperation)
    points = (0, *(thaw.step for thaw in operation.thaws))
    for step in points:
        frozen = [name for name in _components(operation) if name not in operation.trainable_at(step)]
        since = f"from step {step:,} on, " if step else ""
        if frozen or step:
            yield f"{since}{' '.join(frozen) or 'nothing'} frozen"


def _replays(plan: Plan, curriculum: str, trained: str) -> Iterator[str]:
    """Which earlier phase's rows a phase reads again."""
    trial = next(trial for trial in plan.trials if trial.curriculum == curriculum)
    read: dict[Feed, str] = {}
    for phase in trial.phases:
        operation = plan.operation(phase.train, TrainOperation)
        if phase.train == trained:
            again = dict.fromkeys(read[feed] for feed in operation.feeds if feed in read)
            yield from (f"reads the rows of {name} again" for name in again)
            return
        read = dict.fromkeys(operation.feeds, phase.name) | read


def _components(operation: TrainOperation) -> Iterator[str]:
    return (name for name in COMPONENTS if name != "head" or not operation.model.tied)


def changes(plan: Plan, id: str) -> Iterator[str]:
    """The sources of a phase that change over it, with the values they take.

    "dyck takes 7 values: 4 from 0%, 6 from 7%, … 16 from 50%"
    """
    operation = plan.operation(id, TrainOperation)
    for group in operation.mastery:
        named = [getattr(plan.by_id[operation.feeds[feed].source], "name", "") for feed in group.feeds]
        rule = group.rules[0]
        times = f" {rule.patience} times in a row" if rule.patience > 1 else ""
        side = "at most" if rule.lower_is_better else "at least"
        yield f"{', then '.join(named)}, each once {rule.metric} is {side} {rule.threshold:g}{times}"
    awaiting = {feed for group in operation.mastery for feed in group.feeds}
    starts: dict[str, list[str]] = {}
    step, seen = 0, set[int]()
    for stage in operation.stages:
        for index, share in enumerate(stage.shares):
            name, at, value = getattr(plan.by_id[operation.feeds[index].source], "name", "").partition("@")
            if at and share and index not in seen | awaiting:
                seen.add(index)
                starts.setdefault(name, []).append(f"{value} from {step / operation.steps:.0%}")
        step += stage.steps
    for name, values in starts.items():
        shown = values if len(values) <= _VALUES else [*values[:2], "…", values[-1]]
        yield f"{name} takes {len(values)} values: {', '.join(shown).replace('…,', '…')}"


def _transfer(parts: Iterable[Moved]) -> Table:
    table = report.table("component", "taken", "made", "kept")
    for part in parts:
        table.add_row(part.component, *(f"{n:,}" if n else "–" for n in (part.taken, part.made, part.kept)))
    return table


def _totals(plan: Plan, cost: Cost, built: Collection[str], speed: Speed | None) -> None:
    from procdsl.estimate import left

    phases = sum(len(trial.phases) for trial in plan.trials)
    trained = len({phase.train for trial in plan.trials for phase in trial.phases})
    report.line(f"{many(cost.trials, 'trial')} of {many(phases, 'phase')}, {trained:,} of them different")
    report.line(f"training {scientific(cost.flops)} FLOPs; disk {size(cost.disk_bytes)}")
    if built:
        report.line(f"{many(len(built), 'operation')} of {cost.operations:,} built already, and reused")
    report.line(f"time: {_time(left(plan, built), speed)}")


def _time(flops: float, speed: Speed | None) -> str:
    """How long so much training takes, data and measurements left out."""
    if speed is None:
        return "unknown here yet; --calibrate measures it in a few seconds"
    if not flops:
        return "none, all of the training is done"
    together = f", {speed.jobs} operations at once" if speed.jobs > 1 else ""
    alike = f", {speed.replicas} models side by side" if speed.replicas > 1 else ""
    taken = duration(flops / speed.flops / speed.jobs / speed.replicas)
    return f"about {taken} of training at the speed measured here{together}{alike}"


def differences(found: Differences) -> None:
    """What differs, a field a line, and what that means for what was made."""
    for id in found.removed:
        report.line(f"- {id}", style="red")
    for id in found.added:
        report.line(f"+ {id}", style="green")
    told = [
        f"{_SEED.sub('/s*/', change.path)}: {_value(change.before)} → {_value(change.after)}"
        for change in found.changes
    ]
    for text in (lines := list(dict.fromkeys(told)))[:_MANY]:
        report.line(text)
    if (more := len(lines) - _MANY) > 0:
        report.line(f"and {more:,} more; --json gives all")
    if found.again:
        report.line(f"{many(len(found.again), 'operation')} must be made again: {_listed(found.again)}")
    elif not (found.removed or found.added or found.changes):
        report.line("the two plans are the same")
    else:
        report.line("nothing that both have must be made again")


def _value(value: Any) -> str:
    """A value in a line: whole numbers grouped, long things cut short."""
    if value is None:
        return "unset"
    text = f"{value:_}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return text if len(text) <= 80 else text[:77] + "…"


def kinds(families: Mapping[str, Mapping[str, str]]) -> None:
    """Every kind with the first line of its documentation."""
    width = max(len(name) for own in families.values() for name in own)
    for family, own in families.items():
        report.line(family, style="bold")
        for name, text in own.items():
            report.line(f"  {name:<{width}}  {text.partition(chr(10))[0]}")


def kind(title: str, text: str, keys: Mapping[str, str]) -> None:
    """All that is known of a kind: its documentation, with the TOML that makes one, and its keys."""
    report.line(title, style="bold")
    for one in text.splitlines():
        report.line(f"  {one}".rstrip())
    width = max(map(len, keys), default=0)
    report.line("keys", style="bold")
    for key, default in keys.items():
        report.line(f"  {key:<{width}}  {default}")


def presets(found: Iterable[Preset]) -> None:
    """Every preset with what it is."""
    known = list(found)
    width = max(len(one.name) for one in known)
    for one in known:
        report.line(f"{one.name:<{width}}  {one.about} ({one.source})")


def preset(one: Preset) -> None:
    """All that is known of a preset: the tables it stands for, and what the published form does otherwise."""
    report.line(one.name, style="bold")
    report.line(f"  {one.about} ({one.source})")
    report.line("preset = " + f'"{one.name}"', style="bold")
    for line in one.toml().rstrip().splitlines():
        report.line(f"  {line}".rstrip())
    for title, texts in (
        ("faithful = true", one.quirks),
        ("differs", [one.differs]),
        ("checked", [one.checked]),
    ):
        if any(texts):
            report.line(title, style="bold")
            for text in texts:
                report.line(f"  {text}")


def tables(families: Mapping[str, Mapping[str, str]]) -> None:
    """The TOML of every kind, as its documentation shows it, under its first line."""
    for family, own in families.items():
        for name, text in own.items():
            report.line(f"# {text.partition(chr(10))[0]}")
            report.line(f"[{family}.my_{name}]")
            blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
            report.line(blocks[0] if blocks else f'kind = "{name}"\n')


def doctor(found: Finding) -> None:
    """One thing that was looked at."""
    state = ("ok     ", "green") if found.well else ("lacking", "yellow")
    report.line(state, f"  {found.name:<9} {found.value}")
    if not found.well and found.help:
        report.line(f"{'':<19}{found.help}")


def _listed(ids: tuple[str, ...]) -> str:
    return ", ".join(ids[:6]) + (f" and {len(ids) - 6} more" if len(ids) > 6 else "")
