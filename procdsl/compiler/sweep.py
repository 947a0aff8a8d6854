"""`[sweep]`: lists of values over paths, and the study with a copy of everything that they change.

    [sweep]
    "grammars.dyck.k" = [8, 64]

gives `dyck_k8` and `dyck_k64`, and two copies of each curriculum, source and evaluation that reads `dyck`,
called the same way and referring to each other's copies; what does not depend on `k` stays as it is, once.
Several lists make a grid, and each thing is multiplied only by the lists it depends on. A value under `model`
or `training` is written into every curriculum, or phase, that does not set it itself. A copied evaluation is
made in the curricula of its own values alone. Where the baseline, or what is measured, has copies, so has the
comparison: each of them among the curricula of its own values.

What depends on what is found by trying: the study is written out with one value changed, and compared.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from procdsl.compiler.overlay import COLLECTIONS, assign, dotted, liked, placed, undotted
from procdsl.compiler.text import fail
from procdsl.compiler.tree import Path, Tree, name_of, put

MAX_POINTS = 1_000
# Keys whose text names something of the study, and in which collections it is looked for.
_SOURCES = ("grammars", "sources", "corpora")
_REFERENCES: Mapping[str, tuple[str, ...]] = {
    "data": _SOURCES,
    "of": _SOURCES,
    "on": _SOURCES,
    "like": ("curricula",),
    "transfer": ("transfers",),
    "curriculum": ("curricula",),
}
_OF_EVALUATION = re.compile(r"[a-z][a-z0-9_]*(?=/)")
_OF_PHASE = re.compile(r"(?:(?<=of )|^)([a-z][a-z0-9_]*)(?=\.[a-z])")
# Names inside texts of grammars: of a grammar whose words are drawn, of a corpus that weighs; in expressions
# all that stand in no quotes, and are no function or argument.
_MENTIONED = re.compile(r"\b(word|corpus)(\(\s*)([a-z][a-z0-9_]*)", re.ASCII)
_IN_EXPRESSION = re.compile(r"""("[^"\n]*"|'[^'\n]*')|\b[a-z][a-z0-9_]*+(?![\w-]|\s*[(=])""", re.ASCII)
_SHARED = {"model": (), "training": ("phases",)}

Entity = tuple[str, str]
Point = tuple[int, ...]


class Axis(NamedTuple):
    """One list: the path it is over, how names call it, and its values."""

    path: Path
    label: str
    values: tuple[Tree, ...]


def swept(tree: Tree) -> Tree:
    """The study with its sweep carried out; curricula written out on the way, where there is one."""
    sweep = tree.value.get("sweep")
    if sweep is None:
        return tree
    if not isinstance(sweep.value, dict):
        fail("P124", "a sweep is a table", sweep.place, 'write "grammars.dyck.k" = [8, 64] under [sweep]')
    axes = _axes(undotted(sweep))
    if (points := math.prod(len(axis.values) for axis in axes)) > MAX_POINTS:
        help = f"at most {MAX_POINTS:,} can be swept"
        fail("P124", f"{points:,} combinations", sweep.key or sweep.place, help)
    return _Grid(tree.without("sweep"), axes).study()


def _axes(sweep: Tree) -> tuple[Axis, ...]:
    found = list(_lists(sweep, ()))
    lasts = [str(path[-1]) for path, _ in found]
    return tuple(
        Axis(path, last if lasts.count(last) == 1 else "_".join(map(str, path[-2:])), tuple(part.value))
        for (path, part), last in zip(found, lasts, strict=True)
    )


def _lists(tree: Tree, path: Path) -> Iterator[tuple[Path, Tree]]:
    for name, part in tree.value.items():
        here = (*path, name)
        if isinstance(part.value, dict):
            yield from _lists(part, here)
        elif not isinstance(part.value, list) or not part.value:
            fail("P124", f"{dotted(here)} needs a list of values", part.place, "write [8, 16, 64]")
        elif here[0] not in (*COLLECTIONS, *_SHARED):
            known = ", ".join([*COLLECTIONS, *_SHARED])
            fail("P124", f"{dotted(here)} cannot be swept", part.key or part.place, f"what can is in {known}")
        else:
            yield here, part._replace(value=[value._replace(key=part.key) for value in part.value])


class _Grid:
    """A study and its axes; what the study is at each point, and who depends on which axes."""

    def __init__(self, tree: Tree, axes: tuple[Axis, ...]) -> None:
        self.tree = tree
        self.axes = axes
        self.known: dict[Point, Tree] = {}
        self.first: Point = (0,) * len(axes)
        self.depends = self._closure()

    def study(self) -> Tree:
        """The study, every entity with its copies in its place."""
        made = self.at(self.first)
        for collection in COLLECTIONS:
            copies = (copy for name in made.table(collection) for copy in self._copies((collection, name)))
            made = made.holding(collection, dict(copies))
        return self._compared(made)

    def _compared(self, made: Tree) -> Tree:
        """The study with a copy of each comparison for the values that its baseline or metric depend on."""
        alone, several = self.tree.get(("compare",)), self.tree.get(("comparisons",))
        found = ({"": alone} if alone is not None else {}) | self.tree.table("comparisons")
        copies: dict[str, Tree] = {}
        for name, part in found.items():
            if (metric := part.table().get("metric")) is None:
                return made
            evaluation, _, number = str(metric.value).partition("/")
            baseline = part.value.get("baseline")
            chosen = str(baseline.value) if baseline else self._flagged()
            inside = self.depends.get(("evaluations", evaluation), frozenset())
            inside |= self.depends.get(("curricula", chosen), frozenset())
            for point in self._combinations(inside):
                suffix = self._suffix(inside, point)
                values = {
                    "metric": f"{self.name(('evaluations', evaluation), point)}/{number}",
                    "baseline": self.name(("curricula", chosen), point),
                    "curricula": dict(self._beside(part.value.get("curricula"), inside, point)),
                }
                if "threshold" in part.value:
                    values["threshold"] = part.value["threshold"].value
                copies["_".join(filter(None, (name, suffix)))] = placed(values, metric.place)
        if list(copies) == [""]:
            return made
        first = alone if alone is not None else several
        assert first is not None
        return made.without("compare").adding("comparisons", first._replace(value=copies)) if found else made

    def _beside(self, listed: Tree | None, inside: frozenset[int], point: Point) -> Iterator[tuple[str, str]]:
        """The curricula that a copy of a comparison is between, by names that those of the others share."""
        names = listed.plain() if listed is not None else None
        for entity in self._curricula():
            if names is not None and entity[1] not in names:
                continue
            for there in self._points(entity):
                if all(there[a] == point[a] for a in inside & self.depends[entity]):
                    rest = self._suffix(self.depends[entity] - inside, there)
                    yield "_".join(filter(None, (entity[1], rest))), self.name(entity, there)

    def _flagged(self) -> str:
        """The curriculum that calls itself the baseline."""
        first = self.at(self.first)
        flags = (
            (name, first.get((*entity, "baseline"))) for entity in self._curricula() for name in entity[1:]
        )
        return next((name for name, flag in flags if flag is not None and flag.value is True), "")

    def _curricula(self) -> Iterator[Entity]:
        return (("curricula", name) for name in self.at(self.first).table("curricula"))

    def at(self, point: Point) -> Tree:
        """The study with the values of one point set, its curricula written out."""
        if point not in self.known:
            tree, shared = self.tree, []
            for axis, index in zip(self.axes, point, strict=True):
                if axis.path[0] in _SHARED:
                    shared.append((axis.path, axis.values[index]))
                else:
                    tree = assign(tree, axis.path, axis.values[index])
            tree = liked(tree)
            for path, value in shared:
                tree = _share(tree, path, value)
            self.known[point] = tree
        return self.known[point]

    def _copies(self, entity: Entity) -> Iterator[tuple[str, Tree]]:
        for number, point in enumerate(self._points(entity)):
            found = self.at(point).get(entity)
            if found is None:
                continue
            part = _renamed(found, "", lambda e, point=point: self.name(e, point))
            if isinstance(part.value, dict) and number:
                part = part.without("baseline")
            if isinstance(part.value, dict) and entity[0] == "evaluations" and self.depends[entity]:
                part = self._confined(part, entity, point)
            yield self.name(entity, point), part

    def _points(self, entity: Entity) -> Iterator[Point]:
        """The points that make a difference to an entity, the other axes at their first value."""
        return self._combinations(self.depends.get(entity, frozenset()))

    def _combinations(self, axes: frozenset[int]) -> Iterator[Point]:
        spans = (range(len(axis.values)) if a in axes else (0,) for a, axis in enumerate(self.axes))
        return itertools.product(*spans)

    def _confined(self, part: Tree, entity: Entity, point: Point) -> Tree:
        """An evaluation's copy, made only in the curricula of its own values: not of k = 8 where k is 64."""
        key = "after" if "after" in part.value else "phases"
        wanted = part.value.get(key)
        names = wanted.plain() if wanted else None
        names = [names] if isinstance(names, str) else names
        hosts = [
            f"{self.name(curriculum, there)}.{phase}"
            for curriculum in self._curricula()
            for there in self._points(curriculum)
            if all(there[a] == point[a] for a in self.depends[entity] & self.depends[curriculum])
            for phase in _phases(self.at(there).get(curriculum))
            if names is None or phase in names or f"{self.name(curriculum, there)}.{phase}" in names
        ]
        at = wanted or part
        listed = Tree([Tree(host, at.place) for host in hosts], at.place, at.key)
        return part.adding(key, listed) if hosts else part

    def name(self, entity: Entity, point: Point) -> str:
        """What an entity's copy for a point is called; itself if it depends on nothing."""
        return "_".join(filter(None, (entity[1], self._suffix(self.depends.get(entity, frozenset()), point))))

    def _suffix(self, axes: frozenset[int], point: Point) -> str:
        """A point as names end: numbers behind what they are of, words alone."""
        return "_".join(_slug(self.axes[a], point[a]) for a in sorted(axes))

    def _closure(self) -> dict[Entity, frozenset[int]]:
        """The axes each entity depends on, by its own content or that of what it names."""
        origin = self.at(self.first)
        depends = {e: frozenset(self._direct(e, origin)) for e in _entities(origin)}
        names = {e: tuple(_named(origin.get(e))) for e in depends}
        while True:
            wider = {
                e: axes.union(*(depends.get(n, frozenset()) for n in names[e])) for e, axes in depends.items()
            }
            if wider == depends:
                return depends
            depends = wider

    def _direct(self, entity: Entity, origin: Tree) -> Iterator[int]:
        own = origin.get(entity)
        for a, axis in enumerate(self.axes):
            for index in range(1, len(axis.values)):
                there = self.at((*self.first[:a], index, *self.first[a + 1 :])).get(entity)
                if own and there and own.plain() != there.plain():
                    yield a


def _entities(tree: Tree) -> Iterator[Entity]:
    return ((collection, name) for collection in COLLECTIONS for name in tree.table(collection))


def _phases(curriculum: Tree | None) -> list[str]:
    phases = curriculum.table().get("phases") if curriculum else None
    named = phases.value if phases and isinstance(phases.value, list) else []
    return [name for phase in named if (name := name_of(phase))]


def _share(tree: Tree, path: Path, value: Tree) -> Tree:
    """A value of the model or the training, written wherever nobody says otherwise."""
    for name in tree.table("curricula"):
        hosts: list[Path] = [("curricula", name)]
        if inner := _SHARED[str(path[0])]:
            phases = tree.get(("curricula", name, *inner))
            count = len(phases.value) if phases and isinstance(phases.value, list) else 0
            hosts = [("curricula", name, *inner, i) for i in range(count)]
        for host in hosts:
            if tree.get((*host, *path)) is None:
                tree = put(tree, (*host, *path), value)
    return tree


def _named(tree: Tree | None, key: str = "") -> Iterator[Entity]:
    """The entities that a part names, `like` left out: what is like another stands for itself."""
    if tree is None or key in {"kind", "name", "like"}:
        return
    if isinstance(tree.value, dict):
        for name, part in tree.value.items():
            if key == "data":
                yield from ((collection, name) for collection in _SOURCES)
            yield from _named(part, name)
    elif isinstance(tree.value, list):
        for part in tree.value:
            yield from _named(part, key)
    elif isinstance(tree.value, str):
        yield from ((collection, tree.value) for collection in _REFERENCES.get(key, ()))
        if key == "metric" and (found := _OF_EVALUATION.match(tree.value)):
            yield "evaluations", found[0]
        yield from (("curricula", found[1]) for found in _OF_PHASE.finditer(tree.value))
        mentioned: dict[Entity, str] = {}
        _mentioning(tree.value, key, lambda entity: mentioned.setdefault(entity, entity[1]))
        yield from mentioned


def _mentioning(text: str, key: str, name: Callable[[Entity], str]) -> str:
    """A text of a grammar with every grammar and corpus that it names called anew."""
    if key == "expr":
        return _IN_EXPRESSION.sub(lambda found: found[1] or name(("grammars", found[0])), text)
    table = {"word": "grammars", "corpus": "corpora"}
    return _MENTIONED.sub(lambda found: found[1] + found[2] + name((table[found[1]], found[3])), text)


def _renamed(tree: Tree, key: str, name: Any) -> Tree:
    """A part with every name in it replaced by that of the copy it now means."""

    def source(old: str) -> str:
        new = [name((collection, old)) for collection in _REFERENCES.get(key, ())]
        return next((candidate for candidate in new if candidate != old), old)

    if isinstance(tree.value, dict):
        parts = {
            source(inner) if key == "data" else inner: _renamed(part, inner, name)
            for inner, part in tree.value.items()
        }
        return tree._replace(value=parts)
    if isinstance(tree.value, list):
        return tree._replace(value=[_renamed(part, key, name) for part in tree.value])
    if isinstance(tree.value, str) and key not in {"kind", "name"}:
        text = _OF_PHASE.sub(lambda found: name(("curricula", found[1])), source(tree.value))
        if key == "metric":
            text = _OF_EVALUATION.sub(lambda found: name(("evaluations", found[0])), text, count=1)
        return tree._replace(value=_mentioning(text, key, name))
    return tree


def _slug(axis: Axis, index: int) -> str:
    """A value as a piece of a name: a word as it is, a number behind its label, else label and position."""
    value = axis.values[index].value
    if isinstance(value, str) and re.match("[a-z]", value):
        return _plain(value)
    return axis.label + (_plain(str(value)) if isinstance(value, str | int | float) else str(index))


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
