"""The files of a study as one tree: what a file includes brings names, what it extends lies underneath.

A library holds grammars, sources, corpora and transfers, and may include libraries itself. A study may be
included too: its names of these tables are brought, everything else stays there, its profiles among it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from procdsl.compiler.near import nearest
from procdsl.compiler.text import MAX_BYTES, fail, parse
from procdsl.compiler.tree import Tree, lay
from procdsl.errors import Place, UsageError

BROUGHT = ("grammars", "sources", "corpora", "transfers")
# How reading came to a file: each file on the way, and by which key it leads on.
Trail = tuple[tuple[Path, str], ...]


@dataclass
class Files:
    """Reads files. `texts` are those read, by the name used in places; what was `brought` comes but once."""

    texts: dict[str, str]
    brought: set[Path] = field(default_factory=set)

    def study(self, path: Path, trail: Trail = ()) -> Tree:
        """A file's tree with the names that it includes, laid over that of the file it extends."""
        raw = _bytes(path)
        self.texts[str(path)] = raw.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
        tree = self._including(path, parse(str(path), raw), trail)
        if (extends := tree.value.get("extends")) is None:
            return tree
        if not isinstance(extends.value, str):
            fail("P120", "extends names a file", extends.place, 'write extends = "base.toml"')
        base = self._read(path, extends, (*trail, (path, "extends")))
        return lay(base, tree.without("extends"))

    def _including(self, path: Path, tree: Tree, trail: Trail) -> Tree:
        """The tree with the names of the libraries before its own."""
        include = tree.value.get("include")
        tree = tree.without("include")
        if include is None:
            return tree
        names = include.value if isinstance(include.value, list) else [include]
        if include in names or not all(isinstance(named.value, str) for named in names):
            fail("P120", "include lists files", include.place, 'write include = ["library.toml"]')
        for named in names:
            if _target(path, named) not in self.brought:
                library = self._read(path, named, (*trail, (path, "includes")))
                self.brought.add(_target(path, named))
                _check_library(library)
                tree = _bringing(tree, library, str(path))
        return tree

    def _read(self, path: Path, named: Tree, trail: Trail) -> Tree:
        """The tree of the file that a file names."""
        verb, target = trail[-1][1], path.parent / named.value
        if Path(named.value).is_absolute():
            message = f"what a file {verb} is named relative to it"
            fail("P120", message, named.place, "give the path from here")
        known = [file.resolve() for file, _ in trail]
        if _target(path, named) in known:
            steps = trail[known.index(_target(path, named)) :]
            circle = " ".join(f"{file.name} {leads}" for file, leads in steps)
            fail("P121", f"a circle: {circle} {target.name}", named.place, "one of them must stand by itself")
        try:
            return self.study(target, trail)
        except UsageError as error:
            fail("P120", str(error), named.place, error.help)


def _target(path: Path, named: Tree) -> Path:
    """The file that a file names, by its one true path."""
    return Path(os.path.realpath(path.parent / named.value.replace("\0", "?")))


def _check_library(tree: Tree) -> None:
    """P129: a file without curricula holds nothing but what a library brings."""
    if "curricula" in tree.value:
        return
    for name, part in tree.value.items():
        if name not in (*BROUGHT, "procdsl"):
            help = (
                f"a library holds {', '.join(BROUGHT[:-1])} and {BROUGHT[-1]}; `extends` takes all of a study"
            )
            fail("P129", f'a library has no "{name}"', part.key or part.place, help)


def check_study(tree: Tree) -> None:
    """P129: a library is brought by a study, and is none."""
    if tree.value.keys() & {*BROUGHT} and tree.value.keys() <= {*BROUGHT, "procdsl"}:
        part = next(tree.value[name] for name in BROUGHT if name in tree.value)
        help = "`procdsl new NAME --template grammar` writes a study: paste them there, or include this file"
        fail("P129", "these tables are a library, and no study yet", part.key or part.place, help)


def _bringing(tree: Tree, library: Tree, file: str) -> Tree:
    """The tree with a library's names before its own. P129: a name may be brought or written, not both."""
    for table in BROUGHT:
        part, own = library.value.get(table), tree.value.get(table)
        if part is None:
            continue
        if not isinstance(part.value, dict):
            fail("P129", f"{table} are tables", part.place, f"write [{table}.NAME]")
        held = own.value if own and isinstance(own.value, dict) else {}
        for name in (name for name in part.value if name in held):
            one, other = _key(held[name]), _key(part.value[name])
            one, other = (one, other) if one.file == file else (other, one)
            where = os.path.relpath(other.file, Path(one.file).parent)
            message = f'"{name}" stands in {where}:{other.line} already'
            fail("P129", message, one, "give one of them another name")
        tree = tree.adding(table, Tree({**part.value, **held}, part.place, part.key))
    return tree


def _key(tree: Tree) -> Place:
    return tree.key or tree.place


def _bytes(path: Path) -> bytes:
    """A file's content, and one byte more than is allowed where there is too much."""
    try:
        if path.is_file() or not path.exists():
            with path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        beside = [p.name for p in path.parent.glob("*") if p.suffix in {".toml", ".yaml", ".yml"}]
        close = nearest(path.name, beside)
        way = f"did you mean {path.parent / close}?" if close else "`procdsl new NAME` writes a first one"
        raise UsageError(f"there is no file {path}", help=way) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path} cannot be read: {reason}") from None
    raise UsageError(f"{path} is not a file", help="name a .toml or .yaml file")
