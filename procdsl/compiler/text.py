"""Reading one file: bytes to a placed tree, with limits that are checked before any parser sees the text.

The limits guard against texts that make parsers crash or hang: native ones overflow their stack on tens
of thousands of brackets, tomllib needs a minute for `a.a.a…`, and 306 bytes of YAML aliases spell 387 million
values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import NoReturn

from procdsl.compiler.tree import Tree
from procdsl.errors import Diagnostic, Place, SpecError

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_TOKEN = 64_000
MAX_DIGITS = 400
# 50,000 values take the pure YAML reader a second.
MAX_NODES = 50_000
YAML = (".yaml", ".yml")
_INTEGERS = 2**63

_QUOTE = re.compile(r"\"\"\"|'''|[\"'#]")
_ON_ONE_LINE = {'"': re.compile(r'"(?:[^"\\\n]|\\[^\n])*"'), "'": re.compile(r"'[^'\n]*'")}
_DIGITS = re.compile(rf"[0-9_]{{{MAX_DIGITS},}}")


def parse(name: str, raw: bytes) -> Tree:
    """The tree of a file's content; raises SpecError with everything that cannot be read in it."""
    text = decode(name, raw)
    limits(name, text)
    if name.endswith(YAML):
        from procdsl.compiler.yaml_text import parse_yaml as parser
    else:
        from procdsl.compiler.toml_text import parse_toml as parser
    tree = parser(name, text)
    if problems := tuple(_unspeakable(tree)):
        raise SpecError(problems)
    return tree


def decode(name: str, raw: bytes) -> str:
    """The text of the bytes: UTF-8, a byte-order mark and Windows line ends forgiven."""
    if len(raw) > MAX_BYTES:
        fail("P100", f"the file has over {MAX_BYTES:,} bytes", Place(name, 1, 1), "no spec needs as many")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", errors="replace")
        fail(
            "P101",
            f"byte 0x{raw[error.start]:02x} is not UTF-8",
            at(name, before, len(before)),
            "save as UTF-8",
        )
    text = text.replace("\r\n", "\n")
    if bad := re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        fail("P101", f"control character U+{ord(bad[0]):04X}", at(name, text, bad.start()), "remove it")
    return text


def limits(name: str, text: str) -> None:
    """Refuses what is nested too deeply, or has a word or number that is too long."""
    for word in re.finditer(r"\S+", text):
        if word.end() - word.start() > MAX_TOKEN:
            fail(
                "P100", f"a word of over {MAX_TOKEN:,} characters", at(name, text, word.start()), "shorten it"
            )
    outside = _outside_strings(text)
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", outside):
        depth = depth + 1 if bracket[0] in "[{" else max(0, depth - 1)
        if depth > MAX_DEPTH:
            _too_deep(name, text, bracket.start())
    if digits := _DIGITS.search(outside):
        fail(
            "P109",
            f"a number of over {MAX_DIGITS} digits",
            at(name, text, digits.start()),
            "use a smaller one",
        )
    start = 0
    for piece in re.split(r"[=,\[\]{}\n]", outside):
        if piece.count(".") > MAX_DEPTH:
            _too_deep(name, text, start)
        start += len(piece) + 1


def _outside_strings(text: str) -> str:
    """The text with its strings and comments blanked, every character in its place.

    A quote that nothing closes blanks nothing, so that what follows is counted: a parser may recover there.
    Each kind of failure is met once (a line), which keeps the whole linear.
    """
    parts, done, resume, line_end = [], 0, 0, -1
    unclosed: set[str] = set()
    while quote := _QUOTE.search(text, resume):
        start, mark = quote.start(), quote[0]
        if line_end < start:
            line_end = _or_end(text, text.find("\n", start))
        if mark == "#":
            end = line_end
        elif len(mark) == 3:
            end = -1 if mark in unclosed else _close(text, mark, start + 3)
            if end < 0:
                unclosed.add(mark)
        else:
            closed = _ON_ONE_LINE[mark].match(text, start)
            end = closed.end() if closed else -1
        resume = end if end > start else line_end if len(mark) == 1 else start + 3
        if end > start:
            parts += [text[done:start], " " * (end - start)]
            done = end
    return "".join([*parts, text[done:]])


def _close(text: str, mark: str, start: int) -> int:
    """Where the string that began before `start` ends, or -1."""
    while (end := text.find(mark, start)) >= 0:
        slashes = end - len(text[start:end].rstrip("\\")) - start
        if mark == "'''" or slashes % 2 == 0:
            return end + 3
        start = end + 1
    return -1


def _or_end(text: str, offset: int) -> int:
    return offset if offset >= 0 else len(text)


def _too_deep(name: str, text: str, offset: int) -> None:
    fail("P100", f"nested more than {MAX_DEPTH} levels deep", at(name, text, offset), "no spec needs as many")


def _unspeakable(tree: Tree) -> Iterator[Diagnostic]:
    """Values that parsers accept and the language does not."""
    for _, leaf in tree.leaves():
        value = leaf.value
        if isinstance(value, float) and not math.isfinite(value):
            yield Diagnostic("P109", "a number must be finite", leaf.place, "write a number that is")
        elif isinstance(value, int) and not -_INTEGERS <= value < _INTEGERS:
            yield Diagnostic("P109", "the number does not fit 64 bits", leaf.place, "use a smaller one")
        elif isinstance(value, datetime | date | time):
            yield Diagnostic(
                "P110", "dates and times mean nothing here", leaf.place, "quote it to make it text"
            )


def at(name: str, text: str, offset: int, width: int = 1) -> Place:
    """The place of an offset into the text."""
    start = text.rfind("\n", 0, offset) + 1
    return Place(name, text.count("\n", 0, offset) + 1, offset - start + 1, width)


def fail(code: str, message: str, place: Place, help: str = "") -> NoReturn:
    """One finding after which nothing more can be read."""
    raise SpecError([Diagnostic(code, message, place, help)])
