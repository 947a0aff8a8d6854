"""Membership and legal next symbols for context-free rules, by Earley's algorithm (1970).

Charts are of tokens, so productions of a lexicon are found by the token that stands there and are never
predicted one by one. Nullable nonterminals are stepped over where they are predicted (Aycock & Horspool
2002).
Rules are trimmed first: then every item of a chart is part of some word, and what may come next is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from procdsl.programs.tree import TreeProgram
from procdsl.trees import FANOUT

# A symbol of a right-hand side: a terminal's id, or ~ of a nonterminal.
Symbols = tuple[int, ...]
Item = tuple[int, int, int]  # production, how many of its symbols stand behind the dot, where it began


def body(codes: Sequence[int], children: Sequence[int], terminals: Sequence[int] | None = None) -> Symbols:
    """The symbols of a yield: a code from 0 up is a terminal, or its place among these."""
    return tuple(
        (code if terminals is None else terminals[code]) if code >= 0 else ~children[(-1 - code) // FANOUT]
        for code in codes
    )


class Rules:
    """Productions, each a head and a body, by what they begin with. Nonterminal 0 is the start."""

    def __init__(self, productions: Iterable[tuple[int, Symbols]]) -> None:
        written = list(productions)
        self.heads, self.bodies = [head for head, _ in written], [body for _, body in written]
        self.nullable = _nullable(self.heads, self.bodies)
        count = 1 + max(self.heads)
        self.first: list[dict[int, list[int]]] = [{} for _ in range(count)]
        self.inner: list[list[int]] = [[] for _ in range(count)]
        for number, (head, body) in enumerate(zip(self.heads, self.bodies, strict=True)):
            if body and body[0] >= 0:
                self.first[head].setdefault(body[0], []).append(number)
            elif body:
                self.inner[head].append(number)


class Column:
    """All that a chart knows behind one prefix."""

    def __init__(self) -> None:
        self.items: dict[Item, None] = {}
        self.waiting: dict[int, list[Item]] = {}
        self.predicted: dict[int, None] = {}


class Chart:
    """What a prefix can be the beginning of. Reading goes on from the longest part that was read before."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.prefix: list[int] = []
        first = Column()
        self._predict(first, 0, 0)
        self._close(first, 0)
        self.columns = [first]

    def read(self, prefix: Sequence[int]) -> int:
        """Reads a prefix; how much of it some word begins with."""
        common = 0
        while common < min(len(prefix), len(self.prefix)) and prefix[common] == self.prefix[common]:
            common += 1
        del self.columns[common + 1 :], self.prefix[common:]
        for terminal in prefix[common:]:
            if not self.step(terminal):
                return len(self.prefix)
        return len(prefix)

    def step(self, terminal: int) -> bool:
        """Reads one more; False where no word begins so: then nothing was read."""
        column = self._scan(terminal)
        if column.items:
            self.columns.append(column)
            self.prefix.append(terminal)
        return bool(column.items)

    def complete(self) -> bool:
        """Whether what was read is a word."""
        here, rules = self.columns[-1], self.rules
        done = (
            (number, dot) for number, dot, origin in here.items if origin == 0 and not rules.heads[number]
        )
        if not self.prefix:
            return 0 in rules.nullable
        return any(dot == len(rules.bodies[number]) for number, dot in done)

    def expected(self) -> frozenset[int]:
        """The terminals that may come next."""
        here, rules = self.columns[-1], self.rules
        found = {symbol for symbol in here.waiting if symbol >= 0}
        return frozenset(found.union(*(rules.first[a] for a in here.predicted)))

    def expected_within(self, left: int, lengths: Sequence[int]) -> frozenset[int]:
        """The terminals after which exactly `left` - 1 more make a word; `lengths` as `counting.possible`."""
        return frozenset(s for s, more in self.onward(left, lengths).items() if more << 1 >> left & 1)

    def onward(self, left: int, lengths: Sequence[int]) -> dict[int, int]:
        """The terminals that may come next; how many more, up to `left`, then make a word: bit by bit."""
        rules, here, at = self.rules, self.columns[-1], len(self.prefix)
        after, found = _Continuations(self, left, lengths), dict[int, int]()
        for a in here.predicted:
            for terminal, numbers in rules.first[a].items():
                for number in numbers:
                    found[terminal] = found.get(terminal, 0) | after.more(number, 1, at)
        for terminal, items in here.waiting.items():
            for number, dot, origin in items if terminal >= 0 else ():
                found[terminal] = found.get(terminal, 0) | after.more(number, dot + 1, origin)
        return found

    # ------------------------------------------------------------ one column

    def _scan(self, terminal: int) -> Column:
        here, at, column = self.columns[-1], len(self.prefix), Column()
        for a in here.predicted:
            for number in self.rules.first[a].get(terminal, ()):
                column.items[number, 1, at] = None
        for number, dot, origin in here.waiting.get(terminal, ()):
            column.items[number, dot + 1, origin] = None
        self._close(column, at + 1)
        return column

    def _predict(self, column: Column, a: int, at: int) -> None:
        if a not in column.predicted:
            column.predicted[a] = None
            for number in self.rules.inner[a]:
                column.items.setdefault((number, 0, at))

    def _close(self, column: Column, at: int) -> None:
        """Completes and predicts until nothing is new; `items` grows while it is walked."""
        rules, done = self.rules, 0
        queue = list(column.items)
        while done < len(queue):
            item = queue[done]
            done += 1
            number, dot, origin = item
            body = rules.bodies[number]
            if dot == len(body):
                if origin < at:
                    source = self.columns[origin]
                    news = [(n, d + 1, o) for n, d, o in source.waiting.get(~rules.heads[number], ())]
                else:
                    news = []
            else:
                symbol = body[dot]
                column.waiting.setdefault(symbol, []).append(item)
                news = []
                if symbol < 0:
                    before = len(column.items)
                    self._predict(column, ~symbol, at)
                    queue += list(column.items)[before:]
                    if ~symbol in rules.nullable:
                        news = [(number, dot + 1, origin)]
            for new in news:
                if new not in column.items:
                    column.items[new] = None
                    queue.append(new)


class Words:
    """The words of a context-free program, read symbol by symbol."""

    def __init__(self, program: TreeProgram) -> None:
        self.chart = Chart(_rules(program))

    def legal(self) -> frozenset[int]:
        return self.chart.expected()

    def ends(self) -> bool:
        return bool(self.chart.prefix) and self.chart.complete()

    def read(self, symbol: int) -> bool:
        return self.chart.step(symbol)


@lru_cache(maxsize=8)
def _rules(program: TreeProgram) -> Rules:
    return Rules(
        (shape.head, body(shape.yields[0], shape.children, member))
        for shape in program.language or program.shapes
        for member in shape.members
    )


class _Continuations:
    """In how many symbols what is open behind a prefix can be brought to an end, as bits of an integer."""

    def __init__(self, chart: Chart, left: int, lengths: Sequence[int]) -> None:
        self.chart, self.left, self.lengths = chart, left, lengths
        self.mask = (1 << left + 1) - 1
        self.suffixes: dict[tuple[int, int], int] = {}
        self.after = self._solved()

    def more(self, number: int, dot: int, origin: int) -> int:
        """In how many more symbols an item can end, and all around it."""
        around = self.after.get((self.chart.rules.heads[number], origin), 0)
        return sums(self._suffix(number, dot), around, self.mask)

    def _suffix(self, number: int, dot: int) -> int:
        """The possible lengths of what stands behind a dot."""
        body = self.chart.rules.bodies[number]
        if dot == len(body):
            return 1
        if (number, dot) not in self.suffixes:
            symbol, rest = body[dot], self._suffix(number, dot + 1)
            bits = rest << 1 & self.mask if symbol >= 0 else sums(self.lengths[~symbol], rest, self.mask)
            self.suffixes[number, dot] = bits
        return self.suffixes[number, dot]

    def _solved(self) -> dict[tuple[int, int], int]:
        """For each nonterminal and column it may begin at: how many symbols may follow its end.

        The least fixed point: what follows is the rest of an item that waits for it, and what follows that.
        """
        chart, found = self.chart, {(0, 0): 1}
        users: dict[tuple[int, int], list[tuple[tuple[int, int], int]]] = {}
        for here, column in enumerate(chart.columns):
            for symbol, items in column.waiting.items():
                if symbol < 0:
                    for number, dot, origin in items:
                        user = (chart.rules.heads[number], origin)
                        users.setdefault(user, []).append(((~symbol, here), self._suffix(number, dot + 1)))
        queue = [(0, 0)]
        while queue:
            user = queue.pop()
            for target, suffix in users.get(user, ()):
                bits = found.get(target, 0) | sums(suffix, found[user], self.mask)
                if bits != found.get(target, 0):
                    found[target] = bits
                    queue.append(target)
        return found


def sums(one: int, other: int, mask: int) -> int:
    """All sums of a bit of one and a bit of the other."""
    if one.bit_count() > other.bit_count():
        one, other = other, one
    total = 0
    for place in _bits(one & mask):
        total |= other << place
    return total & mask


def _bits(value: int) -> Iterator[int]:
    while value:
        low = value & -value
        yield low.bit_length() - 1
        value ^= low


def _nullable(heads: Sequence[int], bodies: Sequence[Symbols]) -> frozenset[int]:
    found = set[int]()
    silent = [
        (head, {~s for s in body})
        for head, body in zip(heads, bodies, strict=True)
        if max(body, default=-1) < 0
    ]
    while more := {head for head, children in silent if head not in found and children <= found}:
        found |= more
    return frozenset(found)
