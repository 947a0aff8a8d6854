r"""GBNF, the grammars of llama.cpp: ``root ::= "a" root? | [0-9]+``.

Read are names, strings (each a token, or several where blanks part them), classes such as ``[a-z0-9_]``
(each character a token), brackets, ``? * +`` and ``{m,n}``; neither ``[^…]`` nor ``.``, which stand for all
of Unicode.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from procdsl.errors import UsageError
from procdsl.interchange.productions import Production, Productions, Symbol

_EMPTY = '""'
_TOKEN = re.compile(
    r"""\s*(?:#[^\n]*|("(?:[^"\\\n]|\\.)*")|(\[(?:[^\]\\\n]|\\.)*\])|(\{\d+(?:,\d*)?\})|([?*+|().])"""
    r"""|([A-Za-z][\w-]*)(\s*::=)?)"""
)
_MOST = 64


def read(text: str) -> Productions:
    """The grammar in GBNF; words start at `root`."""
    parser = _Parser(text)
    while parser.more():
        parser.rule()
    rules = [rule for rule in parser.found if rule.head == "root"]
    if not rules:
        raise UsageError("there is no rule `root`, where words start")
    rules += [rule for rule in parser.found if rule.head != "root"]
    heads = {rule.head for rule in rules}
    missing = {s.text for rule in rules for s in rule.body if not s.token} - heads
    if missing:
        raise UsageError(f"{', '.join(sorted(missing))} has no rule")
    return Productions(tuple(rules))


class _Parser:
    """A rule after another; brackets and repeats become rules of their own."""

    def __init__(self, text: str) -> None:
        self.items = list(_items(text))
        self.at = 0
        self.found: list[Production] = []
        self.fresh = 0

    def more(self) -> bool:
        return self.at < len(self.items)

    def rule(self) -> None:
        kind, name = self.items[self.at]
        if kind != "head":
            raise UsageError(f"{name!r} stands outside a rule", help="a rule is  name ::= …")
        self.at += 1
        self.alternatives(name)

    def alternatives(self, head: str) -> None:
        while True:
            self.found.append(Production(head, tuple(self.sequence(head))))
            if not (self.more() and self.items[self.at][1] == "|" and self.items[self.at][0] == "mark"):
                return
            self.at += 1

    def sequence(self, head: str) -> list[Symbol]:
        found = list[Symbol]()
        while self.more():
            kind, text = self.items[self.at]
            if kind == "head" or (kind == "mark" and text in "|)"):
                break
            self.at += 1
            found += self.repeated(self.item(head, kind, text), head)
        return found

    def item(self, head: str, kind: str, text: str) -> list[Symbol]:
        if kind == "name":
            return [Symbol(text)]
        if kind == "string":
            return [Symbol(one, token=True) for one in json.loads(text).split()]
        if kind == "class":
            return [self.new(head, [[Symbol(c, token=True)] for c in _members(text)])]
        if text == "(":
            name = self.name(head)
            self.alternatives(name)
            if not self.more() or self.items[self.at] != ("mark", ")"):
                raise UsageError(f"a bracket of {head} is not closed")
            self.at += 1
            return [Symbol(name)]
        raise UsageError(f"{text!r} cannot stand where it does in {head}")

    def repeated(self, item: list[Symbol], head: str) -> list[Symbol]:
        kind, text = self.items[self.at] if self.more() else ("", "")
        if not (kind == "count" or (kind == "mark" and text in "?*+")):
            return item
        self.at += 1
        least, most = {"?": (0, 1), "*": (0, None), "+": (1, None)}.get(text) or _bounds(text)
        if least > _MOST or (most or 0) > _MOST or least > (least if most is None else most):
            raise UsageError(f"{text} in {head}: a repeat goes from few to many, at most {_MOST}")
        rest = list[Symbol]()
        if most is None:
            name = self.name(head)
            self.found += [Production(name, ()), Production(name, (*item, Symbol(name)))]
            rest = [Symbol(name)]
        for _ in range((most or least) - least):
            rest = [self.new(head, [[], [*item, *rest]])]
        return [*item * least, *rest]

    def new(self, head: str, bodies: list[list[Symbol]]) -> Symbol:
        name = self.name(head)
        self.found += [Production(name, tuple(body)) for body in bodies]
        return Symbol(name)

    def name(self, head: str) -> str:
        self.fresh += 1
        return f"{head.partition('~')[0]}~{self.fresh}"


def _items(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            line = text.count("\n", 0, at) + 1
            raise UsageError(f"line {line}: cannot read {text[at:].split(chr(10))[0].strip()!r}")
        at = found.end()
        string, characters, count, mark, name, head = found.groups()
        if string:
            yield "string", string
        elif characters:
            yield "class", characters
        elif count:
            yield "count", count
        elif mark:
            yield "mark", mark
        elif name:
            yield ("head" if head else "name"), name


def _bounds(text: str) -> tuple[int, int | None]:
    least, comma, most = text[1:-1].partition(",")
    return int(least), (int(most) if most else None) if comma else int(least)


def _members(text: str) -> list[str]:
    r"""The characters of a class.

    >>> _members("[a-c_]"), _members(r"[\]x]")
    (['a', 'b', 'c', '_'], [']', 'x'])
    """
    if text.startswith("[^"):
        raise UsageError(f"{text} stands for nearly all of Unicode", help="list what it means")
    inner = [c[-1] for c in re.findall(r"\\.|[^\\]", text[1:-1])]
    found, place = list[str](), 0
    while place < len(inner):
        if inner[place + 1 : place + 2] == ["-"] and place + 2 < len(inner):
            found += map(chr, range(ord(inner[place]), ord(inner[place + 2]) + 1))
            place += 3
        else:
            found.append(inner[place])
            place += 1
    return list(dict.fromkeys(c for c in found if not c.isspace()))


def write(rules: Productions) -> str:
    """Every token with a blank behind it, unless all tokens are single characters."""
    plain = rules.renamed(r"[A-Za-z0-9-]", "-")
    tokens = {s.text for rule in rules.rules for s in rule.body if s.token}
    behind = "" if all(len(token) == 1 for token in tokens) else " "
    heads = plain.spelt(lambda token: json.dumps(token + behind, ensure_ascii=False))
    start = next(iter(heads))
    lines = [f"{head} ::= {' | '.join(body or _EMPTY for body in own)}" for head, own in heads.items()]
    return "\n".join([f"root ::= {start}"] * (start != "root") + lines) + "\n"
