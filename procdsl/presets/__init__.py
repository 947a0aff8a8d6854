"""Presets: the generators of published studies, each a TOML file that says what one would otherwise write.

`grammar` is the repaired form. `faithful` holds the keys that are otherwise in the published one, which
`quirks` names; `differs` says what of that one is not followed even so, `checked` what the tests hold it to.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Preset:
    """A published generator: what it is, who published it, and its two forms as tables."""

    name: str
    about: str
    source: str
    grammar: dict[str, Any]
    faithful: dict[str, Any]
    quirks: tuple[str, ...] = ()
    differs: str = ""
    checked: str = ""

    def toml(self) -> str:
        """The two forms as they are written."""
        text = (files(__name__) / f"{self.name}.toml").read_text(encoding="utf-8")
        return text[text.index("[grammar]") :].replace("[grammar]\n", "").rstrip().removesuffix("[faithful]")

    def table(self, *, faithful: bool = False) -> dict[str, Any]:
        """The table of one of the two forms. Keys of the faithful one replace the other's whole."""
        return {**self.grammar, **(self.faithful if faithful else {})}


@cache
def names() -> tuple[str, ...]:
    """The presets there are, by name."""
    found = (file.name for file in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


@cache
def preset(name: str) -> Preset:
    """The preset of a name that `names` lists."""
    table = tomllib.loads((files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))
    quirks = tuple(table.pop("quirks", ()))
    return Preset(name=name, faithful=table.pop("faithful", {}), quirks=quirks, **table)
