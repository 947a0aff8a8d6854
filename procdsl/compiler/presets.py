"""`preset = "set"` in a grammar's table: the table of a published generator, the study's keys over it."""

from __future__ import annotations

from dataclasses import replace

from procdsl.compiler.near import hint
from procdsl.compiler.overlay import placed
from procdsl.compiler.text import fail
from procdsl.compiler.tree import Tree, lay


def preset(tree: Tree) -> Tree:
    """The study with every preset written out. What stands in one is placed where it is named."""
    grammars = tree.value.get("grammars")
    if grammars is None or not isinstance(grammars.value, dict):
        return tree
    return tree.adding(
        "grammars", replace(grammars, value={name: _written(part) for name, part in grammars.value.items()})
    )


def _written(table: Tree) -> Tree:
    if not isinstance(table.value, dict) or (named := table.value.get("preset")) is None:
        return table
    from procdsl import presets

    if named.value not in presets.names():
        way = hint(str(named.value), presets.names())
        fail(
            "P127", f'no preset is called "{named.value}"', named.place, f"{way} `procdsl presets` lists them"
        )
    faithful = table.value.get("faithful")
    if faithful is not None and not isinstance(faithful.value, bool):
        fail("P127", "faithful is true or false", faithful.place)
    if (kind := table.value.get("kind")) is not None:
        fail(
            "P127",
            "a preset has a kind of its own",
            kind.key or kind.place,
            "leave out the kind, or the preset",
        )
    form = presets.preset(named.value).table(faithful=bool(faithful and faithful.value))
    return replace(
        lay(placed(form, named.place), table.without("preset", "faithful")), place=table.place, key=table.key
    )
