"""`preset = "set"` in a grammar's table: the table of a published generator, the study's keys over it."""

from __future__ import annotations

from procdsl.compiler.near import hint
from procdsl.compiler.overlay import placed
from procdsl.compiler.text import fail
from procdsl.compiler.tree import Tree, lay


def preset(tree: Tree) -> Tree:
    """The study with every preset written out. What stands in one is placed where it is named."""
    return tree.holding("grammars", {name: _written(part) for name, part in tree.table("grammars").items()})


def _written(table: Tree) -> Tree:
    if (named := table.table().get("preset")) is None:
        return table
    from procdsl import presets

    if named.value not in presets.names():
        way = hint(str(named.value), presets.names())
        help = f"{way} `procdsl presets` lists them"
        fail("P127", f'no preset is called "{named.value}"', named.place, help)
    faithful = table.value.get("faithful")
    if faithful is not None and not isinstance(faithful.value, bool):
        fail("P127", "faithful is true or false", faithful.place)
    if (kind := table.value.get("kind")) is not None:
        help = "leave out the kind, or the preset"
        fail("P127", "a preset has a kind of its own", kind.key or kind.place, help)
    form = presets.preset(named.value).table(faithful=bool(faithful and faithful.value))
    written = lay(placed(form, named.place), table.without("preset", "faithful"))
    return table._replace(value=written.value)
