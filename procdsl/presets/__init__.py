"""Presets: the generators of published studies, each a TOML file that says what one would otherwise write.

One may be another with keys of its own laid over it, as in a study. `grammar` is the repaired form.
`faithful` holds the keys that are otherwise in the published one, which `quirks` names; `differs` says what
of that one is not followed even so, `checked` what the tests hold it to.
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
    grammar, quirks = table.pop("grammar"), tuple(table.pop("quirks", ()))
    if "preset" in grammar:
        other = preset(grammar.pop("preset"))
        grammar = _over(other.grammar, grammar)
        table = {"source": other.source, "differs": other.differs, **table}
    return Preset(name=name, grammar=grammar, faithful=table.pop("faithful", {}), quirks=quirks, **table)


def _over(table: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Own keys laid over those of a table: tables in it key by key, all else whole.

    >>> _over({"n": 1, "let": {"a": "x"}}, {"n": 2, "let": {"b": "y"}})
    {'n': 2, 'let': {'a': 'x', 'b': 'y'}}
    """
    both = {name for name in table.keys() & own.keys() if isinstance(own[name], dict)}
    return {**table, **own, **{name: _over(table[name], own[name]) for name in sorted(both)}}
