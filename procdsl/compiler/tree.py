"""Placed trees: a text as values of which each knows its place, and the laying of one over another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from procdsl.errors import Place

Path = tuple[str | int, ...]
# Tables that are one value, not a record of several: laid over another, they replace it.
# Of a phase: one of them takes the place of another.
_BUDGETS = frozenset({"tokens", "steps", "match"})
_WHOLE = frozenset({"to", "mastery", "uniform", "choice"})


class Tree(NamedTuple):
    """A value and where it stands; `key` is where the key that holds it stands.

    `value` is a dict of trees, a list of trees, or a plain string, number, truth value or date.
    """

    value: Any
    place: Place
    key: Place | None = None

    def plain(self) -> Any:
        """The value alone, as dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {name: part.plain() for name, part in self.value.items()}
        if isinstance(self.value, list):
            return [part.plain() for part in self.value]
        return self.value

    def child(self, step: str | int) -> Tree | None:
        """The part under a key or an index; an item of a list of named tables also by its name."""
        if isinstance(self.value, dict):
            return self.value.get(step)
        if isinstance(self.value, list):
            if isinstance(step, str):
                return next((part for part in self.value if name_of(part) == step), None)
            return self.value[step] if -len(self.value) <= step < len(self.value) else None
        return None

    def get(self, path: Path) -> Tree | None:
        """The part at a path, if there is one."""
        here: Tree | None = self
        for step in path:
            here = here.child(step) if here else None
        return here

    def without(self, *names: str) -> Tree:
        """The table less some keys."""
        return self._replace(value={name: part for name, part in self.value.items() if name not in names})

    def adding(self, name: str, part: Tree) -> Tree:
        """The table with one key more, or one replaced in its place."""
        return self._replace(value={**self.value, name: part})

    def table(self, *path: str | int) -> dict[str, Tree]:
        """The parts of the table at a path; none where there is no table."""
        found = self.get(path)
        return found.value if found is not None and isinstance(found.value, dict) else {}

    def holding(self, name: str, parts: dict[str, Tree]) -> Tree:
        """The table with other parts in one of its tables, which stays where it is; as it is without one."""
        return self.adding(name, self.value[name]._replace(value=parts)) if self.table(name) else self

    def leaves(self, path: Path = ()) -> Iterator[tuple[Path, Tree]]:
        """Every part that holds no other, with its path."""
        if not isinstance(self.value, dict | list) or not self.value:
            yield path, self
            return
        named = is_named(self)
        parts = self.value.items() if isinstance(self.value, dict) else enumerate(self.value)
        for step, part in parts:
            yield from part.leaves((*path, name_of(part) if named else step))


class Places(NamedTuple):
    """Where each value of a tree stands. A path that is not there stands where its nearest ancestor does."""

    root: Tree

    def at(self, path: Path) -> Place:
        """Where the value at a path stands."""
        return self._nearest(path)[0].place

    def key_at(self, path: Path) -> Place:
        """Where the key at a path stands; an item of a list has none, and stands where it begins."""
        found, whole = self._nearest(path)
        return found.key if whole and found.key else found.place

    def _nearest(self, path: Path) -> tuple[Tree, bool]:
        here = self.root
        for step in path:
            if (inner := here.child(step)) is None:
                return here, False
            here = inner
        return here, True


def name_of(tree: Tree) -> str | None:
    """The `name` that a table of a list gives itself."""
    name = tree.value.get("name") if isinstance(tree.value, dict) else None
    return name.value if name and isinstance(name.value, str) else None


def is_named(tree: Tree) -> bool:
    """Whether this is a list of tables that all have names, and so an ordered table."""
    return isinstance(tree.value, list) and bool(tree.value) and all(name_of(part) for part in tree.value)


def lay(base: Tree, over: Tree, *, name: str = "") -> Tree:
    """`over` laid over `base`, key by key.

    Tables merge, named lists merge by name, all else is replaced. A table of another `kind` replaces, and so
    do shares (`data`), laws and schedules (`{ uniform = … }`, `{ from, to }`, `{ steps = … }`), which mean
    something only as a whole.
    """
    if is_named(base) and (is_named(over) or isinstance(over.value, dict)):
        return base._replace(value=_lay_named(base.value, over))
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over if over.key or not base.key else over._replace(key=base.key)
    if name in {"data", "steps"} or _another(base, over):
        return over
    parts = dict(base.value)
    if "name" in parts and _BUDGETS & over.value.keys():
        parts = {inner: part for inner, part in parts.items() if inner not in _BUDGETS}
    for inner, part in over.value.items():
        parts[inner] = lay(parts[inner], part, name=inner) if inner in parts else part
    return base._replace(value=parts)


def _another(base: Tree, over: Tree) -> bool:
    kind, new = base.value.get("kind"), over.value.get("kind")
    if kind or new:
        return bool(kind and new and kind.value != new.value)
    return bool(_WHOLE & over.value.keys())


def _lay_named(base: list[Tree], over: Tree) -> list[Tree]:
    """Items by name. A new item stands before the item of `base` that follows it in `over`, or last."""
    parts = {name_of(part): part for part in base}
    order = [name_of(part) for part in base]
    new = (
        _called(over.value)
        if isinstance(over.value, dict)
        else [(name_of(part), part) for part in over.value]
    )
    before = len(order)
    for name, part in reversed(new):
        if name in parts:
            parts[name] = lay(parts[name], part)
            before = order.index(name)
        else:
            parts[name] = part
            order.insert(before, name)
    return [parts[name] for name in order]


def _called(items: dict[str, Tree]) -> list[tuple[str | None, Tree]]:
    """Named items written as a table, as dotted keys write them."""
    calls = ((name, part, Tree(name, part.key or part.place)) for name, part in items.items())
    return [
        (name, part.adding("name", call) if isinstance(part.value, dict) else part)
        for name, part, call in calls
    ]


def put(base: Tree, path: Path, new: Tree) -> Tree:
    """`base` with the value at a path replaced, tables made on the way; KeyError(step) if there is none."""
    if not path:
        return new._replace(key=new.key or base.key)
    step, rest = path[0], path[1:]
    if isinstance(base.value, list):
        index = next((i for i, part in enumerate(base.value) if name_of(part) == step), None)
        if index is None and str(step).isdecimal() and int(step) < len(base.value):
            index = int(step)
        if index is None:
            raise KeyError(step)
        return base._replace(value=[put(p, rest, new) if i == index else p for i, p in enumerate(base.value)])
    if not isinstance(base.value, dict):
        raise KeyError(step)
    inner = base.value.get(step, Tree({}, new.place, new.key))
    return base.adding(str(step), put(inner, rest, new))
