"""TOML to a placed tree, by toml-rs, which tells where keys and values stand, but not where headers do."""

from __future__ import annotations

import io
import re
from typing import Any

import toml_rs

from procdsl.compiler.text import MAX_NODES, fail
from procdsl.compiler.tree import Path, Tree
from procdsl.errors import Place

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_HEADER = re.compile(rf"^[ \t]*(\[\[?)[ \t]*({_KEY}(?:[ \t]*\.[ \t]*{_KEY})*)[ \t]*\]")
_PREFIX = re.compile(rf"((?:{_KEY}[ \t]*\.[ \t]*)+)$")


def parse_toml(name: str, text: str) -> Tree:
    """The tree of a TOML text; raises SpecError at the first place where it is none."""
    try:
        document = toml_rs.load_with_metadata(io.BytesIO(text.encode()))
    except toml_rs.TOMLDecodeError as error:
        message = str(error.msg).rstrip().rpartition("\n")[2]
        place = _Reader(name, text, {}).word(error.lineno, error.colno)
        if message.startswith("duplicate key"):
            key = text.split("\n")[place.line - 1][place.column - 1 :][: place.width]
            fail("P103", f'duplicate key "{key}"', place, "remove one of the two, or join them")
        fail("P102", message, place, "see https://toml.io for what TOML is")
    reader = _Reader(name, text, document.meta["nodes"])
    return reader.tree(document.value, document.meta["nodes"], (), Place(name, 1, 1))


class _Reader:
    """Joins toml-rs's values and its places, and finds the headers and dotted keys it leaves out."""

    def __init__(self, name: str, text: str, nodes: dict[str, Any]) -> None:
        self.name = name
        self.lines = text.split("\n")
        self.keys: dict[Path, Place] = {}
        self.nodes = 0
        inside: set[int] = set()
        self._survey(nodes, (), inside)
        self._headers(inside)

    def tree(self, value: Any, meta: Any, path: Path, outer: Place) -> Tree:
        """The placed form of a value; `outer` is where it stands if nobody says."""
        key, place = self.keys.get(path), self.keys.get(path, outer)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            fail("P100", f"more than {MAX_NODES:,} values", place, "no spec needs as many")
        if _is_node(meta):
            place = self.place(meta["value_line"], meta["value_col"]) if "value_line" in meta else place
            meta = meta["value"]
        if isinstance(value, dict):
            inner = meta if isinstance(meta, dict) else {}
            parts = {k: self.tree(v, inner.get(k), (*path, k), place) for k, v in value.items()}
            return Tree(parts, place, key)
        if isinstance(value, list):
            inner_list = meta if isinstance(meta, list) else [None] * len(value)
            items = [
                self.tree(v, m, (*path, i), place)
                for i, (v, m) in enumerate(zip(value, inner_list, strict=True))
            ]
            return Tree(items, place, key)
        return Tree(value, place, key)

    def place(self, line: int | tuple[int, int], column: int | tuple[int, int]) -> Place:
        """A place from toml-rs's ranges: byte columns to characters, and the first line of several."""
        first, last = line if isinstance(line, tuple) else (line, line)
        start, end = column if isinstance(column, tuple) else (column, column)
        begin = self._character(first, start)
        width = self._character(first, end + 1) - begin if first == last else 1
        return Place(self.name, first, begin, max(1, width))

    def word(self, line: int, column: int) -> Place:
        """The place of the word that begins at a character column, for a caret as wide as it."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        found = re.match(r"[\w-]+", text[column - 1 :])
        return Place(self.name, line, column, len(found[0]) if found else 1)

    def _character(self, line: int, column: int) -> int:
        raw = self.lines[line - 1].encode()[: column - 1]
        return len(raw.decode(errors="ignore")) + 1

    def _survey(self, meta: Any, path: Path, inside: set[int]) -> None:
        """Notes where keys stand, those of dotted keys included, and which lines a value covers."""
        if _is_node(meta):
            if isinstance(meta.get("value_line"), tuple):
                inside.update(range(meta["value_line"][0] + 1, meta["value_line"][1] + 1))
            if "key_line" in meta:
                self._dotted(path, self.place(meta["key_line"], meta["key_col"]))
            meta = meta["value"]
        parts = meta.items() if isinstance(meta, dict) else enumerate(meta) if isinstance(meta, list) else ()
        for step, part in parts:
            self._survey(part, (*path, step), inside)

    def _dotted(self, path: Path, place: Place) -> None:
        self.keys[path] = place
        before = _PREFIX.search(self.lines[place.line - 1][: place.column - 1])
        for found in reversed(list(re.finditer(_KEY, before[1])) if before else []):
            path = path[:-1]
            column = before.start() + found.start() + 1 if before else 1
            self.keys.setdefault(path, Place(self.name, place.line, column, len(found[0])))

    def _headers(self, inside: set[int]) -> None:
        """`[a.b]` and `[[a.b]]`, an index for each level that is a list of tables."""
        counts: dict[Path, int] = {}
        for number, line in enumerate(self.lines, 1):
            header = None if number in inside else _HEADER.match(line)
            if header is None:
                continue
            path: Path = ()
            keys = list(re.finditer(_KEY, header[2]))
            for key in keys:
                path = (*path, _unquote(key[0]))
                place = Place(self.name, number, header.start(2) + key.start() + 1, len(key[0]))
                last = key is keys[-1]
                if not last or path not in counts:
                    self.keys.setdefault(path, place)
                if last and header[1] == "[[":
                    counts[path] = counts.get(path, -1) + 1
                    self.keys[(*path, counts[path])] = place
                elif last:
                    self.keys[path] = place
                if path in counts:
                    path = (*path, counts[path])


def _is_node(meta: Any) -> bool:
    """Whether this is toml-rs's record: a table's own key of such a name would hold a record itself."""
    return isinstance(meta, dict) and any(
        isinstance(meta.get(name), int | tuple) for name in ("value_line", "key_line")
    )


def _unquote(key: str) -> str:
    return next(iter(toml_rs.loads(f"{key} = 0"))) if key[0] in "\"'" else key
