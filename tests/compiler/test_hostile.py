"""Whatever stands in the place of a value, the compiler answers with diagnostics and never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from procdsl.compiler import source
from procdsl.compiler.tree import Path, Tree, is_named, name_of
from procdsl.errors import ProcdslError
from tests.compiler.minimal import MINIMAL, compiled

STRANGE = [
    "-1",
    "0",
    "1e308",
    "1_000_000_000_000",
    "0.5",
    "true",
    "[]",
    "{}",
    "[[]]",
    "[1, 'a']",
    "1979-05-27",
]
STRANGE += [
    "''",
    "'x'",
    "'dyck'",
    "'prose'",
    "'1%'",
    "'50% of plain.text'",
    "'9..3'",
    "'0 steps'",
    '"\\u0000"',
]
STRANGE += ["{ prose = 1 }", "{ dyck = { from = 0, to = 0, over = '0%..1%' } }"]


def paths(tree: Tree, path: Path = ()) -> Iterator[Path]:
    """Every place in the text."""
    yield path
    if isinstance(tree.value, dict):
        for name, part in tree.value.items():
            yield from paths(part, (*path, name))
    if isinstance(tree.value, list):
        for index, part in enumerate(tree.value):
            yield from paths(part, (*path, name_of(part) or index if is_named(tree) else index))


EVERY = [".".join(map(str, path)) for path in paths(source.read(MINIMAL, profile=None).tree) if path]


@pytest.mark.slow
@pytest.mark.parametrize("path", EVERY)
def test_no_value_breaks_the_compiler(path: str) -> None:
    for strange in STRANGE:
        with suppress(ProcdslError):
            compiled(f"{path}={strange}")
