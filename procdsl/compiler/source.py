"""Reading a study: its file, what it extends, profile, `--set`, sweeps, likes, variants: one placed tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from procdsl.compiler.near import nearest
from procdsl.compiler.overlay import liked, with_profile, with_sets
from procdsl.compiler.presets import preset
from procdsl.compiler.sweep import swept
from procdsl.compiler.text import MAX_BYTES, fail, parse
from procdsl.compiler.tree import Places, Tree, lay
from procdsl.compiler.variants import varied
from procdsl.errors import Diagnostic, SpecError, UsageError


@dataclass(frozen=True)
class Source:
    """A study as read: every overlay applied, every value still knowing where it was written.

    `text` is the main file's as written; `files` holds the lines of everything read, by the name used in
    places. `profile` is the one that was applied, `notes` what the reader decided by itself. `variants` are
    the study with other values in a grammar that changes over a phase, by what it is called with them.
    """

    path: Path
    text: str
    files: Mapping[str, str]
    tree: Tree = field(repr=False)
    profile: str | None
    notes: tuple[Diagnostic, ...]
    variants: Mapping[str, Tree] = field(default_factory=dict, repr=False)

    @cached_property
    def data(self) -> dict[str, Any]:
        """The study as plain dicts, lists and scalars."""
        plain: dict[str, Any] = self.tree.plain()
        return plain

    @property
    def places(self) -> Places:
        return Places(self.tree)

    def lines(self, file: str) -> list[str]:
        """The lines of a file that was read; "--set" holds what the call changed, one a line."""
        return self.files.get(file, "").split("\n")

    def quote(self, found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
        """The findings as they are told: each once, in order of place, with the line it is about."""
        return quoted(found, self.files)


def read(path: str | Path, *, profile: str | None = "auto", sets: Sequence[str] = ()) -> Source:
    """A study's source. Raises SpecError with places, and UsageError where the call itself is wrong.

    `profile` names the one to apply; "auto" takes `cpu` where there is no accelerator, None takes none.
    """
    path = Path(path)
    files: dict[str, str] = {}
    try:
        tree = _extended(path, _bytes(path), files, ())
        tree, chosen, notes = with_profile(tree, profile)
        files["--set"] = "\n".join(sets)
        tree = preset(varied(liked(swept(with_sets(tree, sets)))))
    except SpecError as error:
        raise SpecError(quoted(error.diagnostics, files)) from None
    return Source(path, files[str(path)], files, tree, chosen, quoted(notes, files))


def quoted(found: Iterable[Diagnostic], files: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Findings each once, in order of place, each with the line it is about."""
    names = list(files)
    split = {name: text.split("\n") for name, text in files.items()}

    def order(finding: Diagnostic) -> tuple[int, int, int]:
        place = finding.place
        known = names.index(place.file) if place and place.file in split else len(names)
        return (known, place.line, place.column) if place else (-1, 0, 0)

    def line(finding: Diagnostic) -> str:
        lines = split.get(finding.place.file, []) if finding.place else []
        return lines[finding.place.line - 1] if finding.place and finding.place.line <= len(lines) else ""

    placed = (finding._replace(source_line=line(finding)) for finding in found)
    return tuple(sorted(dict.fromkeys(placed), key=order))


def _extended(path: Path, raw: bytes, files: dict[str, str], trail: tuple[Path, ...]) -> Tree:
    """A file's tree, laid over that of the file it extends."""
    name = str(path)
    files[name] = raw.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
    tree = parse(name, raw)
    if (extends := tree.value.get("extends")) is None:
        return tree
    if not isinstance(extends.value, str):
        fail("P120", "extends names a file", extends.place, 'write extends = "base.toml"')
    target = path.parent / extends.value
    if Path(extends.value).is_absolute():
        fail("P120", "extends must be relative to this file", extends.place, "give the path from here")
    trail = (*trail, path.resolve())
    if target.resolve() in trail:
        circle = " extends ".join(file.name for file in (*trail[trail.index(target.resolve()) :], target))
        fail("P121", f"a circle: {circle}", extends.place, "one of them must stand by itself")
    try:
        base = _bytes(target)
    except UsageError as error:
        fail("P120", str(error), extends.place, error.help)
    return lay(_extended(target, base, files, trail), tree.without("extends"))


def _bytes(path: Path) -> bytes:
    """A file's content, and one byte more than is allowed where there is too much."""
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is not a file", help="name a .toml or .yaml file")
    try:
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
