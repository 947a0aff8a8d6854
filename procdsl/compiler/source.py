"""Reading a study: its files, profile, `--set`, sweeps, likes, variants: one placed tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from procdsl.compiler.files import Files, check_study
from procdsl.compiler.overlay import liked, with_profile, with_sets
from procdsl.compiler.presets import preset
from procdsl.compiler.sweep import swept
from procdsl.compiler.tree import Places, Tree
from procdsl.compiler.variants import varied
from procdsl.errors import Diagnostic, SpecError


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
        tree = Files(files).study(path)
        check_study(tree)
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
