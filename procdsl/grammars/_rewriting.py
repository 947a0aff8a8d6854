"""L-systems' rules as they are written, and what follows: lengths, entropies, legal next symbols."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from procdsl.grammars.regular.texts import TextError
from procdsl.programs.lsystem import LsystemProgram
from procdsl.streams import Stream

# A line break parts rules as a semicolon does; other blanks do nothing.
_TOKEN = re.compile(
    r"[^\S\n]*(?:(?P<mark>->|→|[|;\n])|\[\s*(?P<weight>[^\]\s]+)\s*\]"
    r'|"(?P<quoted>[^"\s]+)"|(?P<plain>(?:(?!->|→)[^\s|;"\[\]])+))'
)
# How far one reading may be ahead of another, and how many cases are looked at.
_AHEAD, _READINGS = 64, 2_000
Word = tuple[int, ...]
_EMPTY = frozenset({"ε", "epsilon"})


@dataclass(frozen=True)
class Rewriting:
    """What the texts say: images of each symbol that has rules and their weights, the axiom, all symbols."""

    rules: dict[str, list[list[str]]]
    weights: dict[str, list[float]]
    axiom: tuple[str, ...]
    alphabet: tuple[str, ...]


@dataclass
class _Token:
    kind: str
    text: str
    at: int


def read(rules: str, axiom: str | None) -> Rewriting:
    """The texts' meaning. TextError where they have none."""
    tokens = list(_tokens(rules, "rules"))
    images, weights = dict[str, list[list[str]]](), dict[str, list[float]]()
    statement = list[_Token]()
    for token in [*tokens, _Token("mark", ";", len(rules))]:
        if token.text in (";", "\n") and token.kind == "mark":
            if statement:
                _rule(statement, images, weights)
            statement = []
        else:
            statement.append(token)
    if not images:
        raise TextError("there are no rules", "rules", 0, max(len(rules), 1), "as in  A -> A B ; B -> A")
    start = _start(axiom) if axiom is not None else []
    spelt = [*images, *(s for alike in images.values() for image in alike for s in image), *start]
    return Rewriting(images, weights, tuple(start), tuple(dict.fromkeys(spelt)))


def _start(axiom: str) -> list[str]:
    found = list(_tokens(axiom, "axiom"))
    for token in found:
        if token.kind not in ("plain", "quoted"):
            raise TextError(f"{token.text!r} is no symbol", "axiom", token.at, len(token.text))
    if not found:
        raise TextError("the axiom is empty", "axiom", 0, max(len(axiom), 1), "write its symbols")
    return [token.text for token in found]


def _tokens(text: str, field: str) -> Iterator[_Token]:
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            help = 'write it in quotes: "["'
            raise TextError(f"{text[place]!r} has no meaning here", field, place, 1, help)
        yield _Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup))
        at = match.end()


def _rule(
    statement: list[_Token], images: dict[str, list[list[str]]], weights: dict[str, list[float]]
) -> None:
    """One rule: a head, an arrow, alternatives."""
    head, *rest = statement
    if head.kind not in ("plain", "quoted") or not rest or rest[0].text not in ("->", "→"):
        raise TextError(
            "this is no rule", "rules", head.at, len(head.text), "as in  A -> A B [0.7] | B [0.3]"
        )
    if head.text in images:
        help = f"join its alternatives with |:  {head.text} -> … | …"
        raise TextError(f"{head.text} has rules already", "rules", head.at, len(head.text), help)
    images[head.text], weights[head.text] = [[]], [1.0]
    written = [False]
    for token in rest[1:]:
        if token.kind == "mark" and token.text == "|":
            images[head.text].append([])
            weights[head.text].append(1.0)
            written.append(False)
        elif token.kind == "weight":
            weights[head.text][-1] = _weight(token)
        elif token.kind == "plain" and token.text in _EMPTY:
            written[-1] = True
        elif token.kind in ("plain", "quoted"):
            images[head.text][-1].append(token.text)
            written[-1] = True
        else:
            raise TextError(f"{token.text!r} has no meaning here", "rules", token.at, len(token.text))
    if not all(written):
        raise TextError("an alternative is empty", "rules", head.at, len(head.text), "write ε if you mean it")


def _weight(token: _Token) -> float:
    try:
        weight = float(token.text)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        message = f"the weight {token.text!r} is no number above 0"
        raise TextError(
            message, "rules", token.at, len(token.text), 'a bracket of the alphabet is written "["'
        )
    return weight


def codes(weights: Sequence[float]) -> tuple[int, ...]:
    """Thresholds over 2**32 of the cumulated shares, the last left out."""
    parts = list(accumulate(weights))
    return tuple(min(2**32, round(part / parts[-1] * 2**32)) for part in parts)[:-1]


def shares(program: LsystemProgram, head: int) -> list[float]:
    """How likely each image of a symbol is, as it is drawn."""
    place = program.heads.index(head)
    edges = (0, *program.thresholds[place], 2**32)
    return [(high - low) / 2**32 for low, high in pairwise(edges)]


# ---------------------------------------------------------------- rewriting


def rewritten(program: LsystemProgram, symbols: Sequence[int], stream: Stream) -> list[int]:
    """The next generation: a word of 32 bits is read for each symbol that has several images."""
    rules = dict(zip(program.heads, zip(program.images, program.thresholds, strict=True), strict=True))
    found = list[int]()
    for symbol in symbols:
        images, thresholds = rules.get(symbol, (((symbol,),), ()))
        drawn = stream.next32() if thresholds else 0
        found += images[sum(drawn >= threshold for threshold in thresholds)]
    return found


def lengths(program: LsystemProgram, *, longest: bool) -> list[int]:
    """The greatest (or least) length of the axiom and of each generation; beyond all bounds at 2**53."""
    best = max if longest else min
    sizes = [1] * program.symbols
    found = [_axiom(program, sizes, longest)]
    for _ in range(program.generations):
        after = list(sizes)
        for head, images in zip(program.heads, program.images, strict=True):
            after[head] = min(best(sum(sizes[s] for s in image) for image in images), 2**53)
        sizes = after
        found.append(_axiom(program, sizes, longest))
    return found


def _axiom(program: LsystemProgram, sizes: Sequence[int], longest: bool) -> int:
    if program.drawn is None:
        return sum(sizes[symbol] for symbol in program.axiom)
    best = max if longest else min
    return program.drawn.values[-1 if longest else 0] * best(sizes[head] for head in program.heads)


def expected(program: LsystemProgram) -> list[list[float]]:
    """[generation][symbol]: how often it occurs, in the mean."""
    counts = [0.0] * program.symbols
    if program.drawn:
        whole = sum(program.drawn.shares)
        mean = sum(
            n * share / whole for n, share in zip(program.drawn.values, program.drawn.shares, strict=True)
        )
        for head in program.heads:
            counts[head] = mean / len(program.heads)
    for symbol, times in Counter(program.axiom).items():
        counts[symbol] += times
    found = [counts]
    for _ in range(program.generations):
        after = [0.0 if symbol in program.heads else n for symbol, n in enumerate(found[-1])]
        for head, images in zip(program.heads, program.images, strict=True):
            for image, share in zip(images, shares(program, head), strict=True):
                for symbol in image:
                    after[symbol] += found[-1][head] * share
        found.append(after)
    return found


def axiom_nats(program: LsystemProgram) -> float:
    """The entropy of the axiom, its length included."""
    if program.drawn is None:
        return 0.0
    whole = sum(program.drawn.shares)
    return math.fsum(
        share / whole * (n * math.log(len(program.heads)) - math.log(share / whole))
        for n, share in zip(program.drawn.values, program.drawn.shares, strict=True)
        if share
    )


def first_nats(program: LsystemProgram) -> float:
    """The entropy of the axiom's first symbol, which is independent of the others."""
    return math.log(len(program.heads)) if program.drawn else 0.0


def drawn_nats(program: LsystemProgram) -> float:
    """The entropy of all images drawn, given the axiom."""
    total = 0.0
    for counts in expected(program)[:-1]:
        for head in program.heads:
            total -= counts[head] * math.fsum(p * math.log(p) for p in shares(program, head) if p)
    return total


def nats(program: LsystemProgram) -> float:
    """The entropy of what is held out: axioms if they are drawn, else derivations."""
    return axiom_nats(program) if program.drawn else drawn_nats(program)


def told_apart(program: LsystemProgram) -> bool:
    """Whether a generation always says which image each symbol of the one before had.

    Two readings of the same symbols, from where they first differ: what one has written more than the other
    so far. Where both have written the same again, nobody can tell them apart (as in Sardinas & Patterson
    1953). False too where that is not found out within a budget.
    """
    own = dict(zip(program.heads, program.images, strict=True))
    images = [own.get(symbol, ((symbol,),)) for symbol in range(program.symbols)]
    waiting = [more for alike in images for more in _ahead((), alike, differ=True)]
    seen = set(waiting)
    while waiting:
        more = waiting.pop()
        if not more or len(more) > _AHEAD or len(seen) > _READINGS:
            return False
        found = {further for alike in images for further in _ahead(more, alike, differ=False)} - seen
        seen |= found
        waiting += found
    return True


def _ahead(more: Word, images: Sequence[Word], *, differ: bool) -> Iterator[Word]:
    """What one reading has written more than the other once both have read one symbol on."""
    for one, ahead in enumerate(images):
        for other, behind in enumerate(images):
            longer, shorter = more + ahead, behind
            if len(longer) < len(shorter):
                longer, shorter = shorter, longer
            if not (differ and one == other) and longer[: len(shorter)] == shorter:
                yield longer[len(shorter) :]


# ---------------------------------------------------------------- reading


class Reading:
    """A row as far as it was read: all ways in which the generation that is being read can have come about.

    A way is a symbol of the generation before, an image of it, and how much of this has been read.
    """

    def __init__(self, program: LsystemProgram, tokens: Sequence[str]) -> None:
        self.program, self.ids = program, {token: id for id, token in enumerate(tokens)}
        self.tokens = tokens
        self.images = dict(zip(program.heads, program.images, strict=True))
        self.before: list[int] | None = None
        self.now = list[int]()
        self.done = 0
        self.ways: set[tuple[int, int, int]] = set()

    @property
    def complete(self) -> bool:
        return self.done == self.program.generations + 1

    @property
    def legal(self) -> set[str]:
        """The tokens that may come next."""
        if self.complete:
            return set()
        return {self.tokens[id] for id in self._legal()}

    def read(self, token: str) -> bool:
        """Takes a token; whether it may stand here."""
        id = self.ids.get(token, -1)
        if self.complete or id not in self._legal():
            return False
        if id == self.program.symbols:
            self.before, self.now, self.done = self.now, [], self.done + 1
            self.ways = self._settled({(0, -1, 0)})
            return True
        if self.before is not None:
            self.ways = self._settled(
                {
                    (at, which, read + 1)
                    for at, which, read in self.ways
                    if self._next((at, which, read)) == id
                }
            )
        self.now.append(id)
        return True

    def _legal(self) -> set[int]:
        if self.before is None:
            return self._axiom()
        return {self._next(way) for way in self.ways}

    def _axiom(self) -> set[int]:
        fixed, drawn, read = self.program.axiom, self.program.drawn, len(self.now)
        if drawn is None:
            return {fixed[read] if read < len(fixed) else self.program.symbols}
        found = set(self.program.heads) if read < drawn.values[-1] else set()
        return found | ({self.program.symbols} if read in drawn.values else set())

    def _next(self, way: tuple[int, int, int]) -> int:
        """What a way goes on with: a symbol, or the separator behind the last."""
        at, which, read = way
        assert self.before is not None
        return self.program.symbols if at == len(self.before) else self._image(at, which)[read]

    def _image(self, at: int, which: int) -> tuple[int, ...]:
        assert self.before is not None
        symbol = self.before[at]
        return self.images.get(symbol, ((symbol,),))[which]

    def _settled(self, ways: set[tuple[int, int, int]]) -> set[tuple[int, int, int]]:
        """Ways that go on with something: where an image has been read the next symbol has any of its own."""
        assert self.before is not None
        found, waiting = set[tuple[int, int, int]](), list(ways)
        seen = set(ways)
        while waiting:
            at, which, read = waiting.pop()
            if which >= 0 and at < len(self.before) and read < len(self._image(at, which)):
                found.add((at, which, read))
                continue
            after = at if which < 0 else at + 1
            if after == len(self.before):
                found.add((after, 0, 0))
                continue
            alike = self.images.get(self.before[after], ((self.before[after],),))
            more = {(after, other, 0) for other in range(len(alike))} - seen
            seen |= more
            waiting += more
        return found
