"""YAML to a placed tree, from PyYAML's events: YAML 1.2 scalars, no tags, no repeated keys, few aliases.

PyYAML's own construction follows YAML 1.1, where `no` is false, `1e6` a string and a repeated key silent.
Differing from 1.2, digits may be grouped as in TOML: `65_536`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from procdsl.compiler.text import MAX_DEPTH, MAX_NODES, fail
from procdsl.compiler.tree import Tree
from procdsl.errors import Place

_INTEGER = re.compile(r"[-+]?[0-9]+(?:_[0-9]+)*")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


def parse_yaml(name: str, text: str) -> Tree:
    """The tree of a YAML text; raises SpecError at the first place where it is none."""
    try:
        return _Reader(name, yaml.parse(text, Loader=yaml.SafeLoader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name, 1, 1)
        fail("P102", error.problem or "not YAML", place)
    except yaml.reader.ReaderError as error:
        fail("P101", f"character U+{ord(error.character):04X} cannot stand in YAML", Place(name, 1, 1))


class _Reader:
    """A recursive descent over events, which are the text's and end when it does."""

    def __init__(self, name: str, events: Iterator[Any]) -> None:
        self.name = name
        self.events = events
        self.anchors: dict[str, tuple[Tree, int]] = {}
        self.nodes = 0

    def document(self) -> Tree:
        """The one document of the text; none at all is an empty table."""
        next(self.events)
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return Tree({}, Place(self.name, 1, 1))
        tree = self._node(next(self.events), 0)
        next(self.events)
        if isinstance(more := next(self.events), yaml.DocumentStartEvent):
            fail("P102", "a second document", self._place(more), "a spec is one document: remove the ---")
        if tree.value == "":
            return Tree({}, tree.place)
        if not isinstance(tree.value, dict):
            fail("P107", "expected keys and values", tree.place, 'begin with "procdsl: 1"')
        return tree

    def _node(self, event: Any, depth: int) -> Tree:
        place = self._place(event)
        if depth > MAX_DEPTH:
            fail("P100", f"nested more than {MAX_DEPTH} levels deep", place, "no spec needs as many")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, place)
        if event.tag is not None and event.tag != "!":
            fail("P111", f"the tag {event.tag} is not understood", place, "a spec has no tags")
        before = self.nodes
        self._count(1, place)
        if isinstance(event, yaml.MappingStartEvent):
            tree = self._mapping(place, depth)
        elif isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(inner := next(self.events), yaml.SequenceEndEvent):
                items.append(self._node(inner, depth + 1))
            tree = Tree(items, place)
        else:
            tree = Tree(self._scalar(event, place, depth), place)
        if event.anchor:
            self.anchors[event.anchor] = tree, self.nodes - before
        return tree

    def _alias(self, event: Any, place: Place) -> Tree:
        if event.anchor not in self.anchors:
            fail("P111", f"no anchor &{event.anchor} stands before this", place)
        tree, nodes = self.anchors[event.anchor]
        self._count(nodes, place)
        return tree

    def _count(self, nodes: int, place: Place) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            fail("P111", f"more than {MAX_NODES:,} values, aliases written out", place, "use fewer aliases")

    def _mapping(self, place: Place, depth: int) -> Tree:
        parts: dict[str, Tree] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._place(event)
            if not isinstance(event, yaml.ScalarEvent):
                fail("P102", "a key must be a word", key)
            if event.value in parts:
                fail("P103", f'duplicate key "{event.value}"', key, "remove one of the two")
            part = self._node(next(self.events), depth + 1)
            parts[event.value] = Tree(part.value, part.place, key)
        return Tree(parts, place)

    def _scalar(self, event: Any, place: Place, depth: int) -> Any:
        text = event.value
        if not event.implicit[0]:
            return text
        if text in _NULLS:
            if depth == 0:
                return ""
            fail("P111", "there is no value here", place, "write one, or leave the key out")
        if text in _WORDS:
            return _WORDS[text]
        if _NOT_FINITE.fullmatch(text):
            fail("P109", "a number must be finite", place, "write a number that is")
        if _INTEGER.fullmatch(text):
            return int(text.replace("_", ""))
        if _BASED.fullmatch(text):
            return int(text, 0)
        if _FLOAT.fullmatch(text):
            return float(text.replace("_", ""))
        return text

    def _place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if end.line == start.line else 1
        return Place(self.name, start.line + 1, start.column + 1, max(1, width))
