"""Numbers of a grammar that change over a phase: taken out of the text, laid out as grammars of their own.

Outside phases a grammar has the last value of each schedule. In a phase, what has such a number, or is made
of what has one, stands for several, one for each value: `dyck@4`, `dyck@8`, whose shares are its own while
that value is in force. So they are checked, given rows and mixed like all others, and a row is a function of
its address and the value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from procdsl.compiler.findings import Finding, Path
from procdsl.compiler.mixtures import PLATEAUS, percent
from procdsl.compiler.names import made_of
from procdsl.compiler.source import Source
from procdsl.compiler.text import fail
from procdsl.compiler.tree import Tree, put
from procdsl.compiler.validate import validate
from procdsl.errors import Diagnostic, SpecError
from procdsl.grammars.base import AnyGrammar, Grammar
from procdsl.language.curricula import Awaited, PhaseSpec, Windowed
from procdsl.language.schedules import MasterySchedule, RampSchedule, StepsSchedule
from procdsl.language.study import ExperimentSpec

AT = "@"
_GRAMMARS: TypeAdapter[Grammar] = TypeAdapter(AnyGrammar)


class Schedule(NamedTuple):
    """One number of a grammar: its values in order, each with the part of the phase from which it holds.

    With `mastery` all but the first hold only once the one before was mastered.
    """

    path: Path
    starts: tuple[Fraction, ...]
    values: tuple[Tree, ...]
    mastery: MasterySchedule | None = None

    @property
    def grammar(self) -> str:
        return str(self.path[1])

    def at(self, position: Fraction) -> int:
        """Which value holds at a point of the phase."""
        return max(number for number, start in enumerate(self.starts) if start <= position)


Schedules = tuple[Schedule, ...]


def taken_out(read: Source) -> tuple[Source, Schedules]:
    """The study with the last value of every schedule in its place, and the schedules."""
    tree, found = read.tree, []
    grammars = tree.get(("grammars",))
    try:
        for path, part in _tables(grammars, ("grammars",)) if grammars is not None else ():
            found.append(_schedule(read, path, part))
            tree = put(tree, path, found[-1].values[-1]._replace(key=part.key))
    except SpecError as error:
        raise SpecError(read.quote(error.diagnostics)) from None
    return replace(read, tree=tree) if found else read, tuple(found)


def _tables(tree: Tree, path: Path) -> Iterator[tuple[Path, Tree]]:
    """The tables among a grammar's values that say how one changes."""
    if not isinstance(tree.value, dict):
        return
    for name, part in tree.value.items():
        if len(path) > 1 and _changes(part):
            yield (*path, name), part
        else:
            yield from _tables(part, (*path, name))


def _changes(part: Tree) -> bool:
    """Whether a value says how it changes; tokens may be called `from`, `to` or `steps`."""
    if not isinstance(part.value, dict):
        return False
    if "mastery" in part.value:
        return True
    over, steps = part.value.get("over"), part.value.get("steps")
    ramp = over is not None and isinstance(over.value, str) and bool({"from", "to"} & part.value.keys())
    return ramp or (len(part.value) == 1 and steps is not None and isinstance(steps.value, dict))


def _schedule(read: Source, path: Path, part: Tree) -> Schedule:
    if "mastery" in part.value:
        return _mastery(path, part, validate(replace(read, tree=part), MasterySchedule))
    if "steps" in part.value:
        validate(replace(read, tree=part), StepsSchedule)
        return _steps(path, part.value["steps"])
    return _ramp(path, part, validate(replace(read, tree=part), RampSchedule))


def _mastery(path: Path, part: Tree, written: MasterySchedule) -> Schedule:
    values = part.value["mastery"].value
    for value in values:
        _require_numbers(path, value)
    _require_few(path, part, len(values))
    spelt = [_spelt(value.plain()) for value in values]
    if twice := [value for number, value in enumerate(spelt) if value in spelt[:number]]:
        fail(
            "P451",
            f"{_called(path)} comes to {twice[0]} twice",
            part.value["mastery"].place,
            "once is enough",
        )
    # What is wrong with the rule is told at its table, where outside phases the last value stands.
    values = (*values[:-1], values[-1]._replace(place=part.place))
    return Schedule(path, (Fraction(0),), values, written)


def _steps(path: Path, written: Tree) -> Schedule:
    starts = []
    for text, value in written.value.items():
        _require_numbers(path, value)
        if (point := percent(text)) is None:
            fail("P319", f'"{text}" is no point of a phase', value.key or value.place, 'write "0%", "25%"')
        starts.append(point)
    if starts[0] != 0 or starts != sorted(set(starts)):
        fail("P319", f"{_called(path)}'s points do not run forward from 0%", written.place, '"0%" first')
    _require_few(path, written, len(starts))
    return Schedule(path, tuple(starts), tuple(written.value.values()))


def _ramp(path: Path, part: Tree, ramp: RampSchedule) -> Schedule:
    """A plateau for each value, as long as the shape takes for a step of such height."""
    values = _between(ramp)
    count = len(values)
    reached = [Fraction(0), *(_reach(Fraction(i, count), ramp.shape) for i in range(1, count))]
    starts = [ramp.over.start + (ramp.over.end - ramp.over.start) * reach for reach in reached]
    places = [part.value["from"], *[part] * (count - 2), part.value["to"]][-count:]
    return Schedule(
        path,
        (Fraction(0), *starts[1:]),
        tuple(Tree(value, at.place, part.key) for value, at in zip(values, places, strict=True)),
    )


def _between(ramp: RampSchedule) -> list[int] | list[float]:
    """The values of a ramp: whole numbers by `by`, the last one always; fractions in nine digits."""
    if isinstance(ramp.start, int) and isinstance(ramp.to, int):
        by = ramp.by if ramp.to >= ramp.start else -ramp.by
        whole = [*range(ramp.start, ramp.to, by), ramp.to]
        most = len(whole) - 1
        return whole if most < PLATEAUS else [whole[most * i // (PLATEAUS - 1)] for i in range(PLATEAUS)]
    step = (ramp.to - ramp.start) / (PLATEAUS - 1)
    parts = [float(f"{ramp.start + step * i:.9g}") for i in range(PLATEAUS - 1)]
    return list(dict.fromkeys([*parts, float(ramp.to)]))


def _reach(share: Fraction, shape: str) -> Fraction:
    """When a shape has come so far, in parts of its stretch."""
    if shape == "linear":
        return share
    return Fraction(round(math.acos(1 - 2 * float(share)) / math.pi * 10**9), 10**9)


def _require_numbers(path: Path, value: Tree) -> None:
    for _, leaf in value.leaves():
        if isinstance(leaf.value, bool) or not isinstance(leaf.value, int | float):
            help = "numbers change over a phase, and lists and laws of numbers; words do not"
            fail("P450", f"{_called(path)} cannot become {leaf.value!r}", leaf.place, help)


def _require_few(path: Path, written: Tree, count: int) -> None:
    if count > PLATEAUS:
        fail("P452", f"{count} values of {_called(path)}", written.place, f"at most {PLATEAUS} in a phase")


def _called(path: Path) -> str:
    return ".".join(map(str, path[1:]))


# ---------------------------------------------------------------- laid out


def laid_out(spec: ExperimentSpec, read: Source, schedules: Schedules) -> tuple[ExperimentSpec, Source]:
    """The study with every changing grammar or source of a phase written as several that do not change.

    Its source then has, for each such grammar, the text with its values.
    """
    if not schedules:
        return spec, read
    layout = _Layout(spec, read, schedules)
    return layout.study(), replace(read, variants=layout.trees)


def awaited(phase: PhaseSpec, feed: str) -> Awaited | None:
    """What a source of a phase waits for, if it does."""
    share = phase.data[feed]
    return share.awaited if isinstance(share, Windowed) else None


def following(phase: PhaseSpec, feed: str) -> tuple[str, MasterySchedule] | None:
    """The source that waits for this one to be mastered, and the rule."""
    for name in phase.data:
        if (waits := awaited(phase, name)) and waits.before == feed:
            return name, waits.rule
    return None


def base(name: str) -> str:
    """What a name was before it was laid out."""
    return name.partition(AT)[0]


class _Layout:
    """Makes the variants that phases need, each once."""

    def __init__(self, spec: ExperimentSpec, read: Source, schedules: Schedules) -> None:
        self.spec, self.read, self.schedules = spec, read, schedules
        self.graph = made_of(spec)
        self.grammars = dict(spec.grammars)
        self.sources = dict(spec.sources)
        self.trees: dict[str, Tree] = {}

    def study(self) -> ExperimentSpec:
        curricula = {
            name: curriculum.model_copy(
                update={"phases": tuple(self._phase(phase) for phase in curriculum.phases)}
            )
            for name, curriculum in self.spec.curricula.items()
        }
        made = {"curricula": curricula, "grammars": self.grammars, "sources": self.sources}
        return self.spec.model_copy(update=made)

    def _phase(self, phase: PhaseSpec) -> PhaseSpec:
        data: dict[str, Any] = {}
        for name, share in phase.data.items():
            if not (own := self._schedules_of(name)):
                data[name] = share
                continue
            if any(one.mastery for one in own):
                data |= self._awaited(name, share, own)
                continue
            windows: dict[str, list[tuple[Fraction, Fraction]]] = {}
            cuts = sorted({Fraction(1), *(start for one in own for start in one.starts)})
            for first, last in pairwise(cuts):
                variant = self._variant(name, {one.path: one.at(first) for one in own})
                windows.setdefault(variant, []).append((first, last))
            data |= {
                variant: Windowed(share=share, windows=tuple(spans)) for variant, spans in windows.items()
            }
        return phase.model_copy(update={"data": data})

    def _awaited(self, name: str, share: Any, own: Schedules) -> dict[str, Any]:
        """A grammar's values that wait for each other: all of the share is the first one's."""
        one = own[0]
        if len(own) > 1 or one.grammar != name or one.mastery is None:
            waits = next(other for other in own if other.mastery)
            message = f"{name} changes by mastery of {_called(waits.path)} and otherwise as well"
            if waits.grammar != name:
                message = f"{name} is made of {waits.grammar}, whose {waits.path[-1]} waits for mastery"
            place = self.read.places.key_at(waits.path)
            found = Diagnostic("P453", message, place, "let one number of what the phase itself reads wait")
            raise SpecError(self.read.quote([*self.read.notes, found]))
        names = [self._variant(name, {one.path: number}) for number in range(len(one.values))]
        later = {
            after: Windowed(
                share=share, windows=(), awaited=Awaited(before=before, path=one.path, rule=one.mastery)
            )
            for before, after in pairwise(names)
        }
        return {names[0]: share, **later}

    def _schedules_of(self, name: str) -> Schedules:
        """The schedules of a grammar or source, and of all that it is made of."""
        inside, ahead = set[str](), [name]
        while ahead:
            here = ahead.pop()
            if here not in inside:
                inside.add(here)
                ahead += self.graph.get(here, ())
        return tuple(one for one in self.schedules if one.grammar in inside)

    def _variant(self, name: str, values: Mapping[Path, int]) -> str:
        """The name of a grammar or source at these values, which stands in the study from then on."""
        own = self._schedules_of(name)
        if not own:
            return name
        called = f"{name}{AT}{','.join(_spelt(one.values[values[one.path]].plain()) for one in own)}"
        if name in self.spec.grammars:
            if called not in self.grammars:
                self.grammars[called] = self._grammar(name, values)
                self.trees[called] = self._tree(name, values)
        else:
            source = self.spec.sources[name]
            parts = {key: self._variant(part, values) for key, part in source.names().items()}
            self.sources[called] = source.model_copy(update=parts)
        return called

    def _tree(self, name: str, values: Mapping[Path, int]) -> Tree:
        """The text with these values in a grammar."""
        tree = self.read.tree
        for one in self.schedules:
            if one.grammar == name:
                tree = put(tree, one.path, one.values[values[one.path]])
        return tree

    def _grammar(self, name: str, values: Mapping[Path, int]) -> Grammar:
        """A grammar at these values, bound to what it is made of at these values."""
        tree = self._tree(name, values)
        whole = tree.get(("grammars", name))
        assert whole is not None
        table = whole.plain()
        try:
            made = _GRAMMARS.validate_python(table)
        except ValidationError:
            validate(replace(self.read, tree=tree), ExperimentSpec)
            raise AssertionError(f"{name} is a grammar and no part of a study") from None
        return made.bound({part: self._grammar(part, values) for part in made.references()})


def _spelt(value: Any) -> str:
    """A value as a piece of a name.

    >>> _spelt(4), _spelt([30, 110]), _spelt({"uniform": [2, 8]})
    ('4', '30+110', 'uniform+2+8')
    """
    if isinstance(value, dict):
        return "+".join(f"{key}+{_spelt(part)}" for key, part in value.items())
    return "+".join(map(_spelt, value)) if isinstance(value, list) else repr(value)


def told(found: Iterable[Finding], read: Source) -> Iterator[tuple[Finding, Source]]:
    """Findings with the text they are about: of what was laid out, its own, and of each sort the first."""
    seen = set()
    for one in found:
        name = str(one.path[1]) if len(one.path) > 1 else ""
        path = tuple(base(step) if isinstance(step, str) else step for step in one.path)
        if path == one.path:
            yield one, read
        elif (one.code, path) not in seen:
            seen.add((one.code, path))
            message = one.message if name in one.message else f"{name}: {one.message}"
            yield (
                one._replace(path=path, message=message),
                replace(read, tree=read.variants.get(name, read.tree)),
            )
