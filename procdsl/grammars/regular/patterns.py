"""Regular expressions over tokens, read with the place of every part.

    pattern  = sequence ("|" sequence)*
    sequence = (atom postfix*)*                          nothing, or ε, is the empty word
    atom     = token | "." | "[" token* "]" | "[^" token* "]" | "(" pattern ")"
    postfix  = "*" | "+" | "?" | "{" m "}" | "{" m "," [n] "}"

Tokens stand apart by blanks, in quotes where they hold marks of the language; ``.`` is any token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from procdsl.grammars.regular import nondeterministic as automata
from procdsl.grammars.regular.deterministic import Dfa, TooLarge, determinise
from procdsl.grammars.regular.nondeterministic import Nfa
from procdsl.grammars.regular.texts import TextError, near

_TOKEN = re.compile(
    r"""\s*(?:(?P<token>"[^"\s]+"|'[^'\s]+'|[^\s()|*+?{}."'\[\]^]+(?:\[[^\s\[\]^]*\])?)
        |(?P<count>\{[^}]*\})|(?P<mark>\[\^|[()|*+?.\[\]]))""",
    re.VERBOSE,
)
_COUNT = re.compile(r"\{\s*(\d{1,6})\s*(,\s*(\d{1,6})?\s*)?\}")
_DEEPEST, _POSTFIXES = 64, 8
# States of the nondeterministic automaton: what {m,n} inside {m,n} multiplies to.
LARGEST = 200_000


@dataclass(frozen=True, slots=True)
class Pattern:
    """A part of an expression, from one character of the text to another.

    `names` are the tokens of a class, `least` and `most` the bounds of a repeat.
    """

    kind: Literal["class", "any", "but", "sequence", "choice", "repeat"]
    at: int
    end: int
    parts: tuple[Pattern, ...] = ()
    names: tuple[tuple[str, int], ...] = ()
    least: int = 0
    most: int | None = None


def parse(text: str, field: str) -> Pattern:
    """The expression that a text spells. TextError where it spells none.

    >>> [part.kind for part in parse("(b | a b)* a?", "pattern").parts]
    ['repeat', 'repeat']
    """
    reader = _Reader(text, field)
    found = reader.choice(0)
    if reader.text:
        raise reader.fault(
            "there is no '(' that this closes" if reader.text == ")" else "this cannot stand here"
        )
    return found


def named(pattern: Pattern) -> Iterator[tuple[str, int]]:
    """The tokens it names, in order, with their places."""
    yield from pattern.names
    for part in pattern.parts:
        yield from named(part)


def compiled(
    pattern: Pattern, known: Mapping[str, frozenset[int]], symbols: int, budget: int, field: str
) -> Dfa:
    """Its least automaton. TextError at an unknown token, or at the smallest part that is too large."""
    for name, at in named(pattern):
        if name not in known:
            help = near(name, known, "`tokens` lists them all")
            raise TextError(f"{name!r} is no token of this grammar", field, at, len(name), help)
    builder = _Builder(known, frozenset(range(symbols)), field)
    builder.size(pattern)
    return builder.determinised(pattern, symbols, budget)


class _Builder:
    def __init__(self, known: Mapping[str, frozenset[int]], everything: frozenset[int], field: str) -> None:
        self.known, self.everything, self.field = known, everything, field

    def determinised(self, pattern: Pattern, symbols: int, budget: int) -> Dfa:
        try:
            return determinise(self.nfa(pattern), symbols, budget)
        except TooLarge as large:
            for part in pattern.parts:
                self.determinised(part, symbols, budget)
            raise self.too_large(pattern, str(large)) from None

    def size(self, pattern: Pattern) -> int:
        """How many states the nondeterministic automaton will have."""
        found = 2 + sum(map(self.size, pattern.parts))
        if pattern.kind == "repeat":
            found *= max(pattern.most or pattern.least, 1)
        if found > LARGEST:
            raise self.too_large(pattern, f"written out, this has more than {LARGEST:,} parts")
        return found

    def nfa(self, pattern: Pattern) -> Nfa:
        if pattern.kind == "sequence":
            return automata.concat(map(self.nfa, pattern.parts))
        if pattern.kind == "choice":
            return automata.union(map(self.nfa, pattern.parts))
        if pattern.kind == "repeat":
            return automata.repeat(self.nfa(pattern.parts[0]), pattern.least, pattern.most)
        listed = frozenset[int]().union(*(self.known[name] for name, _ in pattern.names))
        whole = {"class": listed, "any": self.everything, "but": self.everything - listed}
        return automata.one_of(whole[pattern.kind])

    def too_large(self, pattern: Pattern, message: str) -> TextError:
        help = "make it simpler, or give the grammar more `states`"
        return TextError(message, self.field, pattern.at, pattern.end - pattern.at, help)


class _Reader:
    """Reads one token ahead; `last` is where the one before it ended."""

    def __init__(self, source: str, field: str) -> None:
        self.source, self.field, self.end, self.last = source, field, 0, 0
        self.advance()

    def advance(self) -> None:
        self.last = self.end
        match = _TOKEN.match(self.source, self.end)
        if match is None:
            rest = self.source[self.end :]
            self.at = self.end + len(rest) - len(rest.lstrip())
            self.kind, self.text, self.end = "", "", len(self.source)
            if rest.strip():
                raise TextError(f"{rest.strip()[0]!r} has no meaning here", self.field, self.at, 1, _HELP)
            return
        self.kind = match.lastgroup or ""
        self.text, self.at, self.end = match[self.kind], match.start(self.kind), match.end()

    def fault(self, message: str, help: str = "") -> TextError:
        return TextError(message, self.field, self.at, max(len(self.text), 1), help)

    def choice(self, depth: int) -> Pattern:
        if depth > _DEEPEST:
            raise self.fault(f"more than {_DEEPEST} parentheses deep")
        at, parts = self.at, [self.sequence(depth)]
        while self.text == "|":
            self.advance()
            parts.append(self.sequence(depth))
        return parts[0] if len(parts) == 1 else Pattern("choice", at, max(at, self.last), tuple(parts))

    def sequence(self, depth: int) -> Pattern:
        at, parts = self.at, list[Pattern]()
        while self.text and self.text not in ("|", ")"):
            parts.append(self.postfixed(depth))
        return parts[0] if len(parts) == 1 else Pattern("sequence", at, max(at, self.last), tuple(parts))

    def postfixed(self, depth: int) -> Pattern:
        found, begin = self.atom(depth), self.at
        for _ in range(_POSTFIXES):
            bounds = self.bounds()
            if bounds is None:
                return found
            found = Pattern("repeat", found.at, self.end, (found,), (), *bounds)
            self.advance()
        raise TextError("too many operators in a row", self.field, begin, self.at - begin)

    def bounds(self) -> tuple[int, int | None] | None:
        if self.kind == "count":
            match = _COUNT.fullmatch(self.text)
            least, most = (int(match[1]), match[3] and int(match[3])) if match else (1, 0)
            if match and match[2] is None:
                most = least
            if match is None or (most is not None and int(most) < least):
                raise self.fault(f"{self.text!r} is no number of times", "as in {3}, {2,5} or {2,}")
            return least, None if most is None else int(most)
        marks: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        return marks.get(self.text) if self.kind == "mark" else None

    def atom(self, depth: int) -> Pattern:
        at, text = self.at, self.text
        if self.kind == "token":
            end = self.end
            self.advance()
            return _token(text, at, end)
        if text == "(":
            self.advance()
            inner = self.choice(depth + 1)
            self.close(")", at)
            return Pattern(inner.kind, at, self.last, inner.parts, inner.names, inner.least, inner.most)
        if text == ".":
            self.advance()
            return Pattern("any", at, at + 1)
        if text in ("[", "[^"):
            return self.listed(at, text)
        raise self.fault(
            f"there is nothing before {text!r} that it could repeat" if text != "]" else "']' closes nothing"
        )

    def listed(self, at: int, opening: str) -> Pattern:
        self.advance()
        names = list[tuple[str, int]]()
        while self.kind == "token":
            names += _token(self.text, self.at, self.end).names
            self.advance()
        self.close("]", at)
        return Pattern("but" if opening == "[^" else "class", at, self.last, (), tuple(names))

    def close(self, mark: str, opened: int) -> None:
        if self.text != mark:
            raise TextError(f"there is no {mark!r} that closes this", self.field, opened)
        self.advance()


_HELP = 'tokens with marks such as ( or * in them stand in quotes: "("'


def _token(text: str, at: int, end: int) -> Pattern:
    if text == "ε":
        return Pattern("sequence", at, end)
    spelt = text[1:-1] if text[0] in "\"'" else text
    return Pattern("class", at, end, (), ((spelt, at),))
