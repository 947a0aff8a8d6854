"""k-shuffle-Dyck: k kinds of brackets, each balanced by itself, shuffled together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from procdsl.grammars._brackets import bracket_alphabet, bracket_lengths, prefix_count, shuffle_count, type_of
from procdsl.grammars.base import END, Problem, WordGrammar
from procdsl.programs.shuffle_dyck import ShuffleDyckProgram
from procdsl.tables import move_count

# Tables of the uniform measure at their largest: some 30 MB under the depth, some 130 MB without one; more
# numbers of moves and steps than these are seconds of work.
_DEEPEST, _LONGEST, _TABLE = 12, 2048, 2**23


class ShuffleDyck(WordGrammar):
    """Brackets of `k` types that close in any order, at most `depth` of them open at once.

    `measure = "uniform"` draws every word of a length alike. `"process"` is the random walk of Hu et al.
    2025: it opens with probability `p_open`, closes a type drawn evenly among the open ones, and at the end
    closes what is open; published code is cut where it stands (`balanced = false`: words are then prefixes
    of the language's).

    ```toml
    kind   = "shuffle_dyck"
    k      = 3
    depth  = 4
    length = { uniform = [12, 40] }
    ```
    """

    kind: Literal["shuffle_dyck"] = "shuffle_dyck"
    k: int = Field(ge=1, le=65_536)
    depth: int | None = Field(default=None, ge=1)
    measure: Literal["uniform", "process"] = "uniform"
    p_open: float = Field(default=0.5, gt=0, lt=1)
    balanced: bool = True

    def program(self) -> ShuffleDyckProgram:
        return ShuffleDyckProgram(
            k=self.k,
            depth=self.held_out.bound(self.depth),
            beyond=self.held_out.beyond,
            measure=self.measure,
            p_open=int(self.p_open * 2**64) if self.measure == "process" else 2**63,
            closed=self.balanced,
            lengths=self.lengths(),
            split=self.split(),
        )

    def alphabet(self) -> tuple[str, ...]:
        return bracket_alphabet(self.k)

    def holds_out(self) -> frozenset[str]:
        return super().holds_out() | {"depth"}

    def possible(self, longest: int) -> int:
        beyond = self.held_out.beyond
        even = bracket_lengths(longest, beyond, self.depth)
        if self.balanced or (beyond and not even):
            return even
        return sum(1 << n for n in range(1 + (beyond or 0), longest + 1))

    def count(self, length: int) -> int:
        depth, beyond = self.held_out.bound(self.depth), self.held_out.beyond
        if self.balanced:
            return shuffle_count(self.k, length, depth, beyond)
        shallow = 0 if beyond is None else prefix_count(self.k, length, beyond)
        return prefix_count(self.k, length, depth) - shallow

    def plenty(self, length: int) -> bool:
        # Each position that opens has k choices: cheap to see where there is no end of words.
        if self.k ** (length // 2) >= 10**6:
            return True
        return super().plenty(min(length, 64) if self.k > 1 else length)

    def problems(self, context: int) -> Iterator[Problem]:
        found = list(super().problems(context))
        yield from found
        if self.measure == "uniform" and not any(problem.code in ("P350", "P359") for problem in found):
            yield from self._table_problems(self.lengths().values[-1])
            if self.held_out.depth:
                yield from self.tested()._deep_problems()

    def _deep_problems(self) -> Iterator[Problem]:
        """P356: words beyond a depth are tabled under a bound."""
        longest = self.lengths().values[-1]
        depth = min(self.depth or longest, longest // 2)
        if not self._tabled(depth, longest):
            message = (
                f"words of {longest} symbols, up to {depth} deep, are too much for the tables of a depth"
            )
            help = 'a smaller depth for the whole, shorter words, or measure = "process"'
            yield Problem("P356", message, ("held_out", "depth"), help)

    def _table_problems(self, longest: int) -> Iterator[Problem]:
        """What the uniform measure cannot be tabled for."""
        bound = self.held_out.bound(self.depth)
        if not self.balanced:
            message = "words cut where they stand have no uniform measure here"
            yield Problem("P356", message, ("balanced",), 'measure = "process", or balanced = true')
        if bound is not None and bound < longest // 2 and not self._tabled(bound, longest):
            message = (
                f"words of {longest} symbols, up to {bound} deep, are too much for the tables of a depth"
            )
            path = ("held_out", "depth") if self.held_out.depth else ("depth",)
            yield Problem("P356", message, path, 'a smaller depth, or measure = "process"')
        elif longest > _LONGEST and (bound is None or bound >= longest // 2):
            message = f"without a bound of depth, the uniform measure is tabled for lengths up to {_LONGEST}"
            yield Problem("P356", message, ("length",), 'give a depth, or measure = "process"')

    def _tabled(self, depth: int, longest: int) -> bool:
        return depth <= _DEEPEST or (depth <= _LONGEST and move_count(self.k, depth) * longest <= _TABLE)

    def reason(self, word: Sequence[str]) -> str | None:
        counts = Counter[int]()
        for place, symbol in enumerate(word, 1):
            found = type_of(symbol, self.k)
            if found is None:
                return f"{symbol!r} at {place} is no symbol of {self.k}-shuffle-Dyck"
            kind, opens = found
            counts[kind] += 1 if opens else -1
            if counts[kind] < 0:
                return f"{symbol!r} at {place} closes a type of which none is open"
            if self.depth and counts.total() > self.depth:
                return f"{symbol!r} at {place} is {counts.total()} deep, more than {self.depth}"
        if self.balanced and counts.total():
            return f"{counts.total()} brackets are not closed at the end"
        return None if word else "the empty word is left out"

    def legal_next(self, prefix: Sequence[str], length: int | None = None) -> frozenset[str]:
        counts = self._open(prefix)
        if counts is None:
            return frozenset()
        height, left = counts.total(), None if length is None else length - len(prefix)
        if left is not None and (left < 0 or (self.balanced and (left < height or (left - height) % 2))):
            return frozenset()
        alphabet, legal = self.alphabet(), set[str]()
        if prefix and not left and (not self.balanced or not height):
            legal.add(END)
        if left != 0:
            legal.update(alphabet[self.k + kind] for kind, open in counts.items() if open)
        fits = left is None or (left > height + 1 if self.balanced else left > 0)
        if fits and (self.depth is None or height < self.depth):
            legal.update(alphabet[: self.k])
        return frozenset(legal)

    def _open(self, prefix: Sequence[str]) -> Counter[int] | None:
        """How many brackets of each type are open; None where no word begins so."""
        counts = Counter[int]()
        for symbol in prefix:
            kind, opens = type_of(symbol, self.k) or (-1, False)
            counts[kind] += 1 if opens else -1
            if counts[kind] < 0 or (self.depth and counts.total() > self.depth):
                return None
        return counts
