"""`at` in an evaluation: lists of numbers of its grammar, and a copy of both for each of them.

    [evaluations.long]
    kind = "answer"
    on   = "reversal"
    at   = { length = [32, 64, 128] }

gives `long_length32`, `long_length64` and `long_length128`, on copies of the grammar that are called alike:
what is measured is longer, or deeper, than what was trained on. Several lists make a grid.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from procdsl.compiler.near import hint
from procdsl.compiler.text import fail
from procdsl.compiler.tree import Tree

MAX_VARIANTS = 1_000


def varied(tree: Tree) -> Tree:
    """The study with every such evaluation written out, in its place."""
    evaluations, grammars = tree.table("evaluations"), tree.table("grammars")
    made, copies = dict[str, Tree](), dict[str, Tree]()
    for name, part in evaluations.items():
        if (at := part.table().get("at")) is None:
            made[name] = part
            continue
        on = _grammar(part, grammars)
        for suffix, values in _points(at):
            called, copy = f"{name}_{suffix}", f"{on}_{suffix}"
            if called in evaluations or copy in grammars:
                fail("P128", f"{called} would be there twice", at.place, "give it another name")
            copies[copy] = grammars[on]._replace(value=grammars[on].value | values)
            made[called] = part.without("at").adding("on", part.value["on"]._replace(value=copy))
    return tree.holding("grammars", grammars | copies).holding("evaluations", made)


def _grammar(part: Tree, known: dict[str, Tree]) -> str:
    """The grammar that an evaluation varies."""
    on, at = part.value.get("on"), part.value["at"]
    name = on.value if on is not None and isinstance(on.value, str) else ""
    if (table := known.get(name)) is None or not isinstance(table.value, dict):
        what = f'"{name}" is none' if name else "none is named"
        near = hint(name, known) if name and known else 'on = "dyck"'
        fail("P128", f"`at` varies a number of a grammar, and {what}", (on or at).place, near)
    return name


def _points(at: Tree) -> Iterator[tuple[str, dict[str, Tree]]]:
    """Each combination: how names end, and the values by their keys."""
    lists = at.table()
    if not lists or not all(_numbers(part) for part in lists.values()):
        fail("P128", "`at` needs lists of numbers", at.place, "at = { length = [64, 128] }")
    spans = [[(key, value) for value in part.value] for key, part in lists.items()]
    points = list(itertools.islice(itertools.product(*spans), MAX_VARIANTS + 1))
    if len(points) > MAX_VARIANTS:
        fail("P128", f"over {MAX_VARIANTS:,} combinations", at.place, "leave some out")
    for point in points:
        suffix = "_".join(f"{key}{value.value}" for key, value in point).replace(".", "_").lower()
        yield suffix, {key: value._replace(key=lists[key].key) for key, value in point}


def _numbers(part: Tree) -> bool:
    """Whether this is a list of different numbers of which names can be made."""
    if not isinstance(part.value, list) or not part.value:
        return False
    values = [one.value for one in part.value]
    whole = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return whole and min(values) >= 0 and len(set(values)) == len(values)
