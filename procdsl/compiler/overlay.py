"""What is laid over a study before it is understood: a profile, `--set`, and curricula made `like` others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import toml_rs

from procdsl.accelerators import accelerators
from procdsl.compiler.near import hint
from procdsl.compiler.text import fail, limits
from procdsl.compiler.tree import Path, Tree, lay, put
from procdsl.errors import Diagnostic, Place, Severity, UsageError

# Tables of named tables: what they hold is the study's own.
COLLECTIONS = ("grammars", "sources", "corpora", "transfers", "curricula", "evaluations", "searches")
_STEP = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_BARE = re.compile(r"[^\"'\[\]{}\n]+")
_SHOWN = 6

# ---------------------------------------------------------------- profiles


def with_profile(tree: Tree, wanted: str | None) -> tuple[Tree, str | None, tuple[Diagnostic, ...]]:
    """The study with a profile laid over it, the profile's name, and a note where the machine chose it."""
    profiles = tree.value.get("profiles")
    tree = tree.without("profiles")
    if profiles is not None and not isinstance(profiles.value, dict):
        fail("P122", "profiles are tables", profiles.place, "write [profiles.cpu]")
    known: dict[str, Tree] = profiles.value if profiles else {}
    automatic = wanted == "auto" and "auto" not in known
    name = ("cpu" if "cpu" in known and not accelerators() else None) if automatic else wanted
    if name is None or (name == "none" and name not in known):
        return tree, None, ()
    if name not in known:
        raise UsageError(f'this study has no profile "{name}"', help=hint(name, known))
    chosen = known[name]
    if not isinstance(chosen.value, dict):
        fail("P122", f'profile "{name}" is not a table', chosen.place, f"write [profiles.{name}]")
    after = lay(tree, undotted(chosen))
    why = "there is no accelerator here, so " if automatic else ""
    note = f'{why}profile "{name}" changes {_changes(tree, after)}'
    place = chosen.key or chosen.place
    return after, name, (Diagnostic("P130", note, place, severity=Severity.NOTE),)


def undotted(tree: Tree) -> Tree:
    """Quoted keys with dots in them, `"grammars.dyck.k"`, as the tables they stand for."""
    made = tree._replace(value={})
    for name, part in tree.value.items():
        for step in reversed(name.split(".")[1:]):
            part = Tree({step: part}, part.place, part.key)
        made = lay(made, made._replace(value={name.split(".")[0]: part}))
    return made


def _changes(before: Tree, after: Tree) -> str:
    """The values that differ, the first few of them: `model.layers 12 → 2`."""
    old, new = _values(before), _values(after)
    told = [
        f"{dotted(path)} {old.get(path, 'unset')} → {value}"
        for path, value in sorted(new.items(), key=lambda item: item[0][0] != "model")
        if path not in old or old[path] != value
    ]
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return (", ".join(told[:_SHOWN]) or "nothing") + more


def _values(tree: Tree) -> dict[Path, Any]:
    """The plain values of a study by their paths. A list is one value, unless its items have names."""
    paths = (tuple(takewhile(lambda step: isinstance(step, str), path)) for path, _ in tree.leaves())
    return {path: part.plain() for path in paths if (part := tree.get(path)) is not None}


def dotted(path: Path) -> str:
    """A path as a person writes it."""
    return ".".join(map(str, path))


# ---------------------------------------------------------------- --set


def with_sets(tree: Tree, sets: Sequence[str]) -> Tree:
    """The study with each PATH=VALUE applied, later ones over earlier ones."""
    for number, text in enumerate(sets, 1):
        name, equals, value = text.partition("=")
        place = Place("--set", number, 1, max(1, len(name)))
        path = _steps(name.strip())
        if not equals or not path:
            fail("P123", f"{text} is not PATH=VALUE", place, "write, say, --set model.layers=4")
        at = Place("--set", number, len(name) + 2, max(1, len(value)))
        tree = assign(tree, path, _value(value.strip(), at)._replace(key=place))
    return tree


def assign(tree: Tree, path: Path, new: Tree) -> Tree:
    """The study with the value at a path replaced; a diagnostic at the key where there is no such place."""
    key = new.key or new.place
    if path[0] in COLLECTIONS and len(path) > 2 and tree.get(path[:2]) is None:
        fail("P123", f"nothing is called {dotted(path[:2])}", key, hint(str(path[1]), tree.table(path[0])))
    if path[:1] == ("curricula",) and tree.get((*path[:2], "like")) is not None:
        for step in reversed(path):
            new = Tree({step: new}, new.place, key)
        return lay(tree, new)
    try:
        return put(tree, path, new)
    except KeyError as error:
        (step,) = error.args
        before = path[: path.index(step)]
        outer = tree.get(before)
        inner = {str(leaf[0]) for leaf, _ in outer.leaves() if leaf} if outer else set()
        fail("P123", f'there is no "{step}" in {dotted(before)}', key, hint(str(step), inner))


def _steps(text: str) -> Path:
    steps = tuple(step.strip("\"'") for step in _STEP.findall(text))
    return steps if _STEP.sub("", text) == "." * (len(steps) - 1) else ()


def _value(text: str, place: Place) -> Tree:
    """A value as TOML writes it; a word without quotes is text."""
    limits("--set", text)
    try:
        found = toml_rs.loads(f"value = {text}")
    except toml_rs.TOMLDecodeError:
        found = {"value": text} if _BARE.fullmatch(text) else {}
    if list(found) != ["value"]:
        fail("P123", f"{text or 'nothing'} is not a value", place, "quote text, bracket lists: [1, 2]")
    return placed(found["value"], place)


def placed(value: Any, place: Place) -> Tree:
    """A plain value as a tree, all of which stands at one place."""
    if isinstance(value, dict):
        return Tree({name: placed(part, place) for name, part in value.items()}, place, place)
    if isinstance(value, list):
        return Tree([placed(part, place) for part in value], place)
    return Tree(value, place)


# ---------------------------------------------------------------- like


def liked(tree: Tree) -> Tree:
    """The study with every curriculum that is `like` another written out; `like` itself stays, as a record.

    A curriculum takes all of the other but its being the baseline. Names of phases in it are relative, so
    those it inherits now mean its own.
    """
    parts, done = tree.table("curricula"), dict[str, Tree]()
    return tree.holding("curricula", {name: _write_out(name, parts, done, ()) for name in parts})


def _write_out(name: str, parts: dict[str, Tree], done: dict[str, Tree], trail: tuple[str, ...]) -> Tree:
    if name in done:
        return done[name]
    part = parts[name]
    like = part.table().get("like")
    if like is not None and isinstance(like.value, str):
        if like.value not in parts:
            fail("P125", f'no curriculum is called "{like.value}"', like.place, hint(like.value, parts))
        if like.value in (*trail, name):
            circle = " like ".join([*trail, name, like.value])
            fail("P126", f"a circle: {circle}", like.place, "write one of them out")
        base = _write_out(like.value, parts, done, (*trail, name))
        if isinstance(base.value, dict):
            part = part._replace(value=lay(base.without("baseline", "like"), part).value)
    done[name] = part
    return part
